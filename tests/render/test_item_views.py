# ruff: noqa: E501 (a table reads better than its folded lines)
"""Numbers, anchors, forms and counts of items, and what a view says of quotes, links and groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.render.views.values import IssueView
from tests.render.test_prominence import view_of

MIXED = """\
sections:
  - title: One
    items:
      - {title: Story, body: a}
      - {title: 'Sponsor: Acme', body: b}
      - {quote: Words.}
      - {title: Evening, event: {starts: 2026-12-20}}
      - {title: Port clerk, job: {place: Quay}, body: c}
  - title: Two
    items:
      - {title: Other, body: d}
      - {title: Paid, sponsored: yes, event: {starts: 2026-12-20}}
      - {title: Quoted, quote: Words.}
  - {title: Text alone, body: e}
"""


def numbers(view: IssueView) -> list[int]:
    return [item.number for item in view.all_items]


@pytest.mark.parametrize(
    ("numbering", "expected"),
    [
        ("", [1, 0, 0, 0, 2, 3, 0, 4]),
        ("numbering: through\n", [1, 0, 0, 0, 2, 3, 0, 4]),
        ("numbering: by-section\n", [1, 0, 0, 0, 2, 1, 0, 2]),
        ("numbering: none\n", [1, 0, 0, 0, 2, 3, 0, 4]),
    ],
)
def test_advertisements_quotes_and_events_have_no_number(
    workspace: Path, settings: Settings, numbering: str, expected: list[int]
) -> None:
    view = view_of(workspace, settings, "morning", numbering + MIXED)
    assert numbers(view) == expected
    assert view.numbering == numbering.removeprefix("numbering: ").strip()
    assert [item.anchor for item in view.all_items] == [
        "item-1", "sponsor-1", "quote-1", "event-1", "item-2", "item-3", "sponsor-2", "item-4"
    ]  # fmt: skip


def test_stories_and_counts(workspace: Path, settings: Settings) -> None:
    view = view_of(workspace, settings, "morning", MIXED)
    assert [item.title for item in view.stories] == ["Story", "Evening", "Port clerk", "Other", "Quoted"]
    assert [section.count for section in view.sections] == [3, 2, 0]


LISTED = "items: [{title: a, url: 'https://e.test/'}, {title: b, source: Wire}, {title: 'Advert: c'}]\n"


def forms(view: IssueView) -> str:
    """A letter for the form of each item: lead, entry, compact, or story."""
    return "".join(
        "L" if item.lead else "E" if item.entry else "C" if item.compact else "S" for item in view.all_items
    )


@pytest.mark.parametrize(
    ("layout", "text", "listed", "expected"),
    [
        ("morning", LISTED, True, "EES"),
        ("feature", LISTED, True, "EES"),
        ("digest", LISTED, True, "EES"),
        ("brief", LISTED, False, "SSS"),
        ("morning", "style: stories\n" + LISTED, False, "LSS"),
        ("morning", "items: [{title: a}]\n", False, "L"),
        ("morning", "items: [{title: a}, {title: b, body: c}]\n", False, "LS"),
        ("morning", "style: list\nitems: [{title: a}, {title: b, body: c}]\n", True, "EE"),
        ("brief", "style: list\nitems: [{title: a}, {title: b, body: c}]\n", False, "SS"),
        # A chosen lead stays large, and is not asked whether it has a text.
        ("morning", "items: [{title: a}, {title: b, body: c, lead: yes}, {title: d}]\n", True, "ELE"),
        ("feature", "items: [{title: a}, {title: b, body: c, lead: yes}]\n", False, "SL"),
        ("brief", "items: [{title: a}, {title: b, body: c, lead: yes}]\n", False, "SS"),
        # Who asks for stories gets no compact lines.
        ("digest", "items: [{title: a, body: b}, {title: c, body: d}]\n", False, "LC"),
        ("digest", "style: stories\nitems: [{title: a, body: b}, {title: c, body: d}]\n", False, "LS"),
        # Events, jobs and quotes are never entries.
        (
            "morning",
            "style: list\nitems: [{title: a}, {title: b, event: {starts: 2026-12-20}}, {title: c, job: {place: d}}, {title: e, quote: f}]\n",
            True,
            "ESSS",
        ),
        ("morning", "items: [{title: a}, {title: b, event: {starts: 2026-12-20}}]\n", False, "LS"),
        # The first story leads, and an event does not.
        ("evening", "items: [{quote: a}, {title: 'Sponsor: b'}, {title: c, body: d}, {title: e}]\n", False, "SSLS"),
        ("evening", "items: [{title: a, event: {starts: 2026-12-20}}, {title: b, body: c}]\n", False, "SS"),
    ],
)  # fmt: skip
def test_the_form_of_items(
    workspace: Path, settings: Settings, layout: str, text: str, listed: bool, expected: str
) -> None:
    view = view_of(workspace, settings, layout, text)
    assert view.listed is listed
    assert forms(view) == expected


def test_a_section_may_be_a_list(workspace: Path, settings: Settings) -> None:
    text = "sections:\n  - {title: s, items: [{title: a, body: b}, {title: c}]}\n  - {title: t, style: list, items: [{title: d, body: e}]}\n"
    view = view_of(workspace, settings, "evening", text)
    assert [section.listed for section in view.sections] == [False, True]
    assert forms(view) == "LCE"


@pytest.mark.parametrize(
    "more",
    [
        "comment: a",
        "byline: a",
        "label: a, url: 'https://e.test/'",
        "links: [{text: a, url: 'https://e.test/'}]",
        "image: [{src: 'https://e.test/a.png', alt: a}, {src: 'https://e.test/a.png', alt: a}]",
        "image: {src: 'https://e.test/a.png', alt: a, credit: b}",
        "image: {src: 'https://e.test/a.png', alt: a, place: after}",
        "quote: a",
        "job: {place: a}",
        "event: {starts: 2026-12-20}",
        "sponsored: yes",
    ],
)
def test_nothing_is_lost_in_a_compact_line(workspace: Path, settings: Settings, more: str) -> None:
    text = f"sections:\n  - title: s\n    items: [{{title: a, body: b}}, {{title: c, body: d}}, {{title: e, body: f, {more}}}]\n"
    assert forms(view_of(workspace, settings, "evening", text)) == "LCS"


@pytest.mark.parametrize(
    ("words", "is_long"),
    [
        ("word " * 40, False),
        ("word " * 41, True),
        ("港" * 80, False),
        ("港" * 81, True),
        ("One.\\n\\nTwo.", True),
        ("- One", False),
    ],
)
def test_a_long_quote_is_set_small(workspace: Path, settings: Settings, words: str, is_long: bool) -> None:
    for written in (f'"{words}"', f'{{text: "{words}"}}'):
        view = view_of(workspace, settings, "evening", f"items: [{{quote: {written}}}]\n")
        quote = view.items[0].quote
        assert quote is not None
        assert quote.is_long is is_long
        assert quote.text


def test_each_form_of_a_picture_is_found(workspace: Path, settings: Settings) -> None:
    one = "image: {src: 'https://e.test/a.png', alt: 'A {{ subscriber.name or \"reader\" }}', place: below, credit: C}"
    two = "image: [{src: 'https://e.test/b.png', alt: B}, {src: 'https://e.test/c.png', alt: C}]"
    view = view_of(
        workspace, settings, "evening", f"items: [{{title: a, {one}}}, {{title: b, {two}}}, {{title: c}}]\n"
    )
    assert [len(item.images) for item in view.items] == [1, 2, 0]
    first, second, third = view.items
    assert first.image is not None
    assert (first.image.place, first.image.credit, first.image.src) == ("below", "C", "https://e.test/a.png")
    assert second.image is not None
    assert second.image.alt == "B"
    assert third.image is None


RELATED = """\
related:
  - {title: a, url: 'https://e.test/', kind: PDF, date: 2026-11-21}
  - {title: Group, items: [{title: b}, {title: c, date: last year}]}
  - {title: d}
body: x
"""


def test_further_reading_without_a_group_comes_first(workspace: Path, settings: Settings) -> None:
    view = view_of(workspace, settings, "evening", RELATED)
    assert [(group.title, [each.title for each in group.items]) for group in view.related_groups] == [
        ("", ["a", "d"]),
        ("Group", ["b", "c"]),
    ]
    assert [each.title for each in view.related] == ["a", "d", "b", "c"]
    assert [each.date for each in view.related] == ["November 21, 2026", "", "", "last year"]
    only = view_of(workspace, settings, "evening", "related: [{title: a, items: [{title: b}]}]\nbody: x\n")
    assert [group.title for group in only.related_groups] == ["a"]
    assert view_of(workspace, settings, "evening", "body: x\n").related_groups == ()

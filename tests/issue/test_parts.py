# ruff: noqa: E501 (a table reads better than its folded lines)
"""The parts of an item and of an issue: pictures, events, quotes, links; and what is said of wrong ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.issue.load import examine_issue
from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]
ITEM = "items:\n  - title: a\n"


def test_a_picture_may_be_one_or_a_list(load: Load, write: Write, head: str) -> None:
    write("issues/a.png", picture())
    one = load(f"{head}{ITEM}    image: {{src: a.png, alt: a}}\n").issue.items[0].image
    two = load(
        f"{head}{ITEM}    image:\n      - {{src: a.png, alt: a}}\n      - {{src: a.png, alt: b, place: after}}\n"
    )
    assert [(image.alt, image.place) for image in one] == [("a", "above")]
    assert [(image.alt, image.place) for image in two.issue.items[0].image] == [
        ("a", "above"),
        ("b", "after"),
    ]
    assert load(f"{head}{ITEM}    image: []\n").issue.items[0].image == ()
    assert load(f"{head}{ITEM}    image:\n").issue.items[0].image == ()


def test_a_quote_may_be_its_words_alone(load: Load, head: str) -> None:
    text = f"{head}items:\n  - quote: Words *there*.\n  - quote: {{text: Words., by: Ann Lee, url: 'https://e.test/'}}\n"
    first, second = (item.quote for item in load(text).issue.items)
    assert first is not None
    assert (first.text, first.by, first.url) == ("Words *there*.", "", None)
    assert second is not None
    assert (second.text, second.by, second.url) == ("Words.", "Ann Lee", "https://e.test/")


def test_an_event_and_a_job_have_their_facts(load: Load, head: str) -> None:
    text = (
        f"{head}{ITEM}    event: {{starts: 2026-12-20T18:00, ends: 2026-12-21, venue: Hall 2}}\n"
        "    job: {organisation: Port, place: Quay, salary: '40,000', url: 'https://e.test/'}\n"
    )
    item = load(text).issue.items[0]
    assert item.event is not None
    assert (item.event.starts, item.event.ends) == (
        dt.datetime.fromisoformat("2026-12-20T18:00"),
        dt.date(2026, 12, 21),
    )
    assert item.job is not None
    assert item.job.salary == "40,000"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            f"{ITEM}    event:\n      starts: 2026-12-20T18:00\n      ends: 2026-12-20T17:00\n",
            ["8:13: ends: an event must not end before it starts; correct one of the two"],
        ),
        (
            f"{ITEM}    event: {{starts: 2026-12-20, ends: 2026-12-19}}\n",
            ["6:39: ends: an event must not end before it starts; correct one of the two"],
        ),
        (
            f"{ITEM}    event: {{starts: 2026-12-20, ends: 2026-12-20T18:00}}\n",
            ["6:39: ends: has a time, and starts has none; add one to starts, or remove this one"],
        ),
        # A start that is wrong is told alone.
        (f"{ITEM}    event: {{starts: x, ends: 2026-12-19}}\n", ['6:21: starts: "x" is not a day with a time']),
        (f"{ITEM}    event: {{venue: Hall}}\n", ["6:12: this event has no starts; add starts:"]),
        (f"{ITEM}    event:\n      starts:\n", ["7:7: starts must not be empty"]),
        (f"{ITEM}    event: tomorrow\n", ["6:12: event must be a mapping (key: value), not a text"]),
        (f"{ITEM}    event: {{starts: 2026-12-20, vanue: x}}\n", ['6:33: "vanue" is not a known key here; did you mean "venue"?']),
        (
            f"{ITEM}    image:\n      - {{src: 'https://e.test/a.png', alt: a}}\n      - {{src: 'https://e.test/b.png'}}\n",
            ["8:9: this image has no alt; add alt:"],
        ),
        (
            f"{ITEM}    image:\n      - {{src: 'https://e.test/a.png', alt: a}}\n      - {{src: no.png, alt: a}}\n",
            ["8:15: the picture issues/no.png does not exist; correct the path or add the file"],
        ),
        (
            f"{ITEM}    image:\n      - {{src: 'https://e.test/a.png', alt: a}}\n      - b.png\n",
            ["8:9: this entry of image must be a mapping (key: value), not a text"],
        ),
        (f"{ITEM}    image: a.png\n", ["6:12: image must be a mapping (key: value), or a list of them, not a text"]),
        (f"{ITEM}    image: {{src: 'https://e.test/a.png'}}\n", ["6:12: this image has no alt; add alt:"]),
        (f"{ITEM}    image: {{src: 'https://e.test/a.png', alt: a, widht: 3}}\n", ['6:50: "widht" is not a known key here; did you mean "width"?']),
        (f"{ITEM}    quote: [a]\n", ["6:12: quote must be a text or a mapping (key: value), not a list"]),
        (f"{ITEM}    quote: {{by: Ann}}\n", ["6:12: this quote has no text; add text:"]),
        (f"{ITEM}    quote: {{text: ' '}}\n", ["6:19: text: must not be empty"]),
        (f"{ITEM}    quote: {{text: a, bi: Ann}}\n", ['6:22: "bi" is not a known key here; the known keys are text, by, url']),
        (f"{ITEM}    links: [{{text: Paper}}]\n", ["6:13: this link has no url; add url:"]),
        (f"{ITEM}    links: [{{url: 'https://e.test/'}}]\n", ["6:13: this link has no text; add text:"]),
        (f"{ITEM}    links: [{{text: a, url: 'https://e.test/', lable: b}}]\n", ['6:47: "lable" is not a known key here; the known keys are text, url']),
        (f"{ITEM}    job: {{place: a, organization: b}}\n", ['6:21: "organization" is not a known key here; did you mean "organisation"?']),
        ("notices: [{place: after}]\nbody: x\n", ["4:11: this notice has no text; add text:"]),
        ("notices: [a]\nbody: x\n", ["4:11: this entry of notices must be a mapping (key: value), not a text"]),
        ("body: x\nrelated: [{title: a, items: [{titel: b}]}]\n", ["5:30: this entry has no title; add title:", '5:31: "titel" is not a known key here; did you mean "title"?']),
        ("body: x\nrelated: [{title: a, items: [{title: b, items: []}]}]\n", ['5:41: "items" is not a known key here']),
        ("items: [{url: 'https://e.test/'}]\n", ["4:9: this item has no title; add title:"]),
        ("items: [{title: ' ', quote: }]\n", ["4:10: title must not be empty"]),
        ("column: {title: a}\n", ["4:9: this column has no body; add body:"]),
        (f"{ITEM}    sponsored: yes\n    lead: yes\n", ["7:11: lead: an item that is sponsored cannot be the lead; remove one of the two"]),
    ],
)  # fmt: skip
def test_a_wrong_part_is_told_with_its_line(wrong: Wrong, head: str, text: str, messages: list[str]) -> None:
    lines = wrong(head + text)
    assert len(lines) == len(messages), lines
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(f"{NAME}:{message}")


def test_a_blank_part_is_none(load: Load, head: str) -> None:
    issue = load(
        f"{head}{ITEM}    source: {{name: a, url: }}\n    quote: {{text: a, by: }}\n    event:\n    job:\n    links:\n"
    ).issue
    item = issue.items[0]
    assert (item.event, item.job, item.links) == (None, None, ())
    assert item.source is not None
    assert item.source.url is None
    assert item.quote is not None
    assert item.quote.by == ""


def test_everything_else_is_examined_beside_wrong_parts(write: Write, settings: Settings, head: str) -> None:
    path = write(
        NAME,
        f"{head}notices: [a]\nrelated: [{{title: a, items: [b]}}]\n{ITEM}    event: {{}}\n    image: [b]\n"
        "    links: [c]\n    quote: {}\n    tags: [[d]]\n    only: (\n  - {title: b, quote: {text: '*', by: '{{ x }}'}}\n",
    )
    loaded, problems = examine_issue(path, settings)
    assert loaded is not None
    lines = [str(problem) for problem in problems]
    assert any("x is not known here" in line for line in lines), lines
    assert all(problem.line for problem in problems)

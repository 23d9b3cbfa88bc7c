# ruff: noqa: E501 (a table reads better than its folded lines)
"""What is said of values that do not fit together, each with its line, also in an included file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.issue.load import examine_issue
from tests.issue.conftest import NAME, Load, Wrong

Write = Callable[[str, str | bytes], Path]
AS_AN_ADVERTISEMENT = (
    "this item is set as an advertisement, because its title says so; write sponsored: true, or "
    "sponsored: false if it is a story"
)
NO_LINK = "label is the text of the item's link, and there is none; add url:, or remove label:"
EMPTY = "this section is empty; write items or a body, or delete it"
GROUP = "an entry with items is the heading of a group, without {0}:; remove {0}:"
NO_TITLE = "needs a title, also beside a quote; add title: to this item"
CALL_WITHOUT_LABEL = "this call_to_action has no label, the text of its button; add label:"
CALL_WITHOUT_URL = "this call_to_action has no url, so there is no button and its label is text; add url:"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items:\n  - {title: a, lead: yes}\n  - {title: b, lead: yes}\n", "6:16: an issue has one lead at most; remove this one"),
        (
            "sections:\n  - title: s\n    items: [{title: a, lead: yes}]\n  - title: t\n    items: [{title: a}, {title: b, lead: yes}]\n",
            "8:36: an issue has one lead at most; remove this one",
        ),
        ("items: [{title: a, label: b}]\n", f"4:20: {NO_LINK}"),
        ("items: [{title: a, label: b, event: {starts: 2026-12-20}}]\n", f"4:20: {NO_LINK}"),
        ("items: [{title: a, label: b, job: {place: c}, links: [{text: a, url: 'https://e.test/'}]}]\n", f"4:20: {NO_LINK}"),
        ("call_to_action: {url: 'https://e.test/'}\nbody: x\n", f"4:1: {CALL_WITHOUT_LABEL}"),
        ("call_to_action: {}\nbody: x\n", "4:1: this call_to_action is empty; write a text and a button, or delete it"),
        ("sections:\n  - title: a\n  - {title: b, body: c}\n", f"5:5: {EMPTY}"),
        ("sections:\n  - {title: a, items: [], intro: '', image: }\n", f"5:5: {EMPTY}"),
        ("body: x\nrelated:\n  - title: a\n    kind: PDF\n    items: [{title: b, kind: c}]\n", f"7:5: {GROUP.format('kind')}"),
        ("body: x\nrelated: [{title: a, date: May, items: [{title: b}]}]\n", f"5:22: {GROUP.format('date')}"),
        ("items: [{quote: a, event: {starts: 2026-12-20}}]\n", f"4:27: event: {NO_TITLE}"),
        ("items: [{title: '', quote: a, job: {place: b}}]\n", f"4:36: job: {NO_TITLE}"),
        ("kicker: a\n", "1:1: the issue has no content; write items, sections or a body"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong: Wrong, head: str, text: str, message: str) -> None:
    assert wrong(head + text) == [f"{NAME}:{message}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items:\n  - title: 'Sponsor: Acme'\n", f"5:5: warning: {AS_AN_ADVERTISEMENT}"),
        ("call_to_action:\n  label: Go\nbody: x\n", f"5:3: warning: {CALL_WITHOUT_URL}"),
    ],
)
def test_what_is_doubtful_is_a_warning(load: Load, head: str, text: str, message: str) -> None:
    assert [str(each) for each in load(head + text).findings] == [f"{NAME}:{message}"]


@pytest.mark.parametrize(
    "text",
    [
        "items:\n  - {title: 'Sponsor: Acme', sponsored: yes}\n  - {title: 'Advert: how it began', sponsored: no}\n",
        "items:\n  - {title: a, label: b, url: 'https://e.test/', lead: yes}\n",
        "items:\n  - {title: a, label: b, event: {starts: 2026-12-20, url: 'https://e.test/'}}\n",
        "items:\n  - {title: a, label: b, job: {url: 'https://e.test/'}}\n",
        "call_to_action: {label: Go, url: 'https://e.test/'}\nbody: x\n",
        "call_to_action: {text: Words alone.}\nbody: x\n",
        "call_to_action: {condition: For all.}\nbody: x\n",
        "call_to_action: {links: [{text: Terms, url: 'https://e.test/'}]}\nbody: x\n",
        "sections:\n  - {title: a, intro: b}\n  - {title: c, image: {src: 'https://e.test/a.png', alt: a}}\n",
        "column: {body: Alone.}\n",
    ],
)
def test_what_fits_is_passed_over(load: Load, head: str, text: str) -> None:
    assert load(head + text).findings == ()


def test_a_lead_in_a_brief_is_of_no_use(write: Write, settings: Settings, head: str) -> None:
    path = write(NAME, f"{head}items:\n  - {{title: a, lead: yes}}\n")
    edition = settings.editions["morning"].model_copy(update={"layout": "brief"})
    brief = settings.model_copy(update={"editions": {**settings.editions, "morning": edition}})
    _, problems = examine_issue(path, brief)
    assert [str(each) for each in problems] == [
        f"{NAME}:5:16: warning: the layout brief has no lead, because its items all look alike; remove lead:"
    ]


def test_a_problem_in_an_included_file_is_told_there(wrong: Wrong, write: Write, head: str) -> None:
    write("issues/more.yaml", "- title: x\n- title: b\n  lead: yes\n- title: c\n  label: d\n")
    write("issues/part.yaml", "title: e\n")
    text = f"{head}sections:\n  - title: a\n    items:\n      - {{title: a, lead: yes}}\n      - include: more.yaml\n  - include: part.yaml\n"
    assert wrong(text) == [
        "issues/more.yaml:3:3: an issue has one lead at most; remove this one",
        f"issues/more.yaml:5:3: {NO_LINK}",
        f"issues/part.yaml:1:1: {EMPTY}",
    ]


def test_nothing_is_missed_where_something_could_not_be_read(
    write: Write, settings: Settings, head: str
) -> None:
    path = write(NAME, f"{head}sections:\n  - {{title: a, body: [b}}\n")
    _, problems = examine_issue(path, settings)
    assert not any("empty" in str(each) for each in problems)


@pytest.mark.parametrize(
    ("title", "language", "is_missing"),
    [
        ({"en": "No. {number}", "zh": "早报"}, "en", True),
        ({"en": "No. {number}", "zh": "早报"}, "zh", False),
        ({"zh": "早报", "en": "No. {number}"}, "en", True),
        ({"zh": "早报", "en": "No. {number}"}, "zh", False),
    ],
)
def test_a_number_is_missed_where_the_title_in_the_language_of_the_issue_has_one(
    workspace: Path, write: Write, title: dict[str, str], language: str, is_missing: bool
) -> None:
    table = ", ".join(f'{key} = "{text}"' for key, text in title.items())
    config = (workspace / "mailer.toml").read_text("utf-8")
    config = re.sub(r"(\[editions\.morning\]\n)(?:title = .*\n)?", rf"\1title = {{{table}}}\n", config)
    (workspace / "mailer.toml").write_text(config, "utf-8")
    path = write(NAME, f"edition: morning\ndate: 2026-11-21\nlanguage: {language}\nbody: x\n")
    problems = examine_issue(path, load_settings(workspace))[1]
    assert any("has {number}" in each.message for each in problems) == is_missing

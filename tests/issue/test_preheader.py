"""A preheader that is made is long enough, of finished words, and for everybody."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.issue.texts.preheader import ENOUGH, preheader_filler
from mailer.issue.values.display_width import cut_to_columns, display_columns
from tests.issue.conftest import Load

TEXT = """\
intro: |
  # Today

  **Fog** over [the quay](https://example.org/quay)[^1], `ferry`
  late. ![A gull](https://example.org/gull.png "Its caption")

  | Boat | Seats |
  |---|---|
  | Gull | ~~80~~ 60 |

  ```
  code = 1
  ```

  [^1]: A note on fog.
"""


def test_headlines_come_first_then_sections_then_texts(load: Load, head: str) -> None:
    issue = load(
        head
        + TEXT
        + """\
title: Brief
subject: Brief
sections:
  - title: At sea
    intro: Boats of the week.
    items: [{title: The Gull sails, body: She left at noon., comment: Early.}]
column: {title: Tea, body: Drink it.}
"""
    ).issue
    assert issue.preheader == (
        "The Gull sails · Tea · At sea · Fog over the quay, ferry late. · "
        "Boats of the week. · She left at noon."
    )
    assert display_columns(issue.preheader) >= ENOUGH


def test_marks_tables_code_notes_and_pictures_are_left_out(load: Load, head: str) -> None:
    issue = load(head + "title: Brief\n" + TEXT + "items: [{title: O}]\n").issue
    assert issue.preheader == "Fog over the quay, ferry late. · Today"


def test_lists_and_paragraphs_are_one_line(load: Load, head: str) -> None:
    issue = load(
        head + "title: B\nbody: |\n  Three things\n\n  - one\n  - two.\n  - three\n\n  > four\n"
    ).issue
    assert issue.preheader == "Three things · one · two. three · four"
    chinese = load(head + "title: B\nbody: |\n  渡轮停航。\n\n  码头\n  也关了。\n").issue
    assert chinese.preheader == "渡轮停航。码头也关了。"


def test_what_is_for_some_alone_is_never_told(load: Load, head: str) -> None:
    hidden = "only: '\"vip\" in tags'"
    issue = load(
        head
        + f"""\
title: Brief
sections:
  - title: Hidden one
    {hidden}
    intro: Hidden two.
    items: [{{title: Hidden three, body: Hidden four.}}]
  - title: Open
    items:
      - {{title: Shown, body: Seen.}}
      - {{title: Hidden five, body: Hidden six., comment: Hidden seven., {hidden}}}
"""
    ).issue
    assert issue.preheader == "Open · Seen."
    assert "Hidden" not in issue.subject + issue.preheader


def test_texts_in_the_language_of_the_issue_come_first(load: Load, head: str) -> None:
    issue = load(
        head + "title: Brief\nsubject: Brief\nitems:\n- {title: Fog, body: 大雾。, language: zh}\n"
        "- {title: Rain, body: It rains.}\ncolumn: {title: Tea, body: 茶。, language: zh}\n"
    ).issue
    assert issue.preheader == "Fog · Rain · Tea · It rains. · 大雾。 · 茶。"


def test_words_that_the_subject_tells_are_not_said_again(load: Load, head: str) -> None:
    issue = load(
        head + "title: Brief\nsubject: 'Tea: the year of the harbour tea'\n"
        "items: [{title: the year of the harbour tea}, {title: Tea}, {title: a}]\nintro: Hello.\n"
    ).issue
    assert issue.preheader == "a · Hello."


def test_a_preheader_of_the_editor_is_kept(load: Load, head: str) -> None:
    issue = load(
        head + "title: Brief\npreheader: Fog **today**\nitems: [{title: A long headline of it}]\n"
    ).issue
    assert issue.preheader == "Fog **today**"


def test_one_long_word_does_not_make_a_preheader_short(load: Load, head: str) -> None:
    issue = load(head + "title: Brief\nsubject: S\nitems: [{title: Fog}, {title: " + "a" * 300 + "}]\n").issue
    assert display_columns(issue.preheader) == 180
    assert cut_to_columns("fog " + "a" * 300, 100) == "fog…"


@pytest.mark.parametrize(
    ("preheader", "blanks"),
    [
        ("x" * 90, 0),
        ("港" * 45, 0),
        ("x" * 80, 10),
        ("港" * 40, 10),
        ("x", 75),
        ('{{ subscriber.name or "you" }}', 75),
    ],
)
def test_blanks_stand_behind_a_short_preheader(preheader: str, blanks: int) -> None:
    made = preheader_filler(preheader)
    assert made.count("\u00a0") == blanks
    assert len(made.encode()) <= 300
    assert not made.strip("\u034f\u00a0")


@settings(deadline=None)
@given(st.lists(st.text("ab 渡轮가*_`[](){}|#\\", min_size=1, max_size=60), min_size=1, max_size=6))
def test_no_preheader_is_continued_by_the_masthead(texts: list[str]) -> None:
    line = cut_to_columns(" ".join(texts), 180, ENOUGH)
    assert display_columns(line) <= 180
    assert display_columns(line) >= min(ENOUGH, display_columns(" ".join(" ".join(texts).split())))


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", False),
        ("    intro: Words.\n", True),
        ("    body: Words.\n", True),
        ("    image: {src: 'https://e.test/a.png', alt: A}\n", True),
        ('    only: language == "fr"\n    body: Words.\n', False),
    ],
)
def test_a_section_that_some_readers_do_not_see_is_not_told(
    load: Load, head: str, section: str, told: bool
) -> None:
    text = "sections:\n  - title: Members\n    items: [{title: a, only: '\"vip\" in tags'}]\n"
    issue = load(head + text + section + "  - {title: Open, items: [{title: b}]}\n").issue
    assert ("Members" in issue.preheader) == told
    assert "Open" in issue.preheader

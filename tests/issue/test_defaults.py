"""What an editor leaves out is made of the headlines, and fits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.config import load_settings
from mailer.errors import IssueError
from mailer.issue.defaults import SUBJECT_COLUMNS, _default_subject
from mailer.issue.load import load_issue
from mailer.issue.values.display_width import cut_to_columns, display_columns
from tests.issue.conftest import NAME, Load

Write = Callable[[str, str | bytes], Path]


def test_a_title_is_the_editions_pattern_in_the_issues_language(load: Load) -> None:
    text = "edition: morning\ndate: 2026-11-21\nbody: x\n"
    assert load(text).issue.language == "zh"
    assert load(text).issue.title == "Morning Brief, 2026年11月21日"
    assert load(text + "language: en\n").issue.title == "Morning Brief, November 21, 2026"
    assert load(text.replace("morning", "evening")).issue.language == "en"


def test_a_pattern_may_use_the_publication_and_the_weekday(workspace: Path, write: Write) -> None:
    config = workspace / "mailer.toml"
    pattern = 'title = "{publication} · {edition} · {weekday}"\nlayout = "morning"'
    config.write_text(config.read_text("utf-8").replace('layout = "morning"', pattern), "utf-8")
    path = write(NAME, "edition: morning\ndate: 2026-11-21\nbody: x\n")
    assert load_issue(path, load_settings(workspace)).issue.title == "Harbour Brief · Morning Brief · 星期六"


def test_a_pattern_with_a_number_needs_the_number_of_the_issue(workspace: Path, write: Write) -> None:
    config = workspace / "mailer.toml"
    pattern = 'title = "{edition} {number}"\nlayout = "morning"'
    config.write_text(config.read_text("utf-8").replace('layout = "morning"', pattern), "utf-8")
    settings = load_settings(workspace)
    text = "edition: morning\ndate: 2026-11-21\nbody: x\n"
    assert load_issue(write(NAME, text + "number: 528\n"), settings).issue.title == "Morning Brief 528"
    assert load_issue(write(NAME, text + "title: Mine\n"), settings).issue.title == "Mine"
    with pytest.raises(IssueError, match=r"has \{number\}, and the issue has none; add number:"):
        load_issue(write(NAME, text), settings)


def items(*titles: str) -> str:
    return "items:\n" + "".join(f"  - title: {title}\n" for title in titles)


def test_a_subject_is_the_title_and_the_headlines_that_fit(load: Load, head: str) -> None:
    issue = load(head + "title: Brief\n" + items("Cranes stand still", "Rules change", "Tea is back")).issue
    assert issue.subject == "Brief: Cranes stand still; Rules change; Tea is back"
    long = load(
        head
        + "title: Brief\n"
        + items("Cranes stand still", "Rules for cross-border payments change", "Tea is back")
    ).issue
    assert long.subject == "Brief: Cranes stand still; Rules for cross-border payments change"
    cut = load(
        head
        + "title: Brief\n"
        + items("Cranes stand still", "Rules for cross-border payments of small shops change")
    ).issue
    assert cut.subject == "Brief: Cranes stand still; Rules for cross-border payments of small…"


def test_a_chinese_subject_has_chinese_marks(load: Load) -> None:
    text = "edition: morning\ndate: 2026-11-21\ntitle: 早报\n" + items(
        "跨境支付新规今日生效", "港口吞吐量创新高，出口企业迎来重大的政策利好消息", "茶叶价格回落"
    )
    subject = load(text).issue.subject
    assert subject == "早报：跨境支付新规今日生效；港口吞吐量创新高，出口企业迎来重大的政策…"
    assert display_columns(subject) <= 70


def test_a_subject_never_tells_what_is_for_some_alone(load: Load, head: str) -> None:
    issue = load(
        head
        + """\
title: Brief
sections:
  - title: A
    only: language == "zh"
    items: [{title: Hidden one}]
  - title: B
    items:
      - {title: Hidden two, only: '"vip" in tags'}
      - {title: Open}
column: {title: Tea, body: Drink it.}
"""
    ).issue
    assert issue.subject == "Brief: Open; Tea"
    assert "Hidden" not in issue.preheader


def test_a_long_title_is_cut_in_the_subject_alone(load: Load, head: str) -> None:
    title = "word " * 30
    issue = load(f"{head}title: {title}\n" + items("A")).issue
    assert issue.title == title.strip()
    assert display_columns(issue.subject) <= 70
    assert issue.subject.endswith("word…")


def test_a_preheader_tells_the_headlines_that_the_subject_did_not(load: Load, head: str) -> None:
    titles = [f"Headline number {number} of this morning" for number in range(1, 11)]
    issue = load(head + "title: Brief\n" + items(*titles)).issue
    assert issue.subject == "Brief: Headline number 1 of this morning; Headline number 2 of this…"
    assert issue.preheader.startswith(
        "Headline number 2 of this morning · Headline number 3 of this morning · "
    )
    assert 140 < display_columns(issue.preheader) <= 180
    assert issue.preheader.endswith("…")


def test_few_headlines_are_followed_by_the_first_words(load: Load, head: str) -> None:
    issue = load(
        head
        + "title: Brief\nintro: |\n  # Hello\n\n  **Good** morning,\n  [reader](https://example.org/).\n"
        + items("A")
    ).issue
    assert issue.preheader == "Good morning, reader. · Hello"
    feature = load(
        head + "title: Long read\nbody: |\n  ![a](https://example.org/a.png)\n\n  It was a `quiet` day.\n"
    ).issue
    assert feature.subject == "Long read"
    assert feature.preheader == "It was a quiet day."


def test_a_preheader_is_never_empty(load: Load, head: str) -> None:
    assert load(head + "title: Brief\n" + items("A")).issue.preheader == "A"
    assert load(head + "title: Brief\nbody: '---'\n").issue.preheader == "Brief"


def test_a_slot_in_a_headline_is_kept_or_left_out_whole(load: Load, head: str) -> None:
    title = "'Dear {{ subscriber.name or \"friend of the harbour\" }}, the cranes stand still this morning'"
    issue = load(head + "title: Brief\n" + items("Short one", title)).issue
    assert (
        issue.subject
        == 'Brief: Short one; Dear {{ subscriber.name or "friend of the harbour" }}, the cranes stand still…'
    )
    assert display_columns(issue.subject) <= 70


def test_a_slot_of_an_attribute_with_a_space_in_its_name_is_kept(load: Load, head: str) -> None:
    slot = '{{ subscriber.attributes["home port"] or "the harbour" }}'
    issue = load(
        f"{head}title: T\nintro: Fog over {slot} today.\nitems: [{{title: 'Late in {slot}'}}]\n"
    ).issue
    assert issue.subject == f"T: Late in {slot}"
    assert f"Fog over {slot} today." in issue.preheader


@pytest.mark.parametrize("language", ["en", "zh", "zh-Hant", "ja", "de", "ar"])
def test_every_language_has_a_date(load: Load, language: str) -> None:
    issue = load(f"edition: morning\ndate: 2026-11-21\nbody: x\nlanguage: {language}\n").issue
    assert issue.title.startswith("Morning Brief, ")


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "T: a; b"),
        ("zh-TW", "T：a；b"),
        ("ja", "T：a；b"),
        ("ar", "T: a؛ b"),
        ("he", "T: a; b"),
        ("ku-Arab", "T: a؛ b"),
    ],
)
def test_headlines_are_joined_as_the_script_joins_them(load: Load, language: str, subject: str) -> None:
    text = f"edition: morning\ndate: 2026-11-23\nlanguage: {language}\ntitle: T\n"
    assert load(text + "items: [{title: a}, {title: b}]\n").issue.subject == subject


def test_a_title_has_the_names_and_the_pattern_of_its_language(workspace: Path, write: Write) -> None:
    config = workspace / "mailer.toml"
    text = config.read_text("utf-8")
    text = text.replace('name = "Harbour Brief"', 'name = {zh = "港口早报", en = "Harbour Brief"}', 1)
    text = text.replace(
        'name = "Morning Brief"',
        'name = {zh = "晨间快讯", en = "Morning"}\n'
        'title = {zh = "{publication}·{edition}（{date}）", en = "{publication}, {edition}, {date}"}',
    )
    config.write_text(text, "utf-8")
    issue = "edition: morning\ndate: 2026-11-21\nbody: x\n"
    settings = load_settings(workspace)
    assert load_issue(write(NAME, issue), settings).issue.title == "港口早报·晨间快讯（2026年11月21日）"
    assert load_issue(write(NAME, issue + "language: en\n"), settings).issue.title == (
        "Harbour Brief, Morning, November 21, 2026"
    )


@pytest.mark.parametrize(
    ("language", "title", "headlines", "subject"),
    [
        ("en", "Brief", ["Storm: ports shut", "Tea is back"], "Brief · Storm: ports shut; Tea is back"),
        ("en", "Brief", ["Tea is back", "Storm: ports shut"], "Brief · Tea is back; Storm: ports shut"),
        ("en", "Brief", ["Storm: ports shut", "Tea: back", "Rules"], "Brief · Storm: ports shut; Rules"),
        ("en", "Brief: Friday", ["Storm: ports shut", "Tea is back"], "Brief: Friday · Tea is back"),
        ("en", "Brief: Friday", ["Storm: ports shut"], "Brief: Friday"),
        ("en", "One: two: three", ["Tea is back"], "One: two: three · Tea is back"),
        ("en", "Brief", ["One: two: three", "Tea is back"], "Brief: Tea is back"),
        ("en", "Brief", ["Gates open at 17:00", "See https://example.org"],
         "Brief: Gates open at 17:00; See https://example.org"),
        ("zh", "早报", ["苏伊士：通行费上调", "延至 4:00"], "早报｜苏伊士：通行费上调；延至 4:00"),
        ("zh", "早报：周五", ["苏伊士：通行费上调", "茶叶回落"], "早报：周五｜茶叶回落"),
        ("zh", "早报", ["查验窗口17：00开放"], "早报：查验窗口17：00开放"),
        ("ar", "موجز", ["عاصفة: الموانئ مغلقة", "الشاي"], "موجز – عاصفة: الموانئ مغلقة؛ الشاي"),
        ("ar", "موجز", ["يفتح في ١٧:٠٠", "الشاي"], "موجز: يفتح في ١٧:٠٠؛ الشاي"),
    ],
)  # fmt: skip
def test_a_subject_has_one_colon_at_most(
    load: Load, language: str, title: str, headlines: list[str], subject: str
) -> None:
    quoted = "".join(f"  - title: {json.dumps(headline)}\n" for headline in headlines)
    text = f"edition: morning\ndate: 2026-11-21\nlanguage: {language}\ntitle: {json.dumps(title)}\nitems:\n"
    assert load(text + quoted).issue.subject == subject


def test_a_colon_that_is_cut_off_is_none() -> None:
    headline = "The quays of the northern basin are shut for the whole of the next week: storm"
    cut = "The quays of the northern basin are shut for the whole of the…"
    assert _default_subject("Brief", [headline], "en") == f"Brief: {cut}"
    assert _default_subject("A: b", [headline], "en") == f"A: b · {cut}"


PIECES = [
    "Storm",
    "港口",
    "الميناء",
    ": ",
    "：",
    ":",
    "﹕",
    "︓",
    " 17:00 ",
    "https://a.example",
    "1",
    "２",
    "; ",
    "；",
    "؛ ",
    " ",
]
LINES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join) | st.text(max_size=30)
LINES = LINES.map(lambda line: " ".join(line.split())).filter(bool)


@given(title=LINES, headlines=st.lists(LINES, max_size=5), language=st.sampled_from(["en", "zh", "ar", "ja"]))
def test_a_default_subject_adds_no_second_colon(title: str, headlines: list[str], language: str) -> None:
    subject = _default_subject(title, headlines, language)
    shown = cut_to_columns(title, SUBJECT_COLUMNS)
    assert subject.startswith(shown)
    assert len(colons(subject)) <= max(1, len(colons(shown)))
    assert display_columns(subject) <= SUBJECT_COLUMNS
    if headlines and not any(map(colons, [title, *headlines])) and len(subject) > len(shown):
        assert re.match(r": |：", subject[len(shown) :])


def colons(text: str) -> list[str]:
    """Returns the colons of a text, but not those of times and URLs."""
    plain = re.sub(r"[:：﹕︓]//", "", text)
    return re.findall(r"(?<!\d)[:：﹕︓]|[:：﹕︓](?!\d)", plain)

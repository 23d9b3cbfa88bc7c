"""Lists whose entries have a line of text each: light in a mail, with the same look as other lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.sent_html import Element, elements

#: What is weighed: a list of so many links.
LINKS = 100
#: The most bytes of an entry beside its own words and address.
MARKUP = 210
READER = {
    "subscriber.email": "lin@example.org",
    "links.unsubscribe": "https://news.example.org/u/one.two",
    "links.preferences": "https://news.example.org/p/one.two",
}


def rendition(workspace: Path, settings: Settings, keys: str, language: str = "en") -> Rendition:
    path = workspace / "issues/list.yaml"
    path.write_text(f"edition: evening\ndate: 2026-11-21\nlanguage: {language}\n{keys}", "utf-8")
    return render_variants(load_issue(path, settings), settings, slug="list", variants=[0])[0]


def mail(workspace: Path, settings: Settings, keys: str, language: str = "en") -> str:
    return rendition(workspace, settings, keys, language).html.fill(READER)


def with_class(page: str, name: str) -> list[Element]:
    return [each for each in elements(page) if name in each.attributes.get("class", "").split()]


def entries(number: int, more: str) -> str:
    lines = "".join(f"  - {{title: t, url: 'https://e.test/', {more}}}\n" for _ in range(number))
    return "style: list\nitems:\n  - {title: a lead, body: words, lead: true}\n" + lines


@pytest.mark.parametrize("more", ["body: b", "byline: a", "body: b, byline: a"])
def test_an_entry_with_a_line_costs_few_bytes(workspace: Path, settings: Settings, more: str) -> None:
    few, many = (len(mail(workspace, settings, entries(number, more)).encode()) for number in (5, 5 + LINKS))
    assert (many - few) / LINKS <= MARKUP


def test_small_print_is_written_once_for_a_list_in_which_most_have_some(
    workspace: Path, settings: Settings
) -> None:
    rows = "  - {title: t1, body: b1, byline: a1}\n  - {title: t2, body: b2}\n  - {title: t3}\n"
    page = mail(workspace, settings, "style: list\nitems:\n  - {title: l, body: w, lead: true}\n" + rows)
    (table,) = with_class(page, "told")
    assert table.style("font-size") == "14px"
    assert [each.text for each in with_class(page, "t")] == ["t1", "t2", "t3"]
    assert {each.style("font-size") for each in with_class(page, "t")} == {"16px"}
    assert 'class="list' not in page


def test_a_comment_in_such_a_list_keeps_its_look(workspace: Path, settings: Settings) -> None:
    rows = "  - {title: t, body: b, comment: 'One.\n\n\n    Two.'}\n"
    page = mail(workspace, settings, "style: list\nitems:\n  - {title: l, body: w, lead: true}\n" + rows)
    (note,) = with_class(page, "note")
    assert "serif" in note.style("font-family")
    two = next(each for each in elements(page) if each.tag == "p" and each.text == "Two.")
    assert two.style("margin") == "0 0 12px"


def test_a_list_in_which_few_have_small_print_has_the_size_of_text(
    workspace: Path, settings: Settings
) -> None:
    rows = "  - {title: t1, body: b1}\n  - {title: t2}\n  - {title: t3}\n"
    page = mail(workspace, settings, "style: list\nitems:\n  - {title: l, body: w, lead: true}\n" + rows)
    assert 'class="list' in page
    assert 'class="told' not in page


@pytest.mark.parametrize(("language", "broken"), [("zh", False), ("ja", False), ("ko", True), ("en", True)])
def test_a_chinese_list_breaks_as_any_text(
    workspace: Path, settings: Settings, language: str, broken: bool
) -> None:
    keys = "items: [{title: 一, source: 二}, {title: 三}]\n"
    page = mail(workspace, settings, keys, language)
    (table,) = with_class(page, "list")
    classes = table.attributes["class"].split()
    assert "cjk" not in classes
    assert ("bal" in classes) is broken


def test_only_a_korean_list_keeps_words_whole_on_the_web_page(workspace: Path, settings: Settings) -> None:
    page = rendition(workspace, settings, "items: [{title: 一}, {title: 二}]\n", "zh").web
    rules = re.findall(r"\.entry \.name(:lang\(ko\))? \{[^}]*word-break", page)
    assert rules == [":lang(ko)"]


def test_the_contents_of_the_text_part_have_the_comma_of_the_language(
    workspace: Path, settings: Settings
) -> None:
    keys = (
        "contents: true\nsections:\n"
        "  - {title: 甲, items: [{title: 一}, {title: 二}]}\n  - {title: 乙, body: 丙}\n"
    )
    assert "* 甲，2\n  * 乙\n" in rendition(workspace, settings, keys, "zh").text.fill(READER)
    assert "* 甲, 2\n  * 乙\n" in rendition(workspace, settings, keys).text.fill(READER)

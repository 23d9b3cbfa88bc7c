# ruff: noqa: E501 (a table reads better than its folded lines)
"""A last line such as `— Name` under a quotation is its attribution, and no word is changed."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.issue.markdown.document import parse_markdown
from mailer.issue.markdown.parser import markdown_parser
from mailer.render.markdown.html import MarkdownSource, MarkdownText


def shown(text: str) -> MarkdownText:
    def no_picture(*_: object) -> None:
        raise AssertionError("a text without pictures has a picture")

    return MarkdownText(MarkdownSource(parse_markdown(text), no_picture))  # type: ignore[arg-type]


def attributions(text: str) -> list[str]:
    found = re.findall(r'<p class="by">(.*?)</p>', shown(text).html, re.DOTALL)
    return [html.unescape(re.sub("<[^>]*>", "", each)) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> Words.\n>\n> — Ann Lee, harbour master", "— Ann Lee, harbour master"),
        ("> Words.\n> — Ann Lee", "— Ann Lee"),
        ("> Words.  \n> — Ann Lee", "— Ann Lee"),
        ("> Words.\\\n> — Ann Lee", "— Ann Lee"),
        ("> Words.<br>\n> — Ann Lee", "— Ann Lee"),
        ("> Words.<BR/>— Ann Lee", "— Ann Lee"),
        ("> Words.\n>\n> – Ann Lee", "– Ann Lee"),
        ("> Words.\n>\n> -- Ann Lee", "-- Ann Lee"),
        ("> Words.\n>\n> —Ann Lee", "—Ann Lee"),
        ("> Words.\n>\n> — **Ann** [Lee](https://example.org/)", "— Ann Lee"),
        ("> Words.\n>\n> **— Ann**", "— Ann"),
        ("> 有字。\n> ——鲁迅", "——鲁迅"),
        ("> 有字。\n>\n> —— 鲁迅，作家", "—— 鲁迅，作家"),
        ("> 有字。\n>\n> ――夏目漱石", "――夏目漱石"),
        ("> One.\n>\n> Two,\n> three.\n>\n> — Ann", "— Ann"),
        ("> One.\n>\n> — Ann,\n> harbour master", "— Ann,\nharbour master"),
        ("> - a list\n>\n> — Ann", "— Ann"),
        ("- > Words.\n  > — Ann", "— Ann"),
        ("> > Words.\n> > — Ann\n>\n> Other.", "— Ann"),
    ],
)
def test_a_last_line_with_a_dash_is_the_attribution(text: str, expected: str) -> None:
    assert attributions(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Words.\n\n— Ann",
        "> — Ann",
        "> — Ann\n> Lee",
        "> Words.\n> — Ann\n> went home.",
        "> Words.\n>\n> — Ann went\n>\n> home.",
        "> — Hello.\n>\n> — Goodbye.",
        "> — Hello.\n> — Goodbye.",
        "> — One.\n>\n> Two.\n>\n> — Ann",
        "> Words.\n>\n> —",
        "> Words.\n>\n> — …",
        "> Words.\n>\n> --Ann",
        "> Words.\n>\n> --- Ann",
        "> Words.\n>\n> –5 degrees",
        "> Words.\n>\n> - Ann",
        "> Words **bold\n> — Ann** more",
        "> Words.\n>\n> — Ann\n>\n> ```\n> code\n> ```",
        ">",
        "> ## Heading",
    ],
)
def test_other_lines_are_words_of_the_quotation(text: str) -> None:
    assert attributions(text) == []


def test_two_quotations_have_an_attribution_each() -> None:
    text = "> Words.\n> — Ann\n\nBetween.\n\n> Others.\n> > Within.\n> >\n> > — Bob\n>\n> — Cleo\n"
    assert attributions(text) == ["— Ann", "— Bob", "— Cleo"]


def test_the_text_part_shows_it_as_it_was_typed() -> None:
    assert shown("> Words.\n> — Ann").text == "> Words.\n> — Ann"
    assert shown("> Words.\n>\n> — Ann").text == "> Words.\n>\n> — Ann"
    assert shown("> 有字。\n> ——鲁迅").text == "> 有字。\n> ——鲁迅"


def test_a_mistake_in_it_is_told_with_its_line() -> None:
    (finding,) = parse_markdown("Before.\n\n> Words.\n>\n> More\n> — <b>Ann</b>").findings[:1]
    assert finding.line == 5


def test_a_typed_tag_gives_no_class() -> None:
    html = shown('> Words <p class="by">of</p> Ann.\n\n<p class="by">\n\nText').html
    assert 'class="by"' not in html.replace("&quot;", '"').replace("&lt;p", "")
    assert "<p class" not in html


_PIECES = st.sampled_from(
    ["> ", ">", "\n", "\n\n", "— ", "—", "–", " ", "--", "Ann", "鲁迅", "**", "[a](b)", "`c`", "  \n", "- ", "\\\n", "<br>", "# ", "1. ", "> — Ann\n", "> x\n", "_", "{#", "```\n"],
)  # fmt: skip


def words(html_text: str) -> str:
    return "".join(html.unescape(re.sub("<[^>]*>", "", html_text)).split())


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_no_word_is_changed(text: str) -> None:
    parser = markdown_parser()
    plain = parser.renderer.render(parser.parse(text, {}), parser.options, {})
    document = parse_markdown(text)
    marked = parser.renderer.render(document.tokens, parser.options, {})
    assert words(marked) == words(plain)
    assert sum(token.nesting for token in document.tokens) == 0
    assert "".join(shown(text).text.split()).count("Ann") == marked.count("Ann")

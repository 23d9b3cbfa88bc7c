"""What may not stand in the HTML part of a sent mail, for the sake of clients that lack it or mistake it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.sent_html import Declaration, Element, declarations, elements, sheet_declarations, unclosed
from tools.clients.documents import desk_names, documents, fixture_names, sample_names
from tools.clients.simulate import resolve_mso_conditionals

#: A word that no line of a telephone holds.
LONG = re.compile(r"[^\s⺀-鿿＀-￯]{24,}")
OPENED = re.compile(r"<!--\[if [^\]]*\]>(?:<!-->)?")
CLOSED = re.compile(r"(?:<!--)?<!\[endif\]-->")


@pytest.fixture(params=[*sample_names(), *fixture_names(), *desk_names()])
def html(request: pytest.FixtureRequest) -> str:
    return documents()[request.param].mail


def every_declaration(html: str) -> list[Declaration]:
    inline = [each for element in elements(html) for each in element.declarations]
    return inline + sheet_declarations(html)


def test_words_are_broken_by_rules_for_screens_alone(html: str) -> None:
    """`word-break` breaks words in table cells: it stands in @media, or keeps the words of a table whole."""
    for element in elements(html):
        assert element.style("word-break") in ("", "normal"), element.attributes
    for each in sheet_declarations(html):
        if each.name == "word-break":
            assert each.media, each
            assert each.value.removesuffix("!important").strip() in ("keep-all", "normal"), each


def test_overflow_wrap_stands_on_long_words_alone(html: str) -> None:
    """In style attributes only on code, long words and the reader's address; in sheets only in @media."""
    for element in elements(html):
        if {element.style("overflow-wrap"), element.style("word-wrap")} - {"", "normal"}:
            assert element.within("pre", "code") or LONG.search(element.text) or "@" in element.text
    for each in sheet_declarations(html):
        if each.name in ("overflow-wrap", "word-wrap"):
            assert each.media or re.search(r"\b(?:pre|code)\b", each.where), each


@pytest.mark.parametrize("name", ["opacity", "outline", "max-height"])
def test_a_property_is_not_used(html: str, name: str) -> None:
    found = [each for each in every_declaration(html) if each.name == name]
    assert found[:3] == []


def test_no_margin_is_negative_or_auto(html: str) -> None:
    margins = [each for each in every_declaration(html) if each.name.startswith("margin")]
    assert [each for each in margins if re.search(r"(?:^|\s)-|auto", each.value)][:3] == []


def test_an_anchor_has_an_address(html: str) -> None:
    """A target in the page is an id, or the name of a link: a link without an address looks like one."""
    links = [element for element in elements(html) if element.tag == "a"]
    assert [each.attributes for each in links if not each.attributes.get("href")] == []


def test_heads_of_tables_say_what_they_head(html: str) -> None:
    for element in elements(html):
        if element.tag == "th":
            assert element.attributes.get("scope") in ("col", "row"), element.attributes
            assert element.text.strip(), element.attributes


def test_the_preheader_is_hidden_in_every_client(html: str) -> None:
    """`display:none` hides it, but not in Word: that takes `mso-hide:all`. White on white looks like spam."""
    found = elements(html)
    body = next(index for index, element in enumerate(found) if element.tag == "body")
    hidden = next(element for element in found[body:] if element.style("display") == "none")
    assert len(hidden.text.strip()) > 20
    assert hidden.style("mso-hide") == "all"
    assert hidden.style("color") not in ("#fff", "#ffffff", "white")
    # No text comes before it.
    at = html.index("<body")
    texts = [html.find(f"<{tag}", at) for tag in ("p", "h1", "h2", "td")]
    assert html.index(hidden.text[:20], at) < min(place for place in texts if place > 0)


def conditionals(html: str) -> Iterator[tuple[str, bool]]:
    """The tags of conditional comments in order: (tag, whether it opens)."""
    places = [(match.start(), match[0], True) for match in OPENED.finditer(html)]
    places += [(match.start(), match[0], False) for match in CLOSED.finditer(html)]
    for _, tag, opens in sorted(places):
        yield tag, opens


def test_conditional_comments_are_balanced(html: str) -> None:
    """Each begins and ends before the next, and one that is shown elsewhere than in Word ends so, too."""
    opened = ""
    for tag, opens in conditionals(html):
        assert opens != bool(opened), (opened, tag)
        if not opens:
            assert opened.endswith("<!-->") == tag.startswith("<!--<!"), (opened, tag)
        opened = tag if opens else ""
    assert opened == ""


def test_elements_are_closed_in_word_and_elsewhere(html: str) -> None:
    assert unclosed(html) == []
    assert unclosed(resolve_mso_conditionals(html, 16)) == []


def test_the_reader_of_these_tests_reads_styles() -> None:
    text = (
        "<style>a{color:red} @media screen{.b{margin:0 auto!important}}</style>"
        "<td style=\"font-family:'a;b';max-height:0\"><p>x<br></td>"
    )
    assert [each.name for each in every_declaration(text)] == ["font-family", "max-height", "color", "margin"]
    assert sheet_declarations(text)[1] == Declaration("margin", "0 auto!important", ".b", "@media screen")
    assert list(declarations("", "")) == []
    assert unclosed(text)[0].startswith("</td> in ['td', 'p']")
    outer = Element("td", {}, None)
    assert Element("p", {}, outer).within("td")

"""Footnotes of a text: numbers, places, and what is told of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.issue.markdown.document import Document, parse_markdown, words_of
from mailer.issue.markdown.parser import markdown_parser
from tests.issue.conftest import Load


def html(document: Document) -> str:
    return markdown_parser().renderer.render(document.tokens, markdown_parser().options, {})


def notes(document: Document) -> list[str]:
    """The words of each note."""
    found: list[str] = []
    inside = False
    for token in document.tokens:
        if token.type == "note_open":
            inside = True
            found.append(f"{token.meta['number']}:")
        inside = inside and token.type != "note_close"
        if inside and token.type == "inline":
            found[-1] = f"{found[-1]} {words_of(token.children or ())}".strip()
    return found


def test_notes_are_numbered_as_they_are_read() -> None:
    document = parse_markdown(
        "One[^tide] and two^[in *place*], three[^9], one again[^tide].\n\n"
        "[^9]: Nine leads on[^deep].\n[^deep]: Deep.\n\n"
        "[^tide]: The tide\n    table.\n\n    Its second paragraph.\n"
    )
    assert notes(document) == [
        "1: The tide table. Its second paragraph.",
        "2: in place",
        "3: Nine leads on.",
        "4: Deep.",
    ]
    assert re.findall(r"\[(\d)\]</a></sup>", html(document)) == ["1", "2", "3", "1", "4"]
    assert not document.findings


def test_links_lead_there_and_back() -> None:
    shown = html(parse_markdown("One[^a], again[^a].\n\n[^a]: Note.", None, "items-0-body"))
    assert '<sup><a href="#note-items-0-body-1" id="noted-items-0-body-1">[1]</a></sup>, again' in shown
    assert '<sup><a href="#note-items-0-body-1" id="noted-items-0-body-1-2">[1]</a></sup>.' in shown
    assert '<ol class="footnotes">\n<li id="note-items-0-body-1">\n<p>Note.' in shown
    assert re.findall(r'<a href="(#noted[^"]*)">\u21a9\ufe0e</a>', shown) == [
        "#noted-items-0-body-1",
        "#noted-items-0-body-1-2",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a[^1] |\n|---|\n| b^[c] |\n\n[^1]: x", ["1: x", "2: c"]),
        ("- a[^1]\n\n  [^1]: x\n- b", ["1: x"]),
        ("> a[^1]\n>\n> [^1]: x\n> y", ["1: x y"]),
        ("# A[^1]\n\n[^1]: x", ["1: x"]),
        ("a[^1]\n\n[^1]: - x\n    - y", ["1: x y"]),
        ("a[^1]\n\n[^1]: x[^1]", ["1: x"]),
        ("a^[b^[c]]", ["1: b", "2: c"]),
        ("渡轮[^注]\n停航\n\n[^注]: 大雾", ["1: 大雾"]),
        ("a[^1]\n[^1]: x", ["1: x"]),
        ("`[^1]` and\n\n    [^2]", []),
        ("a[^1]\n\n[^1]:", ["1:"]),
        ("[a^[b]](https://example.org/)", ["1: b"]),
    ],
)
def test_footnotes_work_wherever_text_stands(text: str, expected: list[str]) -> None:
    document = parse_markdown(text)
    assert notes(document) == expected
    assert not document.findings
    assert html(document).count("<a ") == html(document).count("</a>")


def test_a_footnote_is_no_letter_to_a_line_end() -> None:
    assert "渡轮<sup>" in html(parse_markdown("渡轮[^1]\n停航\n\n[^1]: 大雾"))
    assert "</sup>停航" in html(parse_markdown("渡轮[^1]\n停航\n\n[^1]: 大雾"))
    assert "</sup>\nlate" in html(parse_markdown("ferry[^1]\nlate\n\n[^1]: fog"))


def test_a_link_within_a_link_is_left_out() -> None:
    shown = html(parse_markdown("[a^[b]](https://example.org/)"))
    assert shown.startswith('<p><a href="https://example.org/">a<sup>[1]</sup></a></p>')


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a\nb[^2]\n\n[^1]: x", "the footnote [^2] is not defined", 1),
        ("a[^2]\n\nb\n\n[^2]: x\n[^1]: y", "no reference leads to the footnote [^1], so it is left out", 5),
        ("a[^1]\n\n[^1]: x\n\n[^1]: y", "the footnote [^1] is defined twice, and this one is left out", 4),
        ("a\n![b [^1]](https://example.org/a.png)", "a footnote cannot be in the alternative text", 1),
        ("a[^1]\n\n[^1]: x\n    <b>y</b>", "the HTML <b> is left out", 3),
        ("a\nb^[c\n<b>y</b>]", "the HTML <b> is left out", 2),
        ("a[^1]\n\n[^1]: x[^2]", "the footnote [^2] is not defined", 2),
    ],
)
def test_what_is_wrong_is_told_at_its_line(text: str, message: str, line: int) -> None:
    found = parse_markdown(text).findings
    assert [(message in each.message, each.line) for each in found if message in each.message] == [
        (True, line)
    ]


def test_what_is_not_defined_stays_as_it_was_typed() -> None:
    document = parse_markdown("The class [^a-z] and ![b [^1]](https://example.org/a.png)")
    assert words_of(document.tokens[1].children or ()) == "The class [^a-z] and b [^1]"


def test_every_field_of_an_issue_has_ids_of_its_own(load: Load, head: str) -> None:
    loaded = load(
        head + "intro: 'a^[b]'\nitems:\n"
        "- {title: A, body: 'a^[b]', comment: 'a^[b]',\n"
        "   image: {src: 'https://example.org/a.png', alt: x, caption: 'a^[b]'}}\n"
        "- {title: B, body: 'a^[b]'}\nnotice: 'a^[b]'\n"
    )  # fmt: skip
    ids = [found for text in loaded.documents.values() for found in re.findall(r' id="([^"]+)"', html(text))]
    assert len(ids) == len(set(ids)) == 12


@settings(deadline=None)
@given(st.text("ab^[]: \n1-|>`*渡\\!()", max_size=60))
def test_any_text_is_read(text: str) -> None:
    shown = html(parse_markdown(text))
    assert shown.count("<sup>") == shown.count("</sup>")
    targets = re.findall(r'href="#([^"]+)"', shown)
    assert set(targets) <= set(re.findall(r' id="([^"]+)"', shown))

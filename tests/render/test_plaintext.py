"""Markdown as plain text: the marks of blocks stay, code stays as it is, an address stands there once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.render.rendition import Rendition
from mailer.render.text.lines import MARKS
from mailer.render.text.plain import plain_text
from mailer.render.text.plain_inline import inline_text, is_same_address, plain_address
from mailer.render.text.wrap import display_width, wrap

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
Render = Callable[..., Rendition]


def text_of(source: str) -> str:
    """The text, wrapped and without marks."""
    lines = MARKS.sub("", wrap(plain_text(PARSER.parse(source)))).split("\n")
    return "\n".join(line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("cost ~~80~~ 60", "cost ~~80~~ 60"),
        ("a~~b *c*~~d", "a~~b c~~d"),
        ("- > a\n  > b\n\n  c", "• > a b\n\n  c"),
        ("- # a\n- b", "• # a\n\n• b"),
        ("- ```\n  a\n    b\n  ```\n- c", "•\n      a\n        b\n\n• c"),
        ("1. ```\n   a\n   ```", "1.\n       a"),
        ("- | a | b |\n  |---|---|\n  | c | d |", "• a | b\n  --+--\n  c | d"),
        ("- - a\n  - b", "• • a\n  • b"),
        ("- 1. a\n  2. b", "• 1. a\n  2. b"),
        ("- ***\n- a", "• * * *\n\n• a"),
        ("- a\n\n  b", "• a\n\n  b"),
        ("> - a\n>\n>   b", "> • a\n>\n>   b"),
        ("> > a\n>\n> b", "> > a\n>\n> b"),
        ("> # a", "> # a"),
        (">     a\n>\n>      b", ">     a\n>\n>      b"),
        (">", ">"),
        ("9. a\n10. b\n11. c", " 9. a\n10. b\n11. c"),
        ("10. a\n11. b", "10. a\n11. b"),
        ("1) a\n2) b", "1) a\n2) b"),
        ("9. a\n   1. b\n   2. c\n10. d", " 9. a\n    1. b\n    2. c\n10. d"),
        ("# a\n\n### b\n\nc", "# a\n\n### b\n\nc"),
        ("a\nb\n===\n\nc\n---", "# a b\n\n## c"),
        ("#\n\na", "a"),
        ("a\\\nb", "a\nb"),
        ("- a  \n  b", "• a\n  b"),
        ("12\\. a", "12. a"),
        ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
        ("![a *b* \\[c\\]](d.png)", "[a b [c]]"),
        ("[![a](b.png 'c d')](https://e.test/)", "[a] <https://e.test/>"),
    ],
)
def test_blocks_keep_their_marks(source: str, text: str) -> None:
    assert text_of(source) == text


def test_what_looks_like_a_mark_does_not_hang() -> None:
    typed = "one two three four five six seven eight nine ten eleven twelve thirteen"
    assert text_of(f"\\> {typed} {typed}").count("\n>") == 0


CODE = [
    'all:\n\techo   "two  tabs"\n\t\t@if true; then \\\n',
    "a\n\n\n\nb\n",
    "    four\n  two\n",
    "+----+\n| 港 |  x |\n+----+\n",
    "word " * 40 + "\n- no list\n> no quotation\n",
    "https://example.org/a?b=1&c=2 <x>\n# no heading\n",
]
AROUND = ["{}", "- {}", "> {}", "1. a\n2. {}", "> - {}", "- a\n\n  - b\n\n    {}"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("code", CODE)
def test_code_stays_as_it_is_in_the_finished_part(render: Render, code: str, around: str) -> None:
    before = around.rpartition("\n")[2].removesuffix("{}")
    hanging = "".join(each if each in "> " else " " for each in before)
    block = f"```\n{code}```\n".replace("\n", f"\n{hanging}").strip(" ")
    body = around.format(block) + "\n\nbehind"
    rendition = render(
        "items: [{title: One, body: " + json.dumps(body) + "}]",
        **{
            "text/morning.txt": "{% for item in issue.items %}\n{{ item.body | wrap(72, '  | ') }}\n\n"
            "{{ item.body }}\n{% endfor %}\n"
        },
    )
    shown = rendition.text.fill({}).split("\n")
    wanted = [line.rstrip(" \t") for line in code.removesuffix("\n").split("\n")]
    for lead in ("  | ", ""):
        assert any(
            all(
                line == (prefix + each).rstrip(" \t")
                for line, each in zip(shown[at : at + len(wanted)], wanted, strict=True)
            )
            for at in range(len(shown) - len(wanted) + 1)
            for prefix in {shown[at][: len(shown[at]) - len(wanted[0])]}
            if prefix.startswith(lead)
        ), (lead, rendition.text.fill({}))


def test_tables_align_by_display_width() -> None:
    source = "| 港口 | Ships | Share |\n|:--|--:|:-:|\n| 上海港 | 9 | a |\n| Rotterdam | 1,200 | 中间 |"
    assert text_of(source).split("\n") == [
        "港口      | Ships | Share",
        "----------+-------+------",
        "上海港    |     9 |   a",
        "Rotterdam | 1,200 | 中间",
    ]


def test_a_table_that_is_too_wide_keeps_its_words_in_order() -> None:
    long = "a long sentence that takes its room in a cell of the table"
    address = "https://example.org/" + "path/" * 20
    source = f"| A | B |\n|---|---|\n| {long} | {long} 1 |\n| x | <{address}> |\n| | y |"
    lines = text_of(source).split("\n")
    assert lines[:2] == ["A | B", "-" * 40]
    assert " ".join(lines[2:4]).split() == f"{long} | {long} 1".split()
    assert lines[3].startswith("  ")
    assert any(address in line for line in lines)
    assert all(display_width(line) <= 72 or address in line for line in lines)


def test_deeply_nested_texts_keep_within_the_page() -> None:
    words = "some words that are wrapped " * 6
    for mark, deep in (("> ", 18), ("- ", 9), ("10. ", 9), ("- > ", 6)):
        lines = text_of(mark * deep + words).split("\n")
        assert max(map(display_width, lines)) <= 78
        assert "".join(lines).count("wrapped") == 6


def _token(kind: str, nesting: int = 0, **more: object) -> Token:
    token = Token(kind, "", nesting)  # type: ignore[arg-type]
    for name, value in more.items():
        setattr(token, name, value)
    return token


def _inline(*children: Token) -> Sequence[Token]:
    return [
        _token("paragraph_open", 1),
        _token("inline", children=list(children)),
        _token("paragraph_close", -1),
    ]


def test_notes_stand_at_the_end_behind_their_numbers() -> None:
    tokens = [
        *_inline(_token("text", content="Word"), _token("footnote_ref", meta={"number": 1})),
        _token("notes_open", 1),
        _token("note_open", 1, meta={"number": 1}),
        *_inline(_token("text", content="a note " * 12)),
        _token("note_close", -1),
        _token("note_open", 1, meta={"number": 2}),
        *_inline(_token("text", content="two")),
        _token("note_close", -1),
        _token("notes_close", -1),
    ]
    assert wrap(plain_text(tokens)).split("\n") == [
        "Word[1]",
        "",
        "[1] " + ("a note " * 9).strip() + " a",
        "    note a note a note",
        "",
        "[2] two",
    ]


@pytest.mark.parametrize(
    ("tag", "text"),
    [("sub", "H2O"), ("sup", "H2O"), ("kbd", "H2O"), ("small", "H2O"), ("mark", "H2O"), ("x", "H<x>2</x>O")],
)
def test_simple_html_prints_its_words_alone(tag: str, text: str) -> None:
    children = [
        _token("text", content="H"),
        _token("html_inline", content=f"<{tag}>"),
        _token("text", content="2"),
        _token("html_inline", content=f"</{tag}>"),
        _token("text", content="O"),
    ]
    assert inline_text(children) == text


LONG = "https://example.org/" + "very-long-path/" * 8


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<https://example.org/港/口>", "https://example.org/%E6%B8%AF/%E5%8F%A3"),
        ("[https://example.org](https://example.org/)", "https://example.org/"),
        ("[example.org](https://www.example.org/)", "https://www.example.org/"),
        ("[www.example.org/a](https://www.example.org/a)", "https://www.example.org/a"),
        ("[https://例え.jp/道](https://例え.jp/道)", "https://xn--r8jz45g.jp/%E9%81%93"),
        ("[https://e.test/a%20b](https://e.test/a%20b)", "https://e.test/a%20b"),
        ("[x](https://e.test/Ao_(b))", "x <https://e.test/Ao_(b)>"),
        ("[x](https://e.test/?a[]=1&b={y})", "x <https://e.test/?a%5B%5D=1&b=%7By%7D>"),
        ("[x](mailto:a@e.test?subject=b%20c)", "x <mailto:a@e.test?subject=b%20c>"),
        ("[x](mailto:a@e.test)", "x <a@e.test>"),
        ("<a@e.test>", "a@e.test"),
        ("[see https://e.test/ now](https://e.test/)", "see https://e.test/ now"),
        ("(<https://e.test/a>).", "(<https://e.test/a>)."),
        ("见<https://e.test/a>。就是", "见<https://e.test/a>。就是"),
        ("<https://e.test/a>, and", "<https://e.test/a>, and"),
        ("<https://e.test/a> and", "https://e.test/a and"),
        ("[x](https://e.test/)[y](https://f.test/)", "x <https://e.test/>y <https://f.test/>"),
        ("<https://e.test/><https://f.test/>", "<https://e.test/><https://f.test/>"),
        ("[x](#item-2)", "x"),
        ("[](https://e.test/)", "https://e.test/"),
        ("**[x](https://e.test/)**。", "x <https://e.test/>。"),
        ("[`x`](https://e.test/)", "x <https://e.test/>"),
        (f"[x]({LONG})。", f"x\n<{LONG}>。"),
    ],
)
def test_an_address_stands_there_once_and_whole(source: str, text: str) -> None:
    assert text_of(source) == text


def test_an_address_is_that_of_the_html() -> None:
    for typed in ("https://e.test/港?a=b c", "https://e.test/a%20b", "mailto:a@e.test?subject=港 口"):
        href = str(PARSER.parse(f"[x](<{typed}>)")[1].children[0].attrs["href"])  # type: ignore[index]
        assert plain_address(typed) == plain_address(href) == href


@pytest.mark.parametrize(
    ("words", "href", "same"),
    [
        ("e.test/a", "https://e.test/a/", True),
        ("E.test", "http://www.e.test", True),
        ("+1 23", "tel:+123", False),
        ("e.test/b", "https://e.test/a", False),
        ("the paper", "https://e.test/", False),
    ],
)
def test_words_that_are_an_address_are_known(words: str, href: str, same: bool) -> None:
    assert is_same_address(words, href) is same

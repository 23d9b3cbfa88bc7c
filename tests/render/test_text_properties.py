"""What holds for the text part of any Markdown: its words are those typed, lines are short, code is whole."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mailer.render.slots.markers import Markers
from mailer.render.slots.text_part import text_part
from mailer.render.text.lines import MARKS
from mailer.render.text.plain import plain_text
from mailer.render.text.wrap import LIMIT, display_width, wrap

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKERS = Markers("seed")
SLOT = MARKERS.make_marker(("subscriber.name",), "", ("x", 1))

#: Runs of letters and digits; Han and kana are one word each.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_ADDRESS = re.compile(r"<?https?://[!-;=?-~]+>?|<[^<>@\s]+@[^<>\s]+>")

LATIN = st.sampled_from(
    ["harbour", "the", "a", "Ships", "2026", "não", "Zürich", "1,200", "H2O", "extraordinarily"]
)
CJK = st.sampled_from(
    ["港口", "今天的新闻", "コンテナ", "海关，", "“引号”", "——", "（括号）", "한국어", "。"]
)
WORD = st.one_of(LATIN, LATIN, CJK, st.just("العربية"), st.just("👩‍👩‍👧"))
LINK = st.tuples(WORD, st.integers(1, 30)).map(lambda each: f"[{each[0]}](https://e.test/{'p/' * each[1]})")
MARKED = st.tuples(st.sampled_from(["*", "**", "~~", "`"]), WORD).map(
    lambda each: f"{each[0]}{each[1]}{each[0]}"
)
SENTENCE = st.lists(st.one_of(WORD, WORD, WORD, MARKED, LINK), min_size=1, max_size=25).map(" ".join)
CELL = st.lists(WORD, max_size=6).map(" ".join)
CODE_LINE = st.text(st.sampled_from("ab  \t|港>-#.1"), max_size=90)
CODE = st.lists(CODE_LINE, min_size=1, max_size=6)


def indented(block: str, first: str) -> str:
    hanging = "> " if first == "> " else " " * len(first)
    return first + block.replace("\n", "\n" + hanging)


TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=2, max_size=4).map(
        lambda rows: "\n".join(
            "| " + " | ".join(cells) + " |" for cells in [rows[0], [":-:"] * width, *rows[1:]]
        )
    )
)
LEAF = st.one_of(
    SENTENCE,
    SENTENCE,
    SENTENCE.map(lambda text: f"## {text}"),
    st.just("* * *"),
    TABLE,
)
BLOCK = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(
            st.lists(inner, min_size=1, max_size=3).map("\n\n".join), st.sampled_from(["> ", "- ", "9. "])
        ).map(lambda each: indented(*each)),
    ),
    max_leaves=6,
)
TEXT = st.lists(BLOCK, min_size=1, max_size=4).map("\n\n".join)


def shown(source: str) -> str:
    """The finished text part of a Markdown text."""
    return text_part(wrap(plain_text(PARSER.parse(source))), MARKERS).fill({})


def words(text: str) -> list[str]:
    return _WORDS.findall(_ADDRESS.sub(" ", text))


def typed(source: str) -> list[str]:
    """The words of the parsed text, in order; the numbers of lists are marks."""
    found: list[str] = []
    for token in PARSER.parse(source):
        content = token.content
        if token.type == "inline":
            children = token.children or ()
            content = "".join(" " if c.type in ("softbreak", "hardbreak") else c.content for c in children)
        found += words(content)
    return found


_NUMBERS = re.compile(r"^(?:[>• ]|[0-9]+\.(?: |$))*")


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_the_words_are_those_typed_in_order(source: str) -> None:
    lines = [_NUMBERS.sub("", line) for line in shown(source).split("\n")]
    assert words("\n".join(lines)) == typed(source)


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_no_line_is_longer_than_it_may_be(source: str) -> None:
    for line in shown(source).split("\n"):
        rest = _NUMBERS.sub("", line)
        assert display_width(line) <= LIMIT or ("https://" in line and " " not in rest), line


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["> ", "- ", "10. "]), max_size=4), CODE)
def test_code_is_found_verbatim(around: list[str], code: list[str]) -> None:
    block = "\n".join(["~~~~", *code, "~~~~"])
    for mark in around:
        block = indented(block, mark)
    content = next(token.content for token in PARSER.parse(block) if token.type == "fence")
    lines = shown(f"before\n\n{block}\n\nbehind").split("\n")
    found = [line.rstrip() for line in content.removesuffix("\n").split("\n")]
    assert any(
        all(line.endswith(each) for line, each in zip(lines[at:], found, strict=False))
        and len(
            {line[: len(line) - len(each)] for line, each in zip(lines[at:], found, strict=False) if each}
        )
        <= 1
        for at in range(len(lines) - len(found) + 1)
    ), lines


@settings(max_examples=60, deadline=None)
@given(TEXT, st.text(st.sampled_from("ab é名字🚢\u0308 "), max_size=90))
def test_lines_with_slots_are_short_for_any_name(source: str, name: str) -> None:
    part = text_part(wrap(plain_text(PARSER.parse(source.replace("harbour", SLOT)))), MARKERS)
    for line in part.fill({"subscriber.name": name}).split("\n"):
        rest = _NUMBERS.sub("", line)
        assert display_width(line) <= LIMIT or " " not in rest, line


def test_nothing_of_the_marks_is_left() -> None:
    assert MARKS.search(shown("```\n\n\n```\n\n\ufdd0\ufdd3 x")) is None

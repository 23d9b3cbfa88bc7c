from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.render.slots.markers import Markers
from mailer.render.text.lines import MARKS
from mailer.render.text.wrap import display_width, underline, wrap


def test_latin_text_breaks_between_words() -> None:
    assert wrap("the quick brown fox jumps over", 16) == "the quick brown\nfox jumps over"


def test_wide_characters_take_two_columns_and_break_anywhere() -> None:
    assert wrap("今天的新闻几乎都绕着同一个问题", 16) == "今天的新闻几乎都\n绕着同一个问题"


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    assert wrap("今天的新闻几乎都，绕着", 16) == "今天的新闻几乎\n都，绕着"
    assert wrap("今天的新闻几乎（都绕着）", 16) == "今天的新闻几乎\n（都绕着）"
    assert wrap("今天的新闻几乎都。”绕", 16) == "今天的新闻几乎\n都。”绕"


def test_latin_words_within_chinese_stay_whole() -> None:
    assert wrap("今天的新闻Harbour几乎", 16) == "今天的新闻\nHarbour几乎"


def test_addresses_are_never_broken() -> None:
    address = "https://example.org/" + "a-long-path/" * 10
    lines = wrap(f"See ({address}), please, or 见{address}。就是", 40).split("\n")
    assert sum(address in line for line in lines) == 2
    assert f"({address})," in lines


def test_lists_and_quotations_hang() -> None:
    assert wrap("• one two three four five", 16) == "• one two three\n  four five"
    assert wrap("12. one two three four five", 17) == "12. one two three\n    four five"
    assert wrap("> • one two three four", 17) == "> • one two three\n>   four"


def test_indents_stand_before_the_first_and_the_other_lines() -> None:
    assert (
        wrap("one two three four five six", 18, "  | ", first="1. ") == "1. one two three\n  | four five six"
    )


def test_a_slot_counts_as_a_middling_name_and_stays_whole() -> None:
    marker = Markers("x").make_marker(("subscriber.name",), "", ("x", 1))
    assert MARKS.sub("", wrap(f"Dear {marker}, hello", 18)) == f"Dear {marker},\nhello"
    assert display_width(marker) == 12


def test_empty_lines_and_line_ends_stay() -> None:
    assert wrap("one\n\ntwo\n", 20) == "one\n\ntwo\n"
    assert wrap("", 20) == ""


def test_underlining_counts_columns() -> None:
    assert underline("港口 a") == "港口 a\n------"
    assert underline("", "=") == "\n="


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦" * 20, "é" * 100, "\u200b" * 50, "\x00\x1b", "ｱ" * 80])
def test_odd_characters_are_no_trouble(text: str) -> None:
    assert wrap(text, 20).replace("\n", "").replace(" ", "") == text.replace(" ", "")


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Zs", "Zl", "Zp")), max_size=120))
def test_wrapping_loses_and_adds_nothing(text: str) -> None:
    assert "".join(wrap(text, 20).split()) == "".join(text.split())


@pytest.mark.parametrize("word", ["हिन्दी", "ভাষা", "தமிழ்", "ภาษาไทย", "한국어", "العَرَبِيَّة", "naïve"])
def test_no_line_ends_within_a_word(word: str) -> None:
    for number in range(1, 80):
        text = "x" * number + f" {word} {word}"
        assert wrap(text).split() == text.split()


@pytest.mark.parametrize("word", ["『책』을", "한국어(韓國)는", "“눈의”展을", "30%를", "서울市의", "«길»은,"])
def test_a_korean_line_ends_at_spaces_alone(word: str) -> None:
    for width in range(16, 40):
        lines = wrap(f"{'가나 ' * 6}{word} {word} 다라 {word}", width).split("\n")
        assert [each for line in lines for each in line.split() if "가" not in each and "다" not in each] == [
            word
        ] * 3

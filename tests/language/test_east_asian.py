from __future__ import annotations

import pytest

from mailer.language.east_asian import (
    full_stop_after,
    has_east_asian_characters,
    is_east_asian,
    is_unspaced,
    with_title_marks,
)


@pytest.mark.parametrize(
    ("language", "east_asian", "unspaced"),
    [
        ("zh", True, True),
        ("zh-Hant-TW", True, True),
        ("yue", True, True),
        ("ja", True, True),
        ("ko-KR", True, False),
        ("en", False, False),
        ("zha", False, False),  # Zhuang, in Latin letters
        ("kok", False, False),  # Konkani
        ("", False, False),
    ],
)
def test_languages_are_known_by_their_whole_code(language: str, east_asian: bool, unspaced: bool) -> None:
    assert is_east_asian(language) == east_asian
    assert is_unspaced(language) == unspaced


@pytest.mark.parametrize(
    ("text", "answer"), [("Harbour Brief", False), ("موجز", False), ("港口早报", True), ("The 港", True)]
)
def test_names_are_known_by_their_characters(text: str, answer: bool) -> None:
    assert has_east_asian_characters(text) == answer


@pytest.mark.parametrize(
    ("text", "language", "end"),
    [
        ("Cranes rest", "en", "."),
        ("起重机休息", "zh", "。"),
        ("쉬는 크레인", "ko", "."),
        ("Why?", "en", ""),
        ("He said “no.”", "en", ""),
        ("休息。」", "ja", ""),
        ("”", "en", ""),
        ("", "zh", ""),
    ],
)
def test_a_text_ends_with_one_mark(text: str, language: str, end: str) -> None:
    assert full_stop_after(text, language) == end


@pytest.mark.parametrize(
    ("name", "language", "shown"),
    [
        ("港口早报", "zh", "《港口早报》"),
        ("港口早报", "zh-Hant", "《港口早报》"),
        ("《港口早报》", "zh", "《港口早报》"),
        ("Harbour Brief", "zh", "Harbour Brief"),
        ("港口早报", "ja", "港口早报"),
        ("港口早报", "en", "港口早报"),
    ],
)
def test_chinese_sets_marks_around_names(name: str, language: str, shown: str) -> None:
    assert with_title_marks(name, language) == shown

from __future__ import annotations

import datetime as dt

from babel import Locale, localedata
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

import mailer.locale_data  # noqa: F401

DAY = dt.date(2026, 12, 20)
LANGUAGES = ("en", "en_GB", "zh", "zh_Hant", "ja", "ko", "ar", "he", "de", "ru", "nb", "fr", "hi", "sw", "fa")
PATTERNS = ("MMM", "MMMM", "LLL", "LLLL", "EEE", "EEEE", "ccc", "cccc", "MMMMM", "full", "long", "medium")


def dates(language: str) -> list[str]:
    locale = Locale.parse(language)
    return [format_date(DAY, pattern, locale) for pattern in PATTERNS]


def fresh_dates(language: str) -> list[str]:
    localedata._cache.clear()
    return dates(language)


EXPECTED = {language: fresh_dates(language) for language in LANGUAGES}


@given(st.permutations(LANGUAGES))
@settings(max_examples=25, deadline=None)
def test_dates_are_the_same_whatever_language_was_used_before(order: list[str]) -> None:
    localedata._cache.clear()
    assert {language: dates(language) for language in order} == EXPECTED


def test_the_month_of_one_language_is_not_that_of_another() -> None:
    assert EXPECTED["he"][3] == "דצמבר"
    assert EXPECTED["fr"][3] == "décembre"
    assert EXPECTED["ja"][0] == "12月"
    assert EXPECTED["ar"][2] == "ديسمبر"

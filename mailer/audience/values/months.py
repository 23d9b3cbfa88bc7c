"""Recognises the names of months and weekdays in the languages of imported lists (Unicode CLDR)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from babel import Locale

import mailer.locale_data  # noqa: F401 (keeps locales apart)

__all__ = ["month_number", "without_weekday"]

_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
#: Names in use that CLDR does not have.
_MORE = {"sept": 9, "mrz": 3, "maerz": 3}
_FIRST_WORD = re.compile(r"([^\W\d_]+)(?:[.,]+\s*|\s+)(?=\S)")
_CJK_DAY = re.compile(
    r"\s*(?:[(（]?(?:(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일)[)）]?)\s*"
)
_CJK_SHORT = re.compile(r"\s*\([一二三四五六日月火水木金土월화수목금토일]\)\s*")


def month_number(word: str) -> int:
    """Returns the number (1 to 12) of the month with this name, or 0.

    `word` must be in lower case, without a dot.
    """
    return _month_numbers_by_name().get(word, 0)


def without_weekday(text: str) -> str:
    """Returns `text` (in lower case) without a weekday at its beginning.

    Chinese weekdays are removed anywhere.
    """
    match = _FIRST_WORD.match(text)
    if match and match[1] in _weekday_names():
        text = text[match.end() :]
    if text.isascii():
        return text
    return _CJK_SHORT.sub(" ", _CJK_DAY.sub(" ", text)).strip()


@cache
def _month_numbers_by_name() -> dict[str, int]:
    """Returns month numbers by name. Names that mean different months in different languages are left out."""
    found: dict[str, set[int]] = {}
    for kind, number, name in _calendar_names("months"):
        if kind != "narrow":
            found.setdefault(name, set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1} | _MORE


@cache
def _weekday_names() -> frozenset[str]:
    return (
        frozenset(name for kind, _, name in _calendar_names("days") if kind != "narrow")
        - _month_numbers_by_name().keys()
    )


def _calendar_names(locale_attribute: str) -> Iterator[tuple[str, int, str]]:
    for language in _LANGUAGES:
        for kinds in getattr(Locale.parse(language), locale_attribute).values():
            for kind, names in kinds.items():
                for number, name in names.items():
                    yield kind, int(number), name.casefold().rstrip(".")

"""Finds the names of months and weekdays in the languages of imported lists (Unicode CLDR, through Babel)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from babel import Locale

__all__ = ["month_of", "without_weekday"]

_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
#: Names in use that CLDR does not have.
_MORE = {"sept": 9, "mrz": 3, "maerz": 3}
_FIRST_WORD = re.compile(r"([^\W\d_]+)(?:[.,]+\s*|\s+)(?=\S)")
_CJK_DAY = re.compile(
    r"\s*(?:[(（]?(?:(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일)[)）]?)\s*"
)
_CJK_SHORT = re.compile(r"\s*\([一二三四五六日月火水木金土월화수목금토일]\)\s*")


def month_of(word: str) -> int:
    """Returns the number of a month (1 to 12) by its name in lower case without a dot; 0 for no month."""
    return _months().get(word, 0)


def without_weekday(text: str) -> str:
    """Returns `text` (lower case) without a leading weekday; a Chinese weekday is removed anywhere."""
    match = _FIRST_WORD.match(text)
    if match and match[1] in _weekdays():
        text = text[match.end() :]
    if text.isascii():
        return text
    return _CJK_SHORT.sub(" ", _CJK_DAY.sub(" ", text)).strip()


@cache
def _months() -> dict[str, int]:
    """Returns month numbers by name, for names that mean the same month in every language."""
    found: dict[str, set[int]] = {}
    for kind, number, name in _names("months"):
        if kind != "narrow":
            found.setdefault(name, set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1} | _MORE


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(name for kind, _, name in _names("days") if kind != "narrow") - _months().keys()


def _names(what: str) -> Iterator[tuple[str, int, str]]:
    for language in _LANGUAGES:
        for kinds in getattr(Locale.parse(language), what).values():
            for kind, names in kinds.items():
                for number, name in names.items():
                    yield kind, int(number), name.casefold().rstrip(".")

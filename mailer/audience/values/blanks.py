"""Recognises text that means "no value", and removes invisible characters. Pure."""

from __future__ import annotations

import re

__all__ = [
    "strip_invisible",
    "is_database_null",
    "is_missing_value",
    "is_blank",
    "without_invisible",
    "without_direction_marks",
]

#: What databases write for a missing value (MySQL's and PostgreSQL's dumps). In capitals alone, because
#: people are named Null.
_NULLS = frozenset({"\\N", "NULL"})

# Words for "no value" where only a code can stand (a language, a time zone, a date), in small letters.
_NO_VALUE = frozenset(
    (
        *(
            "\\n",
            "null",
            "(null)",
            "nil",
            "none",
            "(none)",
            "n/a",
            "#n/a",
            "nan",
            "undefined",
            "und",
            "unknown",
        ),
        *("(unknown)", "unspecified", "not specified", "not set", "(not set)", "-", "--", "—", "?"),
        *("未知", "不详", "无", "無", "空"),
    )
)

# Format characters, fillers and variation selectors: Unicode's Default_Ignorable_Code_Point, and the blank of
# Braille, which is a letter by its category.
_INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
_VISIBLE = re.compile(rf"[^\s{_INVISIBLE}]")
_ANY_INVISIBLE = re.compile(f"[{_INVISIBLE}]+")
# Removed from both ends of a text. Not what belongs to the letter before it (variation selectors,
# tags of flags), nor Hangul's fillers of a syllable.
_AT_ENDS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\u00a0\u00ad\u061c\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u2061\u2062"
    "\u2063\u2064\u2800\u3000\u3164\ufeff\uffa0"
)
# Marks that turn or isolate the direction of the text after them.
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def is_database_null(text: str) -> bool:
    """Returns whether `text` is how databases write a missing value: `NULL` in capitals, or `\\N`."""
    return text in _NULLS


def strip_invisible(text: str) -> str:
    """Returns `text` without direction marks, and without spaces and invisible characters at both ends."""
    return text.strip() if text.isascii() else _DIRECTION.sub("", text).strip(_AT_ENDS)


def is_missing_value(text: str) -> bool:
    """Returns whether a cell for a language, a time zone or a date says that there is no value.

    True for blank cells, `\\N`, `NULL`, `-`, `unknown`, `N/A` and similar texts, in any case.
    """
    word = text.strip()
    return len(word) <= 20 and (word.casefold() in _NO_VALUE or is_blank(word))


def is_blank(text: str) -> bool:
    """Returns whether `text` is empty, or has only white space and invisible characters."""
    return _VISIBLE.search(text) is None


def without_invisible(text: str) -> str:
    """Returns `text` without invisible characters. White space stays."""
    return text if text.isascii() else _ANY_INVISIBLE.sub("", text)


def without_direction_marks(text: str) -> str:
    """Returns `text` without the invisible characters that change the direction of the text after them."""
    return text if text.isascii() else _DIRECTION.sub("", text)

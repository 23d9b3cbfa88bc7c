"""Splits a segment expression into tokens, each with its column. Leaves their meaning to `grammar`."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailer.audience.values.address import quote
from mailer.errors import Problem, SegmentError

__all__ = ["MAX_LENGTH", "Literals", "Token", "fail", "tokens"]

MAX_LENGTH = 2000

Literals = str | int | float | bool | dt.date

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<date>\d{4}-\d{1,2}-\d{1,2}(?![\w-]))
    |(?P<number>-?\d+(?:\.\d+)?(?![\w.]|-\d))
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>==|!=|<=|>=|<|>|[()\[\],.])""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = ("and", "or", "not", "in")
_HINTS = {
    "=": "write == to compare",
    "&": 'write the word "and"',
    "|": 'write the word "or"',
    "!": 'write != for "is not", or the word "not"',
    "“": 'use straight quotes, as in "zh"',
    "”": 'use straight quotes, as in "zh"',
    "‘": 'use straight quotes, as in "zh"',
    "’": 'use straight quotes, as in "zh"',
    "（": "use plain brackets ( )",
    "）": "use plain brackets ( )",
    '"': "a quote is opened here and not closed",
    "'": "a quote is opened here and not closed",
}


@dataclass(frozen=True, slots=True)
class Token:
    """Is one token of an expression. `kind` is value, name, word (and, or, not, in), sign or end.

    Columns count from 1.
    """

    kind: Literal["value", "name", "word", "sign", "end"]
    text: str
    column: int
    value: Literals = ""


def fail(message: str, column: int) -> SegmentError:
    """Returns an error at a column of the expression."""
    return SegmentError(Problem(message, path="segment", column=column))


def tokens(text: str) -> Iterator[Token]:
    """Returns the tokens of `text`, with an end token. Raises SegmentError."""
    if len(text) > MAX_LENGTH:
        raise fail(
            f"the expression is longer than {MAX_LENGTH:,} characters; make it shorter", MAX_LENGTH + 1
        )
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        column = place + 1
        if not match:
            raise fail(_unknown(text[place:]), column)
        found, place = match.group(), match.end()
        if match.lastgroup == "date":
            yield Token("value", found, column, _date(found, column))
        elif match.lastgroup == "number":
            yield Token("value", found, column, _number(found, column))
        elif match.lastgroup == "string":
            yield Token("value", found, column, _string(found, column))
        elif match.lastgroup == "name":
            yield _word(found, column)
        elif match.lastgroup == "sign":
            yield Token("sign", found, column)
    yield Token("end", "", len(text) + 1)


def _unknown(rest: str) -> str:
    if rest[0].isdigit() or (rest[0] == "-" and rest[1:2].isdigit()):
        piece = re.match(r"[\w.:-]+", rest)
        return (
            f"{quote(piece.group() if piece else rest[0])} is neither a number nor a date such as 2026-01-31"
        )
    hint = _HINTS.get(rest[0])
    return f"{quote(rest[0])} does not belong here" + (f"; {hint}" if hint else "")


def _word(found: str, column: int) -> Token:
    found = unicodedata.normalize("NFC", found)
    lower = found.lower()
    if lower in ("true", "false"):
        return Token("value", found, column, lower == "true")
    return Token("word", lower, column) if lower in _KEYWORDS else Token("name", found, column)


def _date(found: str, column: int) -> dt.date:
    try:
        day = dt.date.fromisoformat(found)
    except ValueError:
        raise fail(f"{found} is not a day of the calendar; write it as 2026-01-31", column) from None
    if not 1900 <= day.year < 9999:
        raise fail(f"{found} is too far away to be meant", column)
    return day


def _number(found: str, column: int) -> int | float:
    if len(found) > 18:
        raise fail(f"{quote(found, 30)} has too many digits; put it in quotes if it is text", column)
    return float(found) if "." in found else int(found)


def _string(found: str, column: int) -> str:
    strange = re.search(r"""\\([^"'\\])""", found.replace("\\\\", ""))
    if strange:
        raise fail(
            f"{quote(strange[0])} means nothing here; a backslash only stands before a quote or itself",
            column,
        )
    value = re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
        raise fail("the text holds a control character; remove it", column)
    return unicodedata.normalize("NFC", value)  # as names and attributes are kept

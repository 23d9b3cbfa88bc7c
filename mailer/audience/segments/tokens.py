"""Splits a segment expression into tokens, each with its column.

The module `grammar` gives the tokens a meaning.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailer.audience.values.address import quote
from mailer.errors import Problem, SegmentError

__all__ = ["MAX_LENGTH", "Literals", "Token", "segment_error", "tokenize"]

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
    """Holds one token of a segment expression.

    `kind` is value, name, word (and, or, not, in), sign or end. Columns count from 1.
    """

    kind: Literal["value", "name", "word", "sign", "end"]
    text: str
    column: int
    value: Literals = ""


def segment_error(message: str, column: int) -> SegmentError:
    """Returns a SegmentError that names a column (from 1) of the expression."""
    return SegmentError(Problem(message, path="segment", column=column))


def tokenize(text: str) -> Iterator[Token]:
    """Yields the tokens of a segment expression, with an end token at the end.

    Raises SegmentError for unknown text.
    """
    if len(text) > MAX_LENGTH:
        raise segment_error(
            f"the expression is longer than {MAX_LENGTH:,} characters; make it shorter", MAX_LENGTH + 1
        )
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        column = place + 1
        if not match:
            raise segment_error(_unknown_text_message(text[place:]), column)
        found, place = match.group(), match.end()
        if match.lastgroup == "date":
            yield Token("value", found, column, _parse_date(found, column))
        elif match.lastgroup == "number":
            yield Token("value", found, column, _parse_number(found, column))
        elif match.lastgroup == "string":
            yield Token("value", found, column, _parse_string(found, column))
        elif match.lastgroup == "name":
            yield _word_token(found, column)
        elif match.lastgroup == "sign":
            yield Token("sign", found, column)
    yield Token("end", "", len(text) + 1)


def _unknown_text_message(text: str) -> str:
    if text[0].isdigit() or (text[0] == "-" and text[1:2].isdigit()):
        piece = re.match(r"[\w.:-]+", text)
        return (
            f"{quote(piece.group() if piece else text[0])} is neither a number nor a date such as "
            "2026-01-31; put text in quotes"
        )
    hint = _HINTS.get(text[0])
    return f"{quote(text[0])} does not belong here; {hint or 'remove it'}"


def _word_token(word: str, column: int) -> Token:
    word = unicodedata.normalize("NFC", word)
    lower = word.lower()
    if lower in ("true", "false"):
        return Token("value", word, column, lower == "true")
    return Token("word", lower, column) if lower in _KEYWORDS else Token("name", word, column)


def _parse_date(text: str, column: int) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise segment_error(f"{text} is not a day of the calendar; write it as 2026-01-31", column) from None
    if not 1900 <= day.year < 9999:
        raise segment_error(f"{text} must be in a year from 1900 to 9998", column)
    return day


def _parse_number(text: str, column: int) -> int | float:
    if len(text) > 18:
        raise segment_error(f"{quote(text, 30)} has too many digits; put it in quotes if it is text", column)
    return float(text) if "." in text else int(text)


def _parse_string(literal: str, column: int) -> str:
    strange = re.search(r"""\\([^"'\\])""", literal.replace("\\\\", ""))
    if strange:
        raise segment_error(
            f"{quote(strange[0])} is not an escape; a backslash can escape only a quote or another backslash",
            column,
        )
    value = re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
        raise segment_error("the text holds a control character; remove it", column)
    return unicodedata.normalize("NFC", value)  # as names and attributes are kept

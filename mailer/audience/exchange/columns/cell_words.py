"""Recognises words in cells: yes and no in many languages, and words for "no value". Pure.

Words are compared without regard to case, character width, `_`, `-`, and quotes and spaces around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mailer.audience.exchange.columns.vocabulary import vocabulary, words_in
from mailer.audience.values.blanks import without_invisible

__all__ = [
    "RANKS",
    "folded_text",
    "is_no",
    "means_no_value",
    "is_number",
    "is_yes",
    "normalized_name",
    "words_of_name",
    "most_excluding_status",
]

#: How strongly a status keeps somebody from being written to. Of several in one row the highest counts.
RANKS = {
    "": 0,
    "active": 1,
    "pending": 2,
    "unsubscribed": 3,
    "bounced": 4,
    "complained": 5,
    "suppressed": 6,
}

_NOTHING = frozenset(vocabulary()["nothing"])
#: Words for yes, and the byte 1, by which databases export a bit.
_YES = words_in(vocabulary()["yes"]) | {"\x01"}
_NO = words_in(vocabulary()["no"]) | {"\x00", "\\0"}
_QUOTES = "\"'“”‘’«»`"
_FILLERS = re.compile(r"[\s_\-\u2010-\u2015]+")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*%?")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_ACCENTED = re.compile("([a-z])[\u0300-\u036f]+")


@lru_cache(maxsize=8192)
def folded_text(text: str) -> str:
    """Returns `text` as words are compared: in lower case, with single spaces, without quotes around it."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))
    return _FILLERS.sub(" ", plain.casefold()).strip().strip(_QUOTES).strip(" .!。")


@lru_cache(maxsize=8192)
def normalized_name(column_name: str) -> str:
    """Returns a column's name as names are compared: lower-case letters and digits without accents."""
    if column_name.isascii():
        return re.sub(r"[\W_]+", "", column_name.casefold())
    plain = unicodedata.normalize("NFKC", without_invisible(column_name)).casefold()
    plain = unicodedata.normalize("NFD", plain)
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", plain)))


@lru_cache(maxsize=4096)
def words_of_name(column_name: str) -> tuple[str, ...]:
    """Returns the words of a column's name in lower case.

    The name is split at capital letters (`OptOut`), spaces, `_`, `-`, digits and punctuation.
    """
    parted = _HUMP.sub(" ", unicodedata.normalize("NFKC", without_invisible(column_name)))
    return tuple(word.casefold() for word in _TOKEN.findall(parted))


def means_no_value(text: str) -> bool:
    """Returns whether a cell means "no value", as programs write that in different ways, such as `N/A`."""
    return not text or text.isspace() or folded_text(text) in _NOTHING


def is_yes(text: str) -> bool:
    """Returns whether a cell means yes."""
    return folded_text(text) in _YES


def is_no(text: str) -> bool:
    """Returns whether a cell means no."""
    return folded_text(text) in _NO


def is_number(text: str) -> bool:
    """Returns whether a cell is a number, or a code of numbers such as `5.1.1`."""
    return _NUMBER.fullmatch(text.strip()) is not None


def most_excluding_status(statuses: Iterable[str]) -> str:
    """Returns the status that excludes a person from mail most firmly, or "" if there is none."""
    return max(statuses, key=RANKS.__getitem__, default="")

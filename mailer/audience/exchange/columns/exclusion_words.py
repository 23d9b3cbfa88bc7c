"""Recognises words that mean leaving, bouncing or complaining, in names of columns and in cells. Pure.

Names are split into words, so `Blockchain` and `Cleaning service` are not recognised. Columns that count
bounces are not recognised either.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from mailer.audience.exchange.columns.cell_words import words_of_name
from mailer.audience.exchange.columns.vocabulary import vocabulary, words_in
from mailer.audience.values.blanks import without_invisible

__all__ = ["exclusion_status", "is_exclusion_file_name", "asks_for_consent"]

_WORDS = vocabulary()["leaving"]
_SPEAKING = {
    status: re.compile("|".join(_WORDS[status].split()))
    for status in ("complained", "bounced", "unsubscribed")
}
_WITHIN = {status: tuple(terms.split()) for status, terms in _WORDS["within"].items()}
_WEAK, _HELPERS = words_in(_WORDS["weak"]), words_in(_WORDS["helpers"])
_BROKEN = words_in(_WORDS["broken"])
_COUNTS, _LINKS = words_in(_WORDS["counts"]), words_in(_WORDS["links"])
_HAN_COUNTS = tuple(_WORDS["han_counts"].split())
_PAIRS = tuple((words_in(firsts), words_in(seconds), status) for firsts, seconds, status in _WORDS["pairs"])
_FILES = {key: words_in(words) for key, words in _WORDS["files"].items()}
_WANTING = {key: words_in(words) for key, words in vocabulary()["wanting"].items()}


@lru_cache(maxsize=4096)
def exclusion_status(text: str) -> str:
    """Returns `unsubscribed`, `bounced` or `complained` if the text means that, else ""."""
    if not text.isascii():
        plain = _without_spaces(text)
        for status, terms in _WITHIN.items():
            if any(term in plain for term in terms):
                counted = status == "bounced" and any(count in plain for count in _HAN_COUNTS)
                return "" if counted else status
    words = words_of_name(_without_accents(text))
    if _LINKS.intersection(words):
        return ""
    counted = bool(_COUNTS.intersection(words)) or "bounces" in words
    for status, pattern in _SPEAKING.items():
        if any(pattern.fullmatch(word) for word in words):
            numbered = status == "bounced" or (status == "complained" and "spam" in words)
            return "" if counted and numbered else status
    paired = _status_of_word_pairs(words)
    if paired:
        return paired
    weak = [word for word in words if word in _WEAK]
    if weak and all(word in _WEAK or word in _HELPERS or word.isdecimal() for word in words):
        return "bounced" if _BROKEN.intersection(weak) else "unsubscribed"
    return ""


@lru_cache(maxsize=4096)
def asks_for_consent(column_name: str) -> bool:
    """Returns whether a column's name asks if a person wants mail, as `Accepts marketing emails` does."""
    if not column_name.isascii():
        plain = _without_spaces(column_name)
        if any(term in plain for term in _WANTING["within"]):
            return not any(term in plain for term in _WANTING["han_beside"])
    words = frozenset(words_of_name(_without_accents(column_name)))
    if words & _WANTING["beside"] or words & _COUNTS or words & _LINKS:
        return False
    return bool(words & _WANTING["words"] or (words & _WANTING["verbs"] and words & _WANTING["things"]))


def is_exclusion_file_name(path: str) -> bool:
    """Returns whether a file's name says that the people in the file have left, as `unsubscribes.csv` does.

    `cleaned.csv` does not say that, because most such files are tidied lists, and `without_bounces.csv` does
    not either.
    """
    name = re.split(r"[\\/]|: ", path)[-1].rpartition(".")[0].removesuffix(".refused")
    words = frozenset(words_of_name(_without_accents(name)))
    listed = words & _FILES["alone"]
    if words & _FILES["tidied"] or any(term in name for term in _FILES["han_tidied"]):
        return False
    alone = bool(listed) and not words - listed - _HELPERS - _FILES["services"]
    return alone or bool(words & _FILES["lists"]) or bool(exclusion_status(name))


def _status_of_word_pairs(words: tuple[str, ...]) -> str:
    """Returns the status that two successive words mean together, such as `opt` and `out`, or ""."""
    found = (
        status
        for first, second in pairwise(words)
        for firsts, seconds, status in _PAIRS
        if first in firsts and second in seconds
    )
    return next(found, "")


def _without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", without_invisible(text)))


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c) != "Mn"))

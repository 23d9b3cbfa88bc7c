"""Which words speak of leaving, bouncing or complaining, in the names of columns and in cells. Pure.

A name is looked at word by word, so that `Blockchain` and `Cleaning service` say nothing. Numbers of bounces
say nothing either.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from mailer.audience.exchange.vocabulary import vocabulary, words_in
from mailer.audience.exchange.words import tokens

__all__ = ["spoken"]

_WORDS = vocabulary()["leaving"]
_SPEAKING = {
    status: re.compile("|".join(_WORDS[status].split()))
    for status in ("complained", "bounced", "unsubscribed")
}
_WITHIN = {status: tuple(terms.split()) for status, terms in _WORDS["within"].items()}
_WEAK, _HELPERS = words_in(_WORDS["weak"]), words_in(_WORDS["helpers"])
_COUNTS, _LINKS = words_in(_WORDS["counts"]), words_in(_WORDS["links"])
_HAN_COUNTS = tuple(_WORDS["han_counts"].split())
_PAIRS = tuple((words_in(firsts), words_in(seconds), status) for firsts, seconds, status in _WORDS["pairs"])


@lru_cache(maxsize=4096)
def spoken(text: str) -> str:
    """`unsubscribed`, `bounced` or `complained` where the words speak of that; "" where they do not."""
    if not text.isascii():
        plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
        for status, terms in _WITHIN.items():
            if any(term in plain for term in terms):
                counted = status == "bounced" and any(count in plain for count in _HAN_COUNTS)
                return "" if counted else status
    words = tokens(_unaccented(text))
    if _LINKS.intersection(words):
        return ""
    counted = bool(_COUNTS.intersection(words)) or "bounces" in words
    for status, pattern in _SPEAKING.items():
        if any(pattern.fullmatch(word) for word in words):
            numbered = status == "bounced" or (status == "complained" and "spam" in words)
            return "" if counted and numbered else status
    paired = _paired(words)
    if paired:
        return paired
    weak = [word for word in words if word in _WEAK]
    if weak and all(word in _WEAK or word in _HELPERS for word in words):
        return (
            "bounced" if {"invalid", "unreachable", "failed", "dead"}.intersection(weak) else "unsubscribed"
        )
    return ""


def _paired(words: tuple[str, ...]) -> str:
    """The status that two words together speak of, such as `opt` and `out`."""
    found = (
        status
        for first, second in pairwise(words)
        for firsts, seconds, status in _PAIRS
        if first in firsts and second in seconds
    )
    return next(found, "")


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c) != "Mn"))

"""Prepares text for messages: suggests known words, replaces control characters, and shortens text."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Sequence

__all__ = [
    "HIDDEN",
    "decoded_argument",
    "joined_names",
    "nearest_word",
    "shortened",
    "without_control_characters",
]

#: Characters that a terminal executes: control characters except tab and line feed, and those that turn the
#: direction of the text around it.
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def without_control_characters(text: str) -> str:
    """Returns `text` with U+FFFD in place of each control character that a terminal would execute."""
    return HIDDEN.sub("\ufffd", text)


def decoded_argument(argument: str) -> str:
    """Returns a command-line argument or an environment variable as UTF-8 text, whatever the locale is.

    Python represents bytes that it cannot decode as surrogates (PEP 383). Raises ValueError if the bytes of
    `argument` are not UTF-8.
    """
    if argument.isascii():
        return argument
    try:
        argument.encode()
    except UnicodeEncodeError:
        return os.fsencode(argument).decode()
    return argument


def nearest_word(word: str, known_words: Iterable[str]) -> str | None:
    """Returns the known word that is most similar to `word`, or None if no known word is similar enough."""
    folded = {name.casefold(): name for name in known_words}
    found = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def joined_names(names: Sequence[str]) -> str:
    """Returns the names as words of a sentence, such as "From, Reply-To and List-Unsubscribe"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shortened(text: str, max_length: int = 80) -> str:
    """Returns `text` on one line, cut to at most `max_length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else line[: max_length - 1] + "…"

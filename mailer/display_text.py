"""Prepares text for people: finds the nearest known word, removes control characters, shortens."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

__all__ = ["HIDDEN", "from_system", "nearest", "shortened", "visible"]

#: Characters that a terminal executes: control characters except tab and line feed, and those that turn the
#: direction of the text around it.
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Returns `text` with U+FFFD in place of every control character, which a terminal would execute."""
    return HIDDEN.sub("\ufffd", text)


def from_system(text: str) -> str:
    """Returns an argument or variable as the UTF-8 text that its bytes are, whatever the locale is.

    Python represents bytes that it cannot decode as surrogates (PEP 383). Raises ValueError where it is not
    UTF-8.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode()
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Returns the known word that is most similar to `word`, or None where none is similar enough."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def shortened(text: str, most: int = 80) -> str:
    """Returns a text for a message: on one line, of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"

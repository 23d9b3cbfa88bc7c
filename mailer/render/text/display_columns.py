"""Measures the width of a text in columns of a fixed-width font, with an estimate for its slots."""

from __future__ import annotations

from functools import lru_cache

from mailer.issue.markdown.placeholders import PLACEHOLDER

__all__ = ["MARKER", "MARKER_COLUMNS", "display_width"]

#: Anything of the shape of a marker (see `markers`). Filters such as `upper` may have changed its case.
MARKER = PLACEHOLDER
#: As how wide a slot counts where text is wrapped: a middling name.
MARKER_COLUMNS = 12
#: No shorter text holds a marker.
_SHORTEST_MARKER = len("slot" + 24 * "0" + "x0z")


def display_width(text: str) -> int:
    """Returns the number of columns that a text takes; a wide character takes two.

    A marker of a slot counts as MARKER_COLUMNS, the length of an average name.
    """
    plain, slots = text, 0
    if len(text) >= _SHORTEST_MARKER and "slot" in text.lower():
        plain, slots = MARKER.subn("", text)
    if plain.isascii():
        return len(plain) + slots * MARKER_COLUMNS
    return (_character_columns(plain) if len(plain) == 1 else _count_columns(plain)) + slots * MARKER_COLUMNS


def _count_columns(text: str) -> int:
    from wcwidth import wcswidth

    width = wcswidth(text)
    return width if width >= 0 else len(text)


#: Texts are wrapped character by character, and most have few different ones.
_character_columns = lru_cache(maxsize=4096)(_count_columns)

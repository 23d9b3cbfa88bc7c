"""Measures the width of a text in columns of a fixed-width font, with an estimate for its slots."""

from __future__ import annotations

from mailer.issue.markdown.placeholders import PLACEHOLDER

__all__ = ["MARKER", "MARKER_COLUMNS", "display_width"]

#: Anything of the shape of a marker (see `markers`). Filters such as `upper` may have changed its case.
MARKER = PLACEHOLDER
#: As how wide a slot counts where text is wrapped: a middling name.
MARKER_COLUMNS = 12


def display_width(text: str) -> int:
    """Returns the number of columns that a text takes; a wide character takes two.

    A marker of a slot counts as MARKER_COLUMNS, the length of an average name.
    """
    plain, slots = MARKER.subn("", text) if "slot" in text.lower() else (text, 0)
    if plain.isascii():
        return len(plain) + slots * MARKER_COLUMNS
    from wcwidth import wcswidth

    width = wcswidth(plain)
    return (width if width >= 0 else len(plain)) + slots * MARKER_COLUMNS

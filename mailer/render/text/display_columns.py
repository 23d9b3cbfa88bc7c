"""Measures the width of a text in columns of a terminal, slots included."""

from __future__ import annotations

from mailer.issue.markdown.placeholders import PLACEHOLDER

__all__ = ["MARKER", "MARKER_COLUMNS", "columns"]

#: Anything of the shape of a marker (see `markers`). Filters such as `upper` may have changed its case.
MARKER = PLACEHOLDER
#: As how wide a slot counts where text is wrapped: a middling name.
MARKER_COLUMNS = 12


def columns(text: str) -> int:
    """Returns the number of columns that a text takes. A slot counts as a name of average length."""
    plain, slots = MARKER.subn("", text) if "slot" in text.lower() else (text, 0)
    if plain.isascii():
        return len(plain) + slots * MARKER_COLUMNS
    from wcwidth import wcswidth

    width = wcswidth(plain)
    return (width if width >= 0 else len(plain)) + slots * MARKER_COLUMNS

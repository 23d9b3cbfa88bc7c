"""How wide a text is on a terminal, and what a marker of a slot looks like there."""

from __future__ import annotations

from mailer.issue.markdown.placeholders import PLACEHOLDER

__all__ = ["MARKER", "MARKER_COLUMNS", "columns"]

#: Anything of the shape of a marker (see `markers`). Filters such as `upper` may have changed its case.
MARKER = PLACEHOLDER
#: As how wide a slot counts where text is wrapped: a middling name.
MARKER_COLUMNS = 12


def columns(text: str) -> int:
    """How many columns of a terminal a text takes. A slot counts as a middling name."""
    plain, slots = MARKER.subn("", text) if "slot" in text.lower() else (text, 0)
    if plain.isascii():
        return len(plain) + slots * MARKER_COLUMNS
    from wcwidth import wcswidth

    width = wcswidth(plain)
    return (width if width >= 0 else len(plain)) + slots * MARKER_COLUMNS

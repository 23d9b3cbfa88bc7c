"""Isolates names in a text of the other writing direction, where they need it (Unicode's UAX 9)."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

__all__ = ["affects_direction", "isolated"]

#: Letters that are written from right to left.
_RIGHT_TO_LEFT_LETTER = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def affects_direction(text: str, direction: str) -> bool:
    """Returns whether a name can change the direction of the text beside it, or be changed by that text."""
    return direction == "rtl" or _RIGHT_TO_LEFT_LETTER.search(text) is not None


def isolated(text: str, direction: str) -> str:
    """Returns a name for a page of this direction, in a `<bdi>` of its own where it needs one."""
    return Markup(f"<bdi>{escape(text)}</bdi>") if affects_direction(text, direction) else text  # noqa: S704

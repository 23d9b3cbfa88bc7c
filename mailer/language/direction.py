"""Isolates names from a text in the other writing direction (Unicode UAX 9)."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

__all__ = ["affects_direction", "isolated_name"]

#: Letters that are written from right to left.
_RIGHT_TO_LEFT_LETTER = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def affects_direction(name: str, page_direction: str) -> bool:
    """Returns whether a name can disturb the direction of the text beside it, or be disturbed by that text.

    `page_direction` is `ltr` or `rtl`.
    """
    return page_direction == "rtl" or _RIGHT_TO_LEFT_LETTER.search(name) is not None


def isolated_name(name: str, page_direction: str) -> str:
    """Returns a name for a page, in a `<bdi>` element if name and page can disturb each other's direction.

    `page_direction` is `ltr` or `rtl`.
    """
    return Markup(f"<bdi>{escape(name)}</bdi>") if affects_direction(name, page_direction) else name  # noqa: S704

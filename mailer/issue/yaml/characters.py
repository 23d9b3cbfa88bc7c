"""Splits texts into lines, and replaces the characters that end a line in YAML but not in editors."""

from __future__ import annotations

import re

from mailer.issue.yaml.faults import TextFault, described_character

__all__ = ["INVISIBLE", "without_unicode_line_ends", "lines_and_line_ends"]

#: White space and characters without width that look like nothing, or like a space, and are not one.
INVISIBLE = re.compile("[\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff]")
_SEPARATORS = re.compile("[\u0085\u2028\u2029]")
_BREAK = re.compile(r"(\r\n|\r|\n)")


def lines_and_line_ends(text: str) -> tuple[list[str], list[str]]:
    """Returns the lines as an editor counts them, and the line end after each ("" after the last)."""
    parts = [*_BREAK.split(text), ""]
    return parts[::2], parts[1::2]


def without_unicode_line_ends(text: str, faults: list[TextFault]) -> str:
    """Returns the text with a space for each character that ends a line only in YAML, such as U+2028.

    The length stays the same. Adds a fault to `faults` for each replaced character.
    """
    if not _SEPARATORS.search(text):
        return text
    for number, line in enumerate(lines_and_line_ends(text)[0], 1):
        for found in _SEPARATORS.finditer(line):
            advice = "which editors do not show; delete it, or end the line there"
            faults.append(
                TextFault(number, found.start() + 1, f"holds {described_character(found[0])}, {advice}")
            )
    return _SEPARATORS.sub(" ", text)

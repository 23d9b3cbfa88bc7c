"""Handles characters that end a line for YAML and for no editor."""

from __future__ import annotations

import re

from mailer.issue.yaml.faults import Fault, shown_character

__all__ = ["INVISIBLE", "without_separators", "lines_of"]

#: White space and characters without width that look like nothing, or like a space, and are not one.
INVISIBLE = re.compile("[\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff]")
_SEPARATORS = re.compile("[\u0085\u2028\u2029]")
_BREAK = re.compile(r"(\r\n|\r|\n)")


def lines_of(text: str) -> tuple[list[str], list[str]]:
    """Returns the lines as an editor counts them, and the line end after each (empty after the last)."""
    parts = [*_BREAK.split(text), ""]
    return parts[::2], parts[1::2]


def without_separators(text: str, faults: list[Fault]) -> str:
    """Returns the text, of the same length, with a space for each line end that only YAML knows."""
    if not _SEPARATORS.search(text):
        return text
    for number, line in enumerate(lines_of(text)[0], 1):
        for found in _SEPARATORS.finditer(line):
            advice = "which editors do not show; delete it, or end the line there"
            faults.append(Fault(number, found.start() + 1, f"holds {shown_character(found[0])}, {advice}"))
    return _SEPARATORS.sub(" ", text)

"""Escapes cells that a spreadsheet would run as a formula, and reverses the escape. Pure.

A cell that begins with = + - @, a tab or CR gets a leading `'` (OWASP, "CSV injection"). A cell that begins
with `'` and one of these gets another `'`, so that an export is always read back unchanged.
"""

from __future__ import annotations

import re

__all__ = ["escape_formula", "unescape_formula"]

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def escape_formula(text: str) -> str:
    """Returns the cell for a text. A spreadsheet shows the cell as text and never runs it as a formula."""
    return f"'{text}" if _RISKY.match(text) else text


def unescape_formula(cell: str) -> str:
    """Returns the text from which `escape_formula` made this cell."""
    return cell[1:] if _GUARDED.match(cell) else cell

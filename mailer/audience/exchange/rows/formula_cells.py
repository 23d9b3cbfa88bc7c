"""Cells that a spreadsheet must not run as a formula, and back again. Pure.

A cell that begins with = + - @, tab or CR gets a `'` in front (OWASP, "CSV injection"). So does one that
already has such a `'`, so that what is exported is always read back as it was.
"""

from __future__ import annotations

import re

__all__ = ["guarded", "unguarded"]

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """`text` as a spreadsheet may see it."""
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made this cell of."""
    return cell[1:] if _GUARDED.match(cell) else cell

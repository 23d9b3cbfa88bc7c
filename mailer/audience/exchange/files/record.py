"""Defines a row of a list, as it is in the file."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ListRow"]


@dataclass(frozen=True, slots=True)
class ListRow:
    """Holds one row of a list. `row` is the number of the row as in a spreadsheet (the header is row 1).

    `problem` says why the row could not be split into cells, or is "".
    """

    row: int
    cells: list[str]
    problem: str = ""

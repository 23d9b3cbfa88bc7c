"""Defines one row of a list, as it stands in the file."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """Holds one row, numbered as in a spreadsheet (the header is row 1).

    `problem` says why a row has no cells.
    """

    row: int
    cells: list[str]
    problem: str = ""

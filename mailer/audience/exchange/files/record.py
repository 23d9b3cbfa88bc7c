"""One row of a list, as its file has it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """One row, counted like a spreadsheet does (the header is row 1). `problem` says why it has no cells."""

    row: int
    cells: list[str]
    problem: str = ""

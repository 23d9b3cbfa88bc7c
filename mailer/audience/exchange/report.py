"""What an import did, row by row, in little memory; and the file of refused rows."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailer.audience.exchange.columns.header import REFUSED_BECAUSE, REFUSED_ROW
from mailer.audience.exchange.rows.formula_cells import escape_formula
from mailer.files import NewFile, clear_leftovers

__all__ = [
    "OUTCOMES",
    "CellNote",
    "ColumnNote",
    "ImportReport",
    "RefusedFile",
    "RowNote",
    "RowRanges",
    "WordNote",
]

OUTCOMES = ("added", "updated", "unchanged", "kept", "refused")
#: So many rows of a kind are told one by one.
MAX_NOTES = 100


@dataclass(frozen=True, slots=True)
class RowNote:
    """A row that was refused, or whose person was kept as they are, and why."""

    row: int
    address: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """How a column was read: `read_as` for people, `hint` what it may have been meant for ("": nothing).

    `plain` says that it was read as its name says, so that there is nothing to tell.
    """

    column: str
    read_as: str
    hint: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class WordNote:
    """What a word of a column became (a status, `refused`, "" where it says nothing), in how many rows."""

    column: str
    word: str
    status: str
    rows: int


@dataclass(frozen=True, slots=True)
class CellNote:
    """A cell that was left out, while the person was taken."""

    row: int
    address: str
    column: str
    reason: str


@dataclass(slots=True)
class RowRanges:
    """Row numbers as `2-400, 402`: their count exactly, and the first ranges of them."""

    count: int = 0
    ranges: list[list[int]] = field(default_factory=list)
    more: bool = False

    def add(self, row: int) -> None:
        """One more row, in rising order."""
        self.count += 1
        if self.ranges and self.ranges[-1][1] == row - 1 and not self.more:
            self.ranges[-1][1] = row
        elif len(self.ranges) < 20:
            self.ranges.append([row, row])
        else:
            self.more = True

    def __str__(self) -> str:
        parts = [str(first) if first == last else f"{first}-{last}" for first, last in self.ranges]
        return ", ".join(parts) + (", …" if self.more else "")


@dataclass(slots=True)
class ImportReport:
    """The whole import. `refused_file` is there only where rows were refused.

    `refused_name` is where refused rows go, as messages show it; `read_as` the tool whose export it is ("":
    none), `columns` how each column was read, `words` what each word for a status became, `cells` the first
    of the cells that were left out, `cleaned` the first of the addresses that something stood around,
    `no_edition` how many active people of the list read none.
    `dry_run` says that nothing was changed.
    """

    file: str
    rows: dict[str, RowRanges] = field(default_factory=lambda: {name: RowRanges() for name in OUTCOMES})
    notes: list[RowNote] = field(default_factory=list)
    refused_file: Path | None = None
    refused_name: str = ""
    unnamed_columns: tuple[int, ...] = ()
    read_as: str = ""
    profile: str = "plain"
    columns: tuple[ColumnNote, ...] = ()
    words: tuple[WordNote, ...] = ()
    cells: list[CellNote] = field(default_factory=list)
    cells_left_out: int = 0
    cleaned: list[RowNote] = field(default_factory=list)
    addresses_cleaned: int = 0
    no_edition: int = 0
    dry_run: bool = False
    _noted: dict[str, int] = field(default_factory=dict)

    def leave_out(self, row: int, address: str, column: str, reason: str) -> None:
        """One more cell that was left out."""
        self.cells_left_out += 1
        if len(self.cells) < MAX_NOTES:
            self.cells.append(CellNote(row, address[:200], column, reason))

    def clean(self, row: int, address: str, around: str) -> None:
        """One more address that was cleaned of what stood around it."""
        self.addresses_cleaned += 1
        if len(self.cleaned) < MAX_NOTES:
            self.cleaned.append(RowNote(row, address[:200], "cleaned", around))

    def add(self, row: int, address: str, outcome: str, reason: str) -> None:
        """What became of one more row."""
        self.rows[outcome].add(row)
        if reason and self._noted.get(outcome, 0) < MAX_NOTES:
            self._noted[outcome] = self._noted.get(outcome, 0) + 1
            self.notes.append(RowNote(row, address[:200], outcome, reason))

    def count(self, outcome: str) -> int:
        """How many rows came to this."""
        return self.rows[outcome].count

    @property
    def total(self) -> int:
        """How many rows were read."""
        return sum(rows.count for rows in self.rows.values())


class RefusedFile:
    """Refused rows as a CSV file that can be mended and imported: made at the first, whole at the end."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self._header = header
        self._new: NewFile | None = None
        clear_leftovers(path.parent, path.name)

    def add(self, row: int, reason: str, cells: Sequence[str]) -> None:
        """One refused row, with its number and the reason in front."""
        if self._new is None:
            self._new = NewFile(self.path, mode=0o600, encoding="utf-8-sig")
            self._write(self._new, [REFUSED_ROW, REFUSED_BECAUSE, *self._header])
        self._write(self._new, [str(row), reason, *cells])

    @staticmethod
    def _write(new: NewFile, cells: list[str]) -> None:
        csv.writer(new.file).writerow([escape_formula(cell) for cell in cells])

    def finish(self) -> Path | None:
        """Puts the file in its place; its path, or None where no row was refused."""
        if self._new is None:
            return None
        self._new.commit()
        return self.path

    def close(self) -> None:
        """Removes what was written and not put in its place."""
        if self._new is not None:
            self._new.discard()

"""Records what an import did with each row, in little memory, and writes the file of refused rows."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailer.audience.exchange.columns.header import REFUSED_BECAUSE, REFUSED_ROW
from mailer.audience.exchange.rows.formula_cells import escape_formula
from mailer.files import NewFile, remove_leftover_files

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
#: At most so many rows of a kind are reported one by one.
MAX_NOTES = 100


@dataclass(frozen=True, slots=True)
class RowNote:
    """Describes a row that was refused, or whose person was left unchanged, and the reason."""

    row: int
    address: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """Describes how a column was read.

    `read_as` is a text for people. `hint` is the field that the column may be intended for, or "". `plain` is
    true if the column was read as its name says, so that there is nothing to report.
    """

    column: str
    read_as: str
    hint: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class WordNote:
    """Counts the rows with one word in a column of statuses.

    `status` is the status that the word means, "refused" if the rows were refused, and "" if the word was
    ignored.
    """

    column: str
    word: str
    status: str
    rows: int


@dataclass(frozen=True, slots=True)
class CellNote:
    """Describes a cell that was left out although its row was imported."""

    row: int
    address: str
    column: str
    reason: str


@dataclass(slots=True)
class RowRanges:
    """Collects row numbers as ranges, such as `2-400, 402`.

    All rows are counted, but only the first ranges are kept.
    """

    count: int = 0
    ranges: list[list[int]] = field(default_factory=list)
    more: bool = False

    def add(self, row: int) -> None:
        """Adds a row number, which must be larger than all earlier ones."""
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
    """Holds the result of an import.

    `refused_file` is the file of refused rows, or None if no row was refused; messages call the file
    `refused_name`. `read_as` names the tool that wrote the list, or is "". `columns` says how each column was
    read, and `words` what each word in a column of statuses means. `cells` has the first cells that were left
    out, and `cleaned` the first addresses that had other text around them. `no_edition` is the number of
    active people in the list who read no edition. With `dry_run`, nothing was changed.
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

    def note_left_out_cell(self, row: int, address: str, column: str, reason: str) -> None:
        """Records a cell that was left out, and the reason."""
        self.cells_left_out += 1
        if len(self.cells) < MAX_NOTES:
            self.cells.append(CellNote(row, address[:200], column, reason))

    def note_cleaned_address(self, row: int, address: str, removed: str) -> None:
        """Records an address that was cleaned. `removed` describes the text around the address."""
        self.addresses_cleaned += 1
        if len(self.cleaned) < MAX_NOTES:
            self.cleaned.append(RowNote(row, address[:200], "cleaned", removed))

    def add_outcome(self, row: int, address: str, outcome: str, reason: str) -> None:
        """Records the outcome of one row, which is one of OUTCOMES, and the reason if there is one."""
        self.rows[outcome].add(row)
        if reason and self._noted.get(outcome, 0) < MAX_NOTES:
            self._noted[outcome] = self._noted.get(outcome, 0) + 1
            self.notes.append(RowNote(row, address[:200], outcome, reason))

    def count(self, outcome: str) -> int:
        """Returns how many rows had this outcome, which is one of OUTCOMES."""
        return self.rows[outcome].count

    @property
    def total(self) -> int:
        """Returns the number of rows with an outcome."""
        return sum(rows.count for rows in self.rows.values())


class RefusedFile:
    """Writes refused rows to a CSV file that can be corrected and imported.

    The file is begun with the first refused row, and gets its name when it is complete.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self._header = header
        self._new: NewFile | None = None
        remove_leftover_files(path.parent, path.name)

    def add_row(self, row: int, reason: str, cells: Sequence[str]) -> None:
        """Writes one refused row. The number of the row and the reason come first."""
        if self._new is None:
            self._new = NewFile(self.path, mode=0o600, encoding="utf-8-sig")
            self._write_row(self._new, [REFUSED_ROW, REFUSED_BECAUSE, *self._header])
        self._write_row(self._new, [str(row), reason, *cells])

    @staticmethod
    def _write_row(new: NewFile, cells: list[str]) -> None:
        csv.writer(new.file).writerow([escape_formula(cell) for cell in cells])

    def finish(self) -> Path | None:
        """Gives the complete file its name. Returns its path, or None if no row was refused."""
        if self._new is None:
            return None
        self._new.commit()
        return self.path

    def close(self) -> None:
        """Deletes the file if it was not finished."""
        if self._new is not None:
            self._new.discard()

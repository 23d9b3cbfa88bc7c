"""Reads only the addresses of a list: a plain list, or a CSV with an address column.

A line that cannot be read is returned with the reason, and the next line is read independently. The file is
read into memory: a million addresses are some 30 MB.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.audience.exchange.columns.header import read_header
from mailer.audience.exchange.files.encoding import decoded
from mailer.audience.exchange.rows.formula_cells import unescape_formula
from mailer.audience.values.address import Address, normalize_address, quote
from mailer.errors import AudienceError, Problem

__all__ = ["MOST_BYTES", "ListLine", "read_addresses", "read_list"]

_DELIMITERS = (",", ";", "\t", "|")
_BREAK = re.compile(r"\r\n|\n|\r")
_SEPARATOR = re.compile(r"sep=[,;\t|]\s*", re.IGNORECASE)
#: Characters that are removed from both ends of a cell.
_BLANK = "\ufeff\x00 \t\xa0\u200b"
#: A name before an address in angle brackets, as mail programs copy it.
_ANGLE = re.compile(r"[^<>]*<\s*([^<>]*@[^<>]*)>\s*")
#: The largest number of lines of one row, where a quote is open.
_MOST_LINES = 50
#: At most so many times per file a row is continued on the next line, so that the time is bounded.
_MOST_TRIES = 20_000
#: The largest list, in bytes: some eight million addresses.
MOST_BYTES = 200_000_000
#: The number of rows that decide which column holds the addresses.
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class ListLine:
    """Holds one line (numbered from 1) with its address, or with its text and the reason why it has none."""

    line: int
    address: Address | None
    text: str = ""
    problem: str = ""


def read_list(path: Path, name: str) -> list[ListLine]:
    """Returns the addresses of a file.

    Raises AudienceError where it cannot be read, or has no address at all.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise AudienceError(Problem("is not a file; name a list of addresses", name)) from None
    except FileNotFoundError:
        raise AudienceError(Problem("there is no such file; check the name", name)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise AudienceError(Problem(f"cannot be read: {reason}", name)) from None
    return read_addresses(data, name)


def read_addresses(data: bytes, name: str) -> list[ListLine]:
    """Returns the addresses in the bytes of a list; an empty list where there are no bytes.

    Raises AudienceError where there is no address, where the column of addresses is not clear, and for more
    than MOST_BYTES.
    """
    if len(data) > MOST_BYTES:
        raise AudienceError(Problem(f"is larger than {MOST_BYTES // 1_000_000} MB; split it", name))
    rows, headed = _rows(decoded(data))
    if not rows:
        return []
    found = list(_of_column(rows, name) if headed else _plain(rows))
    if found and not any(line.address for line in found):
        raise AudienceError(
            Problem("holds no address; give a plain list of them, or a CSV with a column of them", name)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    text: str
    cells: tuple[str, ...]
    problem: str = ""


def _rows(text: str) -> tuple[list[_Row], bool]:
    """Returns every row that is not blank, and whether the first is a header."""
    lines = _BREAK.split(text)
    start = next((n for n, line in enumerate(lines) if line.strip(_BLANK)), len(lines))
    delimiter = ""
    if start < len(lines) and _SEPARATOR.fullmatch(lines[start]):
        delimiter, start = lines[start][4], start + 1
    first = next((line for line in lines[start:] if line.strip(_BLANK)), "")
    cells = _cells([first], delimiter or _delimiter(first)) or [first]
    if _is_plain(cells):
        return list(_plain_rows(lines, start, delimiter)), False
    delimiter = delimiter or _delimiter(first)
    return list(_table_rows(lines, start, delimiter)), True


def _delimiter(line: str) -> str:
    """Returns the delimiter that is most frequent in a line, by default the comma."""
    return max(_DELIMITERS, key=line.count)


def _is_plain(first: Sequence[str]) -> bool:
    """Returns whether the first row is no header: it holds an address, or one cell that names no column."""
    if any("@" in cell for cell in first):
        return True
    return len(first) < 2 and "address" not in read_header(list(first)).fields


def _plain_rows(lines: Sequence[str], start: int, delimiter: str) -> Iterator[_Row]:
    """Yields each line as a row, split by its own delimiter, even where a quote is never closed."""
    for number, line in enumerate(lines[start:], start + 1):
        by = delimiter or _delimiter(line)
        cells = _cells([line], by)
        if cells is None:
            cells = [cell.replace('"', "") for cell in line.split(by)]
        if any(cells):
            yield _Row(number, line, tuple(cells))


def _table_rows(lines: Sequence[str], start: int, delimiter: str) -> Iterator[_Row]:
    """Yields the rows of a table. A quoted cell may span lines if its row is then as wide as the header."""
    width, place, tries = 0, start, 0
    while place < len(lines):
        cells, taken = _cells([lines[place]], delimiter), 1
        while cells is None and taken < _MOST_LINES and place + taken < len(lines) and tries < _MOST_TRIES:
            taken, tries = taken + 1, tries + 1
            cells = _cells(lines[place : place + taken], delimiter)
            if cells is not None and width and len(cells) != width:
                cells, taken = None, _MOST_LINES
        if cells is None:
            yield _Row(place + 1, lines[place], (), "a quote is opened and not closed")
            taken = 1
        elif any(cells):
            width = width or len(cells)
            yield _Row(place + 1, lines[place], tuple(cells))
        place += taken


def _cells(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """Returns the cells of one row; None where a quote in it is broken."""
    try:
        read = csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True, skipinitialspace=True)
        return [unescape_formula(cell.strip(_BLANK)) for cell in next(read, [])]
    except csv.Error:
        return None


def _plain(rows: Sequence[_Row]) -> Iterator[ListLine]:
    for row in rows:
        full = [cell for cell in row.cells if cell]
        with_at = [cell for cell in full if "@" in cell]
        if row.problem or not with_at:
            yield ListLine(row.line, None, row.text[:200], row.problem or "there is no address in it")
        elif len(with_at) == 1 or len(with_at) == len(full):
            yield from (_read(row, cell) for cell in with_at)
        else:
            yield ListLine(
                row.line, None, row.text[:200], "there are several addresses in it; name the column"
            )


def _of_column(rows: Sequence[_Row], name: str) -> Iterator[ListLine]:
    header, *rest = rows
    place = _column(header, rest, name)
    for row in rest:
        if row.problem:
            yield ListLine(row.line, None, row.text[:200], row.problem)
        else:
            yield _read(row, row.cells[place] if place < len(row.cells) else "")


def _column(header: _Row, rest: Sequence[_Row], name: str) -> int:
    place = read_header(list(header.cells)).fields.get("address")
    if place is not None:
        return place
    width = range(len(header.cells))
    held = [sum("@" in row.cells[n] for row in rest[:_SAMPLE] if n < len(row.cells)) for n in width]
    places = [n for n in width if held[n]]
    if len(places) == 1:
        return places[0]
    found = ", ".join(quote(cell, 30) for cell in header.cells if cell)
    why = "several columns hold addresses" if places else "no column holds the address"
    raise AudienceError(
        Problem(f"{why} (found {found}); name the column with the addresses address", name, header.line)
    )


def _read(row: _Row, cell: str) -> ListLine:
    inner = _ANGLE.fullmatch(cell)
    text = inner[1] if inner else cell
    try:
        if "\ufffd" in text:
            raise AudienceError(f"{quote(text)} is not an e-mail address: it holds bytes that are no text")
        return ListLine(row.line, normalize_address(text))
    except AudienceError as error:
        return ListLine(row.line, None, (cell or row.text)[:200], error.problems[0].message)

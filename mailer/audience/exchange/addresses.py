"""Reads the e-mail addresses of a list: a plain list of addresses, or a CSV file with a column of addresses.

A line that cannot be read is returned with the reason, and reading goes on with the next line. The whole file
is in memory: a million addresses need about 30 MB.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.audience.exchange.columns.header import read_header
from mailer.audience.exchange.files.encoding import decode_leniently
from mailer.audience.exchange.rows.formula_cells import unescape_formula
from mailer.audience.values.address import Address, normalize_address, quote
from mailer.errors import AudienceError, Problem

__all__ = ["MOST_BYTES", "ListLine", "read_addresses", "read_address_file"]

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
    """Holds one line of a list, numbered from 1.

    `address` is the line's address. If it is None, `text` is the line's text and `problem` the reason why
    there is no address.
    """

    line: int
    address: Address | None
    text: str = ""
    problem: str = ""


def read_address_file(path: Path, shown_name: str) -> list[ListLine]:
    """Returns the lines of a file with their addresses. Messages call the file `shown_name`.

    Raises AudienceError if the file cannot be read, or has no address at all.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except IsADirectoryError:
        raise AudienceError(
            Problem("is not a file; name a file with a list of addresses", shown_name)
        ) from None
    except FileNotFoundError:
        raise AudienceError(Problem("there is no such file; check the name", shown_name)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise AudienceError(Problem(f"cannot be read: {reason}", shown_name)) from None
    return read_addresses(data, shown_name)


def read_addresses(data: bytes, shown_name: str) -> list[ListLine]:
    """Returns the lines of a list with their addresses, from the bytes of the list.

    Messages call the list `shown_name`.

    No bytes give an empty result. Raises AudienceError if the list has no address, if it is not clear which
    column has the addresses, or if there are more than MOST_BYTES bytes.
    """
    if len(data) > MOST_BYTES:
        raise AudienceError(
            Problem(f"is larger than {MOST_BYTES // 1_000_000} MB; split the list", shown_name)
        )
    rows, headed = _split_rows(decode_leniently(data))
    if not rows:
        return []
    found = list(_addresses_of_table(rows, shown_name) if headed else _addresses_of_plain_rows(rows))
    if found and not any(line.address for line in found):
        raise AudienceError(
            Problem(
                "has no e-mail address; give one address per line, or a CSV file with a column of them",
                shown_name,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    text: str
    cells: tuple[str, ...]
    problem: str = ""


def _split_rows(text: str) -> tuple[list[_Row], bool]:
    """Returns every row of the text that is not blank, and whether the first row is a header."""
    lines = _BREAK.split(text)
    start = next((n for n, line in enumerate(lines) if line.strip(_BLANK)), len(lines))
    delimiter = ""
    if start < len(lines) and _SEPARATOR.fullmatch(lines[start]):
        delimiter, start = lines[start][4], start + 1
    first = next((line for line in lines[start:] if line.strip(_BLANK)), "")
    cells = _split_cells([first], delimiter or _likeliest_delimiter(first)) or [first]
    if _is_data_row(cells):
        return list(_rows_of_plain_list(lines, start, delimiter)), False
    delimiter = delimiter or _likeliest_delimiter(first)
    return list(_rows_of_table(lines, start, delimiter)), True


def _likeliest_delimiter(line: str) -> str:
    """Returns the delimiter that occurs most often in a line. If none occurs, this is the comma."""
    return max(_DELIMITERS, key=line.count)


def _is_data_row(first_row: Sequence[str]) -> bool:
    """Returns whether the first row of a list has data, and is therefore no header.

    That is so if the row holds an address, or if it is a single cell that names no column of addresses.
    """
    if any("@" in cell for cell in first_row):
        return True
    return len(first_row) < 2 and "address" not in read_header(list(first_row)).fields


def _rows_of_plain_list(lines: Sequence[str], first_line_index: int, delimiter: str) -> Iterator[_Row]:
    """Yields each line from the index `first_line_index` on as a row, but no blank lines.

    If `delimiter` is "", the likeliest delimiter of each line is used. A quote that is never closed is
    removed.
    """
    for number, line in enumerate(lines[first_line_index:], first_line_index + 1):
        by = delimiter or _likeliest_delimiter(line)
        cells = _split_cells([line], by)
        if cells is None:
            cells = [cell.replace('"', "") for cell in line.split(by)]
        if any(cells):
            yield _Row(number, line, tuple(cells))


def _rows_of_table(lines: Sequence[str], first_line_index: int, delimiter: str) -> Iterator[_Row]:
    """Yields the rows of a table, which begins at the index `first_line_index` of the lines.

    A quoted cell may span several lines if its row then has as many cells as the header.
    """
    width, place, tries = 0, first_line_index, 0
    while place < len(lines):
        cells, taken = _split_cells([lines[place]], delimiter), 1
        while cells is None and taken < _MOST_LINES and place + taken < len(lines) and tries < _MOST_TRIES:
            taken, tries = taken + 1, tries + 1
            cells = _split_cells(lines[place : place + taken], delimiter)
            if cells is not None and width and len(cells) != width:
                cells, taken = None, _MOST_LINES
        if cells is None:
            yield _Row(place + 1, lines[place], (), "a quote is opened but not closed; close it")
            taken = 1
        elif any(cells):
            width = width or len(cells)
            yield _Row(place + 1, lines[place], tuple(cells))
        place += taken


def _split_cells(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """Returns the cells of one row, which may span several lines, or None if a quote in the row is broken."""
    try:
        read = csv.reader(["\n".join(lines)], delimiter=delimiter, strict=True, skipinitialspace=True)
        return [unescape_formula(cell.strip(_BLANK)) for cell in next(read, [])]
    except csv.Error:
        return None


def _addresses_of_plain_rows(rows: Sequence[_Row]) -> Iterator[ListLine]:
    for row in rows:
        full = [cell for cell in row.cells if cell]
        with_at = [cell for cell in full if "@" in cell]
        if row.problem or not with_at:
            yield ListLine(row.line, None, row.text[:200], row.problem or "this line has no e-mail address")
        elif len(with_at) == 1 or len(with_at) == len(full):
            yield from (_read_address(row, cell) for cell in with_at)
        else:
            yield ListLine(
                row.line,
                None,
                row.text[:200],
                "this line has several addresses; add a header that names the right column address",
            )


def _addresses_of_table(rows: Sequence[_Row], shown_name: str) -> Iterator[ListLine]:
    header, *rest = rows
    place = _address_column_index(header, rest, shown_name)
    for row in rest:
        if row.problem:
            yield ListLine(row.line, None, row.text[:200], row.problem)
        else:
            yield _read_address(row, row.cells[place] if place < len(row.cells) else "")


def _address_column_index(header: _Row, rows: Sequence[_Row], shown_name: str) -> int:
    place = read_header(list(header.cells)).fields.get("address")
    if place is not None:
        return place
    width = range(len(header.cells))
    held = [sum("@" in row.cells[n] for row in rows[:_SAMPLE] if n < len(row.cells)) for n in width]
    places = [n for n in width if held[n]]
    if len(places) == 1:
        return places[0]
    found = ", ".join(quote(cell, 30) for cell in header.cells if cell)
    why = "several columns hold addresses" if places else "no column holds the address"
    raise AudienceError(
        Problem(f"{why} (found {found}); rename the column of addresses to address", shown_name, header.line)
    )


def _read_address(row: _Row, cell: str) -> ListLine:
    inner = _ANGLE.fullmatch(cell)
    text = inner[1] if inner else cell
    try:
        if "\ufffd" in text:
            raise AudienceError(
                f"{quote(text)} is not an e-mail address: some bytes are not text; save the list as UTF-8"
            )
        return ListLine(row.line, normalize_address(text))
    except AudienceError as error:
        return ListLine(row.line, None, (cell or row.text)[:200], error.problems[0].message)

"""Reads a CSV file as a stream of rows: finds delimiters, quotes and line ends, and repairs broken rows.

A row that cannot be read is returned with its text and the reason, and reading goes on with the next line, so
that one quote that is never closed does not swallow a list. Spaces around a quoted cell are removed. Large
files need no more memory than small files.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mailer.audience.exchange.columns.header import Columns, read_header
from mailer.audience.exchange.files.encoding import check_encoding, detect_encoding
from mailer.audience.exchange.files.record import ListRow
from mailer.audience.exchange.quotes import cells_of_row_with_spaced_quotes, has_rows_within_cell
from mailer.errors import AudienceError, FailureError, Problem

__all__ = ["CsvFile"]

#: The longest row that is read, in characters.
MAX_ROW = 1_000_000
#: The most lines of one row: a quoted cell with more line breaks is taken for a quote that is not closed.
MAX_LINES = 500
#: A file with at least so many broken rows, and more than half of all broken, is no list.
MAX_BROKEN = 1000
_DELIMITERS = (",", ";", "\t", "|")
#: Matches a line such as `sep=;`, by which Excel and others name the delimiter above the header.
_SEPARATOR = re.compile(r"\ufeff?\"?sep=([^\w\s\"]|\t)\"?", re.IGNORECASE)


class _BrokenRowError(Exception):
    """Reports that one row has too many lines or is too long."""


class _LineReader:
    """Yields the lines of a file, and limits the length of one row. Lines can be put back."""

    def __init__(self, stream: io.TextIOWrapper, name: str) -> None:
        self._stream = stream
        self._name = name
        self._again: deque[str] = deque()
        self._size = 0
        self.taken: list[str] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = self._read_line()
            if not line:
                raise StopIteration
            if len(line) == MAX_ROW and not line.endswith(("\n", "\r")):
                self.taken.append(line[:1000])
                rest = line
                while rest and not rest.endswith(("\n", "\r")):
                    rest = self._read_line()
                raise _BrokenRowError(f"the row is longer than {MAX_ROW:,} characters; shorten it")
        self.taken.append(line)
        self._size += len(line)
        if self._size > MAX_ROW:
            raise _BrokenRowError(f"the row is longer than {MAX_ROW:,} characters; shorten it")
        if len(self.taken) > MAX_LINES:
            raise _BrokenRowError(f"the row has more than {MAX_LINES:,} lines")
        return line

    def _read_line(self) -> str:
        try:
            return self._stream.readline(MAX_ROW)
        except UnicodeDecodeError:
            problem = Problem("was changed while it was read; import it again", self._name)
            raise FailureError(problem) from None

    def detach_stream(self) -> None:
        """Detaches the byte stream, which stays open."""
        self._stream.detach()

    def begin_row(self) -> None:
        """Begins a new row: sets the numbers of the row's lines and characters to 0."""
        self.taken.clear()
        self._size = 0

    def put_back_lines(self, lines: list[str]) -> None:
        """Puts lines back, so that they are read again."""
        self._again.extendleft(reversed(lines))


class CsvFile:
    """Opens a CSV file and reads its header. Raises AudienceError if the file cannot be a list of people.

    Messages call the file `shown_name`. `encoding` is the name of the encoding, or "" to detect it. `stream`
    is read instead of the file at `path` if the list is in an archive or comes from standard input; it is
    closed at the end.
    """

    def __init__(
        self, path: Path, shown_name: str, *, encoding: str = "", stream: BinaryIO | None = None
    ) -> None:
        if stream is None and not path.exists():
            raise AudienceError(Problem("there is no such file; check the name", shown_name))
        if stream is None and not path.is_file():
            raise AudienceError(Problem("is not a file; name a CSV file", shown_name))
        self.name = shown_name
        try:
            self._bytes = path.open("rb") if stream is None else stream
            self._encoding = self._find_codec(encoding)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AudienceError(Problem(f"cannot be read: {reason}", shown_name)) from None
        self._lines = _LineReader(io.TextIOWrapper(self._bytes, self._encoding, newline=""), shown_name)
        self._row = 1
        self._rows = self._broken_rows = 0
        try:
            self.columns, self.delimiter = self._read_header_row()
        except BaseException:
            self._bytes.close()
            raise

    def _find_codec(self, encoding: str) -> str:
        """Returns the Python codec of the file, and goes back to the file's beginning.

        `encoding` is "" to detect it.
        """
        try:
            self.size = os.fstat(self._bytes.fileno()).st_size
            if encoding:
                encoding = check_encoding(self._bytes, self.name, encoding)
            else:
                encoding = detect_encoding(self._bytes, self.name)
            self._bytes.seek(0)
        except BaseException:
            self._bytes.close()
            raise
        return encoding

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bytes.close()

    @property
    def bytes_read(self) -> int:
        """Returns how many bytes have been read, for a progress bar."""
        return self._bytes.tell()

    def _read_header_row(self) -> tuple[Columns, str]:
        if self.size == 0:
            raise AudienceError(Problem("is empty; the first row must name the columns", self.name))
        first: list[str] = []
        delimiters: tuple[str, ...] = _DELIMITERS
        try:
            for line in self._lines:
                separator = _SEPARATOR.fullmatch(line.rstrip("\r\n"))
                if separator:
                    delimiters = (separator[1], *_DELIMITERS)
                elif line.strip("\ufeff\t ,;|\r\n"):
                    first = [line]
                    break
                self._row += separator is None
                self._lines.begin_row()
            for line in self._lines if first and first[0].count('"') % 2 else ():
                first.append(line)
                if line.count('"') % 2:
                    break
        except _BrokenRowError:
            first = []
        if not first:
            raise AudienceError(
                Problem("has no header; the first row must name the columns", self.name, self._row)
            )
        self._lines.begin_row()
        self.header_row = self._row
        readings = []
        for delimiter in delimiters:
            try:
                cells = next(csv.reader(first, delimiter=delimiter, strict=True, skipinitialspace=True))
            except csv.Error:
                spaced = cells_of_row_with_spaced_quotes("".join(first), delimiter)
                if spaced is None:
                    continue
                cells = spaced
            readings.append((read_header(cells), delimiter))
        if not readings:
            problem = "the header cannot be read: a quote is opened but not closed; close it"
            raise AudienceError(Problem(problem, self.name, self._row))
        columns, delimiter = max(
            readings, key=lambda reading: (reading[0].recognised_column_count, reading[0].width)
        )
        columns.check_column_count(self.name, self._row)
        return columns, delimiter

    def __iter__(self) -> Iterator[ListRow]:
        """Yields every row after the header that is not blank.

        Raises AudienceError if most of the first rows are broken, and FailureError if later most of all rows
        are.
        """
        lines = self._lines
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=True)
        while True:
            lines.begin_row()
            problem = ""
            try:
                cells = next(reader)
                if len(lines.taken) > 1 and has_rows_within_cell(cells, self.columns, self.delimiter):
                    raise _BrokenRowError("rows stand within a cell")
            except StopIteration:
                return
            except (csv.Error, _BrokenRowError) as error:
                problem, cells = self._repaired_row(error)
            self._row += 1
            if problem or any(cells):
                self._rows += 1
                yield ListRow(self._row, cells, problem)

    def _repaired_row(self, error: Exception) -> tuple[str, list[str]]:
        """Returns the problem ("" for none) and the cells of a row that the CSV reader refuses."""
        if isinstance(error, csv.Error) and "expected after" in str(error):
            cells = cells_of_row_with_spaced_quotes("".join(self._lines.taken), self.delimiter)
            if cells is not None and not has_rows_within_cell(cells, self.columns, self.delimiter):
                return "", cells
        self._broken_rows += 1
        if self._broken_rows >= MAX_BROKEN and self._broken_rows * 2 > self._rows:
            self._raise_too_many_broken_rows()
        return self._broken_row(error)

    def _raise_too_many_broken_rows(self) -> None:
        sentence = (
            f"{self._broken_rows:,} of the first {self._rows + 1:,} rows are broken by quotes that are not "
            "closed or are within a cell; correct the quotes, or save the list as CSV again"
        )
        if self._broken_rows == MAX_BROKEN:
            raise AudienceError(Problem(sentence, self.name, self._row + 1))
        raise FailureError(Problem(sentence, self.name, self._row + 1))

    def _broken_row(self, error: Exception) -> tuple[str, list[str]]:
        """Returns the problem of a broken row, and the first line of the row as its only cell.

        The other lines of the row are put back and read again as rows. A quote that one of these lines opened
        would have closed the quote of this row, so no line is read more than a few times.
        """
        first, *rest = self._lines.taken or [""]
        self._lines.put_back_lines(rest)
        return _row_problem(error, bool(rest)), [first.rstrip("\r\n")[:1000]]

    def rewind(self) -> None:
        """Goes back to the first row after the header."""
        self._lines.detach_stream()
        self._bytes.seek(0)
        self._lines = _LineReader(io.TextIOWrapper(self._bytes, self._encoding, newline=""), self.name)
        self._again = 0
        self._row = 1
        self._rows = self._broken_rows = 0
        self._read_header_row()

    def file_id(self) -> tuple[int, int]:
        """Returns the device and the inode of the file, which identify it under any name."""
        status = os.fstat(self._bytes.fileno())
        return status.st_dev, status.st_ino


def _row_problem(error: Exception, has_several_lines: bool) -> str:
    text = str(error)
    if isinstance(error, _BrokenRowError) and not has_several_lines:
        return text
    if "expected after" in text:
        return "a quote is in the middle of a cell; put the cell in quotes and write the quote twice"
    if "limit" in text and not has_several_lines:
        return "a cell is longer than 131,072 characters; shorten it"
    return "a quote is opened but not closed; close it"

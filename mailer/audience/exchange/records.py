"""A CSV file as a stream of rows: delimiters, quotes, line ends, and what to do when they are broken.

A row that cannot be read is given with its reason and its text, and the next line starts afresh, so that
one quote that is never closed does not swallow a list. Nothing grows with the file.
"""

from __future__ import annotations

import csv
import io
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from mailer.audience.exchange.columns import Columns, read_header
from mailer.audience.exchange.encoding import detect_encoding
from mailer.errors import AudienceError, FailureError, Problem

__all__ = ["CsvFile", "Record"]

#: The longest row that is read, in characters.
MAX_ROW = 1_000_000
#: How much may be read twice after broken rows, in characters, before the rest of one is given up.
MAX_AGAIN = 50_000_000
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Record:
    """One row, counted like a spreadsheet does (the header is row 1). `problem` says why it has no cells."""

    row: int
    cells: list[str]
    problem: str = ""


class _BrokenRowError(Exception):
    """The lines of a row are too much to go on."""


class _Lines:
    """The lines of a file, at most MAX_ROW characters for one row; lines can be put back."""

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
            line = self._read()
            if not line:
                raise StopIteration
            if len(line) == MAX_ROW and not line.endswith(("\n", "\r")):
                self.taken.append(line[:1000])
                rest = line
                while rest and not rest.endswith(("\n", "\r")):
                    rest = self._read()
                raise _BrokenRowError(f"the row is longer than {MAX_ROW:,} characters")
        self.taken.append(line)
        self._size += len(line)
        if self._size > MAX_ROW:
            raise _BrokenRowError(f"the row is longer than {MAX_ROW:,} characters")
        return line

    def _read(self) -> str:
        try:
            return self._stream.readline(MAX_ROW)
        except UnicodeDecodeError:
            problem = Problem("was changed while it was read; import it again", self._name)
            raise FailureError(problem) from None

    def fresh(self) -> None:
        """A new row begins."""
        self.taken.clear()
        self._size = 0

    def put_back(self, lines: list[str]) -> None:
        """These lines are read again."""
        self._again.extendleft(reversed(lines))


class CsvFile:
    """An open file with its header. Raises AudienceError where it cannot be a list of people."""

    def __init__(self, path: Path, name: str) -> None:
        if not path.exists():
            raise AudienceError(Problem("there is no such file; check the name", name))
        if not path.is_file():
            raise AudienceError(Problem("is not a file; name a CSV file", name))
        self.name = name
        try:
            self.size = path.stat().st_size
            self._encoding = detect_encoding(path, name)
            self._bytes = path.open("rb")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AudienceError(Problem(f"cannot be read: {reason}", name)) from None
        self._lines = _Lines(io.TextIOWrapper(self._bytes, self._encoding, newline=""), name)
        self._again = 0
        self._row = 1
        try:
            self.columns, self.delimiter = self._header()
        except BaseException:
            self._bytes.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bytes.close()

    @property
    def position(self) -> int:
        """How many bytes have been read, for a progress bar."""
        return self._bytes.tell()

    def _header(self) -> tuple[Columns, str]:
        if self.size == 0:
            raise AudienceError(Problem("is empty; the first row names the columns", self.name))
        first: list[str] = []
        try:
            for line in self._lines:
                if line.strip("\ufeff\t ,;\r\n") and not line.lower().startswith("sep="):
                    first = [line]
                    break
                self._row += not line.lower().startswith("sep=")
                self._lines.fresh()
            for line in self._lines if first and first[0].count('"') % 2 else ():
                first.append(line)
                if line.count('"') % 2:
                    break
        except _BrokenRowError:
            first = []
        if not first:
            raise AudienceError(
                Problem("has no header; the first row names the columns", self.name, self._row)
            )
        self._lines.fresh()
        readings = []
        for delimiter in _DELIMITERS:
            try:
                cells = next(csv.reader(first, delimiter=delimiter, strict=True))
            except csv.Error:
                continue
            readings.append((read_header(cells), delimiter))
        if not readings:
            problem = "the header cannot be read: a quote is opened and not closed"
            raise AudienceError(Problem(problem, self.name, self._row))
        columns, delimiter = max(readings, key=lambda reading: (reading[0].known, reading[0].width))
        columns.check(self.name, self._row)
        return columns, delimiter

    def __iter__(self) -> Iterator[Record]:
        """Every row after the header that has something in it."""
        lines = self._lines
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.fresh()
            problem = ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _BrokenRowError) as error:
                problem, cells = self._broken(error)
            self._row += 1
            if problem or any(cells):
                yield Record(self._row, cells, problem)

    def _broken(self, error: Exception) -> tuple[str, list[str]]:
        """What to say about a broken row, and its text. Its other lines are read again as rows."""
        first, *rest = self._lines.taken or [""]
        size = sum(map(len, rest))
        if self._again + size <= MAX_AGAIN:
            self._again += size
            self._lines.put_back(rest)
            left = ""
        else:
            left = f" (with the {len(rest):,} lines after it)" if rest else ""
        return f"{_in_words(error, bool(rest))}{left}", [first.rstrip("\r\n")[:1000]]

    def file_id(self) -> tuple[int, int]:
        """Which file this is, however it is named."""
        status = os.fstat(self._bytes.fileno())
        return status.st_dev, status.st_ino


def _in_words(error: Exception, several: bool) -> str:
    text = str(error)
    if isinstance(error, _BrokenRowError) and not several:
        return text
    if "expected after" in text:
        return "a quote stands in the middle of a cell; write it twice inside quotes"
    if "limit" in text and not several:
        return "a cell is longer than 131,072 characters"
    return "a quote is opened and not closed"

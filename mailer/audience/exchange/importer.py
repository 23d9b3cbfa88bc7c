"""Imports a list as a stream of rows, with one transaction for each batch and constant memory.

A batch is in the database wholly or not at all. After an interruption the same file can be imported again:
rows that are already in the database are unchanged, and the result is the same.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from mailer.audience.exchange.columns.decided_columns import (
    DecidedColumns,
    columns_without_header,
    decide_columns,
)
from mailer.audience.exchange.columns.header import read_header
from mailer.audience.exchange.columns.options import Options
from mailer.audience.exchange.columns.survey import survey
from mailer.audience.exchange.files.record import Record
from mailer.audience.exchange.list_file import ListFile, shown_path
from mailer.audience.exchange.records import CsvFile
from mailer.audience.exchange.report import ImportReport, RefusedFile
from mailer.audience.exchange.report_notes import describe, words_of
from mailer.audience.exchange.rows.entry import Entry
from mailer.audience.exchange.rows.merge import Outcome, merge
from mailer.audience.exchange.rows.row_reader import RowReader
from mailer.audience.values.cells import editions_of
from mailer.config import Settings
from mailer.errors import AudienceError, Problem
from mailer.store.database import CACHE_KB

__all__ = ["Progress", "decided_columns", "import_csv"]

BATCH = 5000
_LOG_PAGES = 10_000
_CACHE_KB = 32_768

#: Called after each batch with rows read, bytes read and bytes in all.
Progress = Callable[[int, int, int], None]


def import_csv(
    db: Database,
    settings: Settings,
    source: ListFile,
    options: Options | None = None,
    *,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Imports the people of a CSV file, and reports the outcome of each row.

    An `editions` column takes precedence over `options.editions`; without either, new people read all
    editions. Raises AudienceError, with nothing changed, where the file cannot be used. With
    `options.dry_run` nothing is changed or written, and the report says what an import would do.
    """
    options = options or Options()
    chosen = editions_of(options.editions, settings.editions) or None
    with CsvFile(source.path, source.name, encoding=options.encoding, stream=source.stream) as file:
        target = shown_path(source.refused, settings)
        _check_target(source.refused, file, target)
        decided = decided_columns(file, settings, options, source.file_name)
        columns = decided.columns
        reader = RowReader(decided, settings, chosen, options.status)
        report = ImportReport(source.name, refused_name=target)
        report.unnamed_columns = tuple(place + 1 for place in columns.unnamed)
        describe(report, decided, options)
        refusals = RefusedFile(source.refused, columns.written)
        with _target_database(db, dry_run=options.dry_run) as store:
            work = _Import(store, report, source.file_name, tuple(settings.editions))
            try:
                _run(file, reader, work, refusals, on_progress, with_first=not columns.has_header)
                if not options.dry_run:
                    report.refused_file = refusals.finish()
            finally:
                refusals.close()
        report.words = words_of(reader.signs)
        if on_progress:
            on_progress(report.total, file.size, file.size)
    return report


def decided_columns(file: CsvFile, settings: Settings, options: Options, file_name: str) -> DecidedColumns:
    """Decides the columns by the options and the whole list. Raises AudienceError where one is unclear."""
    columns = read_header(list(file.columns.header), options, file_name)
    if not columns.has_header and options.status:
        columns = columns_without_header(columns)
    rows = _rows_with_header(file) if not columns.has_header else file
    seen = survey(rows, columns, settings.editions, unverified=not options.status)
    file.rewind()
    decided = decide_columns(columns, seen, options, file_name)
    decided.columns.verify(file.name, file.header_row)
    return decided


def _rows_with_header(file: CsvFile) -> Iterator[Record]:
    """Yields the rows of a list without a header, beginning with the row that was read as one."""
    yield Record(file.header_row, list(file.columns.header))
    yield from file


def _run(
    file: CsvFile,
    reader: RowReader,
    work: _Import,
    refusals: RefusedFile,
    on_progress: Progress | None,
    *,
    with_first: bool,
) -> None:
    """Reads every row and merges batches of rows into the database."""
    for record in _rows_with_header(file) if with_first else file:
        try:
            if record.problem:
                raise AudienceError(record.problem)
            work.take(reader.read(record.row, record.cells))
        except AudienceError as error:
            reason = error.problems[0].message
            refusals.add(record.row, reason, record.cells)
            work.refuse(record.row, reader.address_cell(record.cells), reason)
        if work.waiting >= BATCH:
            work.flush()
            if on_progress:
                on_progress(work.total, file.position, file.size)
    work.flush()


@contextmanager
def _target_database(db: Database, *, dry_run: bool) -> Iterator[Database]:
    """Yields the database to write to: for a dry run a private copy in a temporary file."""
    if dry_run:
        with closing(sqlite3.connect("", isolation_level=None)) as copy:
            db.conn.backup(copy)
            yield Database(copy)
        return
    # Copying the log into the database less often makes the import a tenth faster, and addresses come in no
    # order, so their index should be in memory.
    db.conn.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
    db.conn.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
    try:
        yield db
    finally:
        db.conn.execute("PRAGMA wal_autocheckpoint=1000")
        db.conn.execute(f"PRAGMA cache_size=-{CACHE_KB}")


class _Import:
    """Holds the rows that wait for the next batch, and reports outcomes in the order of the file."""

    def __init__(
        self, db: Database, report: ImportReport, origin: str, all_editions: tuple[str, ...]
    ) -> None:
        self._db = db
        self._report = report
        self._origin = origin
        self._all_editions = all_editions
        self._entries: list[Entry] = []
        self._refused: list[tuple[int, str, str]] = []

    @property
    def total(self) -> int:
        """Returns how many rows have been read."""
        return self._report.total

    @property
    def waiting(self) -> int:
        """Returns how many rows wait for the next batch."""
        return len(self._entries) + len(self._refused)

    def take(self, entry: Entry) -> None:
        self._entries.append(entry)

    def refuse(self, row: int, address: str, reason: str) -> None:
        self._refused.append((row, address[:200], reason))

    def flush(self) -> None:
        outcomes: list[Outcome] = []
        if self._entries:
            merged = merge(self._db, self._entries, origin=self._origin, all_editions=self._all_editions)
            outcomes = merged.outcomes
            self._report.no_edition += merged.no_edition
            for entry in self._entries:
                if entry.cleaned:
                    self._report.clean(entry.row, entry.address.address, entry.cleaned)
                for column, reason in entry.notes:
                    self._report.note_left_out(entry.row, entry.address.address, column, reason)
        reported = [(row, address, "refused", reason) for row, address, reason in self._refused]
        reported += [
            (entry.row, entry.address.address, outcome, reason)
            for entry, (outcome, reason) in zip(self._entries, outcomes, strict=True)
        ]
        for line in sorted(reported) if self._refused else reported:
            self._report.add(*line)
        self._entries, self._refused = [], []


def _check_target(target: Path, file: CsvFile, name: str) -> None:
    """Checks before the first row that a file of refused rows can be written."""
    folder = target.absolute().parent
    problem = ""
    if not folder.is_dir():
        problem = "its folder does not exist; name another place with --refused FILE"
    elif target.is_dir() or not os.access(folder, os.W_OK):
        problem = "refused rows cannot be written there; name another place with --refused FILE"
    elif target.exists() and (target.stat().st_dev, target.stat().st_ino) == file.file_id():
        problem = "is the list itself; name another file with --refused FILE"
    if problem:
        raise AudienceError(Problem(problem, name))

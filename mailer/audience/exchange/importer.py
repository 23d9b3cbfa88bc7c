"""Imports a list row by row, with one transaction for each batch of rows.

A list of any length needs the same memory.

A batch is either completely in the database or not at all. After an interruption the same file can be
imported again: rows that are already in the database stay unchanged, and the result is the same.
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
from mailer.audience.exchange.columns.options import ImportOptions
from mailer.audience.exchange.columns.survey import survey_rows
from mailer.audience.exchange.files.record import ListRow
from mailer.audience.exchange.list_file import ListFile, shown_path
from mailer.audience.exchange.records import CsvFile
from mailer.audience.exchange.report import ImportReport, RefusedFile
from mailer.audience.exchange.report_notes import describe_columns, word_notes
from mailer.audience.exchange.rows.entry import ListEntry
from mailer.audience.exchange.rows.merge import Outcome, merge_entries
from mailer.audience.exchange.rows.row_reader import RowReader
from mailer.audience.values.cells import checked_editions
from mailer.config import Settings
from mailer.errors import AudienceError, Problem
from mailer.store.database import CACHE_KB

__all__ = ["Progress", "decide_columns_of_file", "import_csv"]

BATCH = 5000
_LOG_PAGES = 10_000
_CACHE_KB = 32_768

#: Called after each batch with rows read, bytes read and bytes in all.
Progress = Callable[[int, int, int], None]


def import_csv(
    db: Database,
    settings: Settings,
    source: ListFile,
    options: ImportOptions | None = None,
    *,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Imports the people of a CSV file. Returns a report with the outcome of each row.

    An `editions` column takes precedence over `options.editions`; without either, new people read all
    editions. With `options.dry_run` nothing is changed or written, and the report says what an import would
    do. `on_progress` is called after each batch with the numbers of rows and bytes read and the file's size.
    Raises AudienceError, with nothing changed, if the file cannot be used.
    """
    options = options or ImportOptions()
    chosen = checked_editions(options.editions, settings.editions) or None
    with CsvFile(source.path, source.name, encoding=options.encoding, stream=source.stream) as file:
        target = shown_path(source.refused, settings)
        _check_refused_path(source.refused, file, target)
        decided = decide_columns_of_file(file, settings, options, source.file_name)
        columns = decided.columns
        reader = RowReader(decided, settings, chosen, options.status)
        report = ImportReport(source.name, refused_name=target)
        report.unnamed_columns = tuple(place + 1 for place in columns.unnamed)
        describe_columns(report, decided, options)
        refusals = RefusedFile(source.refused, columns.refused_file_header)
        with _target_database(db, dry_run=options.dry_run) as store:
            work = _BatchedImport(store, report, source.file_name, settings)
            try:
                _import_rows(
                    file, reader, work, refusals, on_progress, first_row_is_data=not columns.has_header
                )
                if not options.dry_run:
                    report.refused_file = refusals.finish()
            finally:
                refusals.close()
        report.words = word_notes(reader.signs)
        if on_progress:
            on_progress(report.total, file.size, file.size)
    return report


def decide_columns_of_file(
    file: CsvFile, settings: Settings, options: ImportOptions, file_name: str
) -> DecidedColumns:
    """Returns what the columns hold, by the options and all rows of the file.

    Raises AudienceError if that is not clear.
    """
    columns = read_header(list(file.columns.header), options, file_name)
    if not columns.has_header and options.status:
        columns = columns_without_header(columns)
    rows = _first_row_and_other_rows(file) if not columns.has_header else file
    seen = survey_rows(rows, columns, settings.editions, check_unverified_columns=not options.status)
    file.rewind()
    decided = decide_columns(columns, seen, options, file_name)
    decided.columns.check_usable(file.name, file.header_row)
    return decided


def _first_row_and_other_rows(file: CsvFile) -> Iterator[ListRow]:
    """Yields all rows of a list without a header, beginning with the row that was read as the header."""
    yield ListRow(file.header_row, list(file.columns.header))
    yield from file


def _import_rows(
    file: CsvFile,
    reader: RowReader,
    batches: _BatchedImport,
    refusals: RefusedFile,
    on_progress: Progress | None,
    *,
    first_row_is_data: bool,
) -> None:
    """Reads every row and merges batches of rows into the database.

    With `first_row_is_data`, the row that was read as the header is imported, too.
    """
    for record in _first_row_and_other_rows(file) if first_row_is_data else file:
        try:
            if record.problem:
                raise AudienceError(record.problem)
            batches.add_entry(reader.read(record.row, record.cells))
        except AudienceError as error:
            reason = error.problems[0].message
            refusals.add_row(record.row, reason, record.cells)
            batches.add_refused_row(record.row, reader.address_cell(record.cells), reason)
        if batches.waiting_row_count >= BATCH:
            batches.merge_waiting_rows()
            if on_progress:
                on_progress(batches.finished_row_count, file.bytes_read, file.size)
    batches.merge_waiting_rows()


@contextmanager
def _target_database(db: Database, *, dry_run: bool) -> Iterator[Database]:
    """Yields the database to write to. For a dry run, this is a private copy in a temporary file."""
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


class _BatchedImport:
    """Collects rows, merges them into the database in batches, and reports outcomes in the file's order."""

    def __init__(self, db: Database, report: ImportReport, origin: str, settings: Settings) -> None:
        self._db = db
        self._report = report
        self._origin = origin
        self._all_editions = tuple(settings.editions)
        self._zone = settings.publication.zone
        self._entries: list[ListEntry] = []
        self._refused: list[tuple[int, str, str]] = []

    @property
    def finished_row_count(self) -> int:
        """Returns how many rows have been merged or refused."""
        return self._report.total

    @property
    def waiting_row_count(self) -> int:
        """Returns how many rows wait for the next batch."""
        return len(self._entries) + len(self._refused)

    def add_entry(self, entry: ListEntry) -> None:
        self._entries.append(entry)

    def add_refused_row(self, row: int, address: str, reason: str) -> None:
        self._refused.append((row, address[:200], reason))

    def merge_waiting_rows(self) -> None:
        outcomes: list[Outcome] = []
        if self._entries:
            merged = merge_entries(
                self._db,
                self._entries,
                origin=self._origin,
                all_editions=self._all_editions,
                zone=self._zone,
            )
            outcomes = merged.outcomes
            self._report.no_edition += merged.no_edition
            for entry in self._entries:
                if entry.cleaned:
                    self._report.note_cleaned_address(entry.row, entry.address.address, entry.cleaned)
                for column, reason in entry.notes:
                    self._report.note_left_out_cell(entry.row, entry.address.address, column, reason)
        reported = [(row, address, "refused", reason) for row, address, reason in self._refused]
        reported += [
            (entry.row, entry.address.address, outcome, reason)
            for entry, (outcome, reason) in zip(self._entries, outcomes, strict=True)
        ]
        for line in sorted(reported) if self._refused else reported:
            self._report.add_outcome(*line)
        self._entries, self._refused = [], []


def _check_refused_path(refused_path: Path, file: CsvFile, shown_name: str) -> None:
    """Raises AudienceError if the file of refused rows could not be written.

    Messages call that file `shown_name`.
    """
    folder = refused_path.absolute().parent
    problem = ""
    if not folder.is_dir():
        problem = "the folder does not exist; name another file with --refused FILE"
    elif refused_path.is_dir() or not os.access(folder, os.W_OK):
        problem = "refused rows cannot be written here; name another file with --refused FILE"
    elif refused_path.exists() and (refused_path.stat().st_dev, refused_path.stat().st_ino) == file.file_id():
        problem = "is the list itself; name another file with --refused FILE"
    if problem:
        raise AudienceError(Problem(problem, shown_name))

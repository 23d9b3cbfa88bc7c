"""Imports subscribers from a CSV file, from standard input, or from all CSV files in an archive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from mailer.audience.exchange.columns.options import ImportOptions, options_of_command
from mailer.audience.exchange.files.codec_names import codecs_for_encoding
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import OUTCOMES, ImportReport
from mailer.audience.exchange.sources import open_sources
from mailer.audience.values.cells import checked_editions
from mailer.config import Settings
from mailer.services.subscribers.import_document import import_report_json
from mailer.store.database import open_store

__all__ = ["ImportProgress", "ImportRequest", "ImportedLists", "import_lists"]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Holds the parameters of an import; "", () and None stand for options that were not given.

    `file` is a CSV file, an archive of CSV files, or `-` for standard input. `editions` are the editions that
    the people get. `refused` is the file to write refused rows to. `encoding` is the encoding of the file,
    and `tool` the program that exported it. `maps` are COLUMN=FIELD, and `ignored` are columns to leave out.
    `status` is the status of everybody in the file. `dates` is the order of day and month: dmy or mdy. With
    `dry_run`, nothing is changed.
    """

    file: Path
    editions: tuple[str, ...] = ()
    refused: Path | None = None
    encoding: str = ""
    tool: str | None = None
    maps: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    status: str | None = None
    dates: str | None = None
    dry_run: bool = False


class ImportProgress(NamedTuple):
    """Holds the progress of an import: the name of the list, the rows read, the bytes read, and the size of
    the list in bytes."""

    name: str
    rows: int
    done: int
    size: int


@dataclass(frozen=True, slots=True)
class ImportedLists:
    """Holds the result of an import: a report for each list, and the names of the other files in an archive
    (`left_out`)."""

    name: str
    reports: tuple[ImportReport, ...]
    is_archive: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def has_refused_rows(self) -> bool:
        """Returns whether any row was refused."""
        return any(report.count("refused") for report in self.reports)

    @property
    def counts(self) -> dict[str, int]:
        """Returns the number of rows in all lists, and the number of rows for each outcome."""
        outcomes = {name: sum(report.count(name) for report in self.reports) for name in OUTCOMES}
        return {"rows": sum(report.total for report in self.reports), **outcomes}

    def to_json(self) -> dict[str, Any]:
        """Returns the report on the list as JSON data. For an archive, returns the sums and the report on
        each list."""
        documents = [import_report_json(report) for report in self.reports]
        if not self.is_archive:
            return documents[0]
        return {"file": self.name, **self.counts, "lists": documents, "left_out": list(self.left_out)}


def import_lists(
    settings: Settings, request: ImportRequest, on_progress: Callable[[ImportProgress], None] | None = None
) -> ImportedLists:
    """Adds and updates the people in a list or an archive. Never reactivates somebody who has left.

    Raises AudienceError, with nothing changed, if the request is invalid or a list cannot be used.
    """
    options = _import_options(settings, request)
    with (
        closing(open_store(settings.database)) as db,
        open_sources(request.file, settings, refused=request.refused, options=options) as sources,
    ):
        list_options = replace(options, partial=sources.is_archive)
        reports = [
            import_csv(
                db, settings, source, list_options, on_progress=_progress_with_list_name(source, on_progress)
            )
            for source in sources.lists
        ]
        return ImportedLists(sources.name, tuple(reports), sources.is_archive, sources.left_out)


def _import_options(settings: Settings, request: ImportRequest) -> ImportOptions:
    editions = checked_editions(request.editions, settings.editions)
    options = options_of_command(
        tool=request.tool,
        maps=request.maps,
        ignored=request.ignored,
        status=request.status,
        order=request.dates,
        dry_run=request.dry_run,
    )
    if request.encoding:
        codecs_for_encoding(request.encoding)  # raises early for an unknown name
    return replace(options, editions=editions, encoding=request.encoding)


def _progress_with_list_name(
    source: ListFile, on_progress: Callable[[ImportProgress], None] | None
) -> Callable[[int, int, int], None] | None:
    """Returns a progress callback for one list, which adds the list's name and calls `on_progress`; None if
    `on_progress` is None."""
    if on_progress is None:
        return None
    return lambda rows, done, size: on_progress(ImportProgress(source.name, rows, done, size))

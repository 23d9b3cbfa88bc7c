"""Imports lists of people: a CSV file, standard input, or each list of an archive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from mailer.audience.exchange.columns.options import Options, options_of
from mailer.audience.exchange.files.codec_names import codecs_named
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import OUTCOMES, ImportReport
from mailer.audience.exchange.sources import open_sources
from mailer.audience.values.cells import editions_of
from mailer.config import Settings
from mailer.services.subscribers.import_document import document_of_list
from mailer.store.database import open_store

__all__ = ["ImportProgress", "ImportRequest", "ImportedLists", "import_lists"]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A list that is to be imported, with what an operator says of it; "", () and None say nothing.

    `file` is a CSV file, an archive of them, or `-` for standard input. `editions` are what its people read,
    `refused` where refused rows go, `encoding` how the file is encoded, `tool` whose export it is, `maps`
    COLUMN=FIELD, `ignored` columns to leave out, `status` that of everybody, `dates` dmy or mdy. With
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
    """How far an import is: the name of the list, rows read, bytes read, and bytes in all."""

    name: str
    rows: int
    done: int
    size: int


@dataclass(frozen=True, slots=True)
class ImportedLists:
    """What became of an import: a report for each list, and what stood beside them in an archive."""

    name: str
    reports: tuple[ImportReport, ...]
    is_archive: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def has_refused(self) -> bool:
        """Whether any row was refused."""
        return any(report.count("refused") for report in self.reports)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of all lists there were, and how many came to each outcome."""
        outcomes = {name: sum(report.count(name) for report in self.reports) for name in OUTCOMES}
        return {"rows": sum(report.total for report in self.reports), **outcomes}

    def to_json(self) -> dict[str, Any]:
        """Returns the report of the list as JSON data; of an archive the sum, with the report of each."""
        documents = [document_of_list(report) for report in self.reports]
        if not self.is_archive:
            return documents[0]
        return {"file": self.name, **self.counts, "lists": documents, "left_out": list(self.left_out)}


def import_lists(
    settings: Settings, request: ImportRequest, on_progress: Callable[[ImportProgress], None] | None = None
) -> ImportedLists:
    """Adds and updates people. Nobody who has left is brought back.

    Raises AudienceError, with nothing changed, where the request is wrong or a list cannot be used.
    """
    options = _options(settings, request)
    with (
        closing(open_store(settings.database)) as db,
        open_sources(request.file, settings, refused=request.refused, options=options) as sources,
    ):
        list_options = replace(options, partial=sources.is_archive)
        reports = [
            import_csv(db, settings, source, list_options, on_progress=_named(source, on_progress))
            for source in sources.lists
        ]
        return ImportedLists(sources.name, tuple(reports), sources.is_archive, sources.left_out)


def _options(settings: Settings, request: ImportRequest) -> Options:
    editions = editions_of(request.editions, settings.editions)
    options = options_of(
        tool=request.tool,
        maps=request.maps,
        ignored=request.ignored,
        status=request.status,
        order=request.dates,
        dry_run=request.dry_run,
    )
    if request.encoding:
        codecs_named(request.encoding)  # said at once where there is none of this name
    return replace(options, editions=editions, encoding=request.encoding)


def _named(
    source: ListFile, on_progress: Callable[[ImportProgress], None] | None
) -> Callable[[int, int, int], None] | None:
    """The callback of one list, which tells the name of the list too."""
    if on_progress is None:
        return None
    return lambda rows, done, size: on_progress(ImportProgress(source.name, rows, done, size))

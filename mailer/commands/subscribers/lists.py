"""`mailer subscribers import` and `export`: lists of people in and out, as CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mailer.audience import segments
from mailer.audience.exchange.columns.options import Options, options_of
from mailer.audience.exchange.exporter import export_csv
from mailer.audience.exchange.files.codec_names import codecs_named
from mailer.audience.exchange.importer import Progress as OnProgress
from mailer.audience.exchange.importer import import_csv, shown_path
from mailer.audience.exchange.report import OUTCOMES, ImportReport
from mailer.audience.exchange.sources import Source, Sources, open_sources
from mailer.audience.values.cells import STATUSES, editions_of
from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.commands.output_files import target_of
from mailer.commands.subscribers.import_text import document, say_report
from mailer.config import Settings
from mailer.display_text import nearest
from mailer.errors import AudienceError
from mailer.store.database import open_store, open_to_read

__all__ = ["Filter", "export_list", "filter_of", "import_list"]

#: So many rows of a kind are told one by one to a person; --json has more of them.
_TOLD = 20
#: Without a terminal, a line each time so many more rows are read.
_LINE_ROWS = 100_000

Filter = dict[str, Any]


def import_list(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A CSV file with a header, a zip archive of such files, or - for standard input.",
        ),
    ],
    edition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What they read; may be given several times.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where refused rows go; else FILE.refused.csv.")
    ] = None,
    encoding: Annotated[
        str,
        typer.Option(metavar="NAME", help="How the file is encoded, such as cp1252; else it is found out."),
    ] = "",
    tool: Annotated[
        str | None,
        typer.Option("--as", metavar="TOOL", help="Whose export it is, or plain; else it is recognised."),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=FIELD", help="What a column holds; may be given several times."
        ),
    ] = None,
    ignored: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="COLUMN", help="A column to leave out; may be given several times."),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Everybody in it is unsubscribed, bounced, complained or suppressed."),
    ] = None,
    dates: Annotated[
        str | None, typer.Option(metavar="dmy|mdy", help="Whether dates have the day or the month first.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only says what would be done.")] = False,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Adds and updates people from a CSV file. Who has left is never brought back."""
    settings = settings_of(context)
    names = editions_of(edition or (), settings.editions)
    options = options_of(
        tool=tool, maps=maps or (), ignored=ignored or (), status=status, order=dates, dry_run=dry_run
    )
    if encoding:
        codecs_named(encoding)  # said at once where there is none of this name
    db = open_store(settings.database)

    def import_one(source: Source, options: Options) -> ImportReport:
        with _watching(quiet=as_json) as on_progress:
            return import_csv(
                db,
                settings,
                source.path,
                editions=names,
                refused=source.refused,
                on_progress=on_progress,
                encoding=encoding,
                stream=source.stream,
                name=source.name,
                file_name=source.file_name,
                options=options,
            )

    with open_sources(file, settings, refused=refused, encoding=encoding, options=options) as sources:
        told = replace(options, partial=sources.is_archive)
        reports = [import_one(source, told) for source in sources.lists]
    _tell(sources, reports, settings, as_json=as_json)
    if any(report.count("refused") for report in reports):
        raise typer.Exit(1)


def _tell(sources: Sources, reports: list[ImportReport], settings: Settings, *, as_json: bool) -> None:
    """The report of each list; of an archive a sum too."""
    documents = [document(report, settings) for report in reports]
    if not as_json:
        for report in reports:
            say_report(report, settings)
        if sources.is_archive:
            _say_sum(sources, reports)
    elif not sources.is_archive:
        emit_json(documents[0])
    else:
        counts = {key: sum(document[key] for document in documents) for key in ("rows", *OUTCOMES)}
        emit_json({"file": sources.name, **counts, "lists": documents, "left_out": list(sources.left_out)})


def _say_sum(sources: Sources, reports: list[ImportReport]) -> None:
    say(f"{sources.name}: {sum(report.total for report in reports):,} rows in {len(reports)} lists")
    for outcome in OUTCOMES:
        count = sum(report.count(outcome) for report in reports)
        if count:
            say(f"  {outcome:<10}{count:>11,}")
    for name in sources.left_out[:_TOLD]:
        say(f"Left out, because it is no list: {name}")
    if len(sources.left_out) > _TOLD:
        say(f"… and {len(sources.left_out) - _TOLD:,} more that are no lists")


def export_list(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file; else standard output.")
    ] = None,
    status: Annotated[str | None, typer.Option(help="Only people of this status.")] = None,
    edition: Annotated[str | None, typer.Option(metavar="NAME", help="Only who reads this edition.")] = None,
    segment: Annotated[str | None, typer.Option(metavar="EXPR", help="Only this segment.")] = None,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Writes people as a CSV file that an import reads back."""
    settings = settings_of(context)
    wanted = filter_of(settings, status, edition, segment)
    target = target_of(output)
    if target.is_output and as_json:
        raise AudienceError("--json and the list cannot both go to standard output; add -o FILE")
    db = open_to_read(settings.database)
    with target.opened() as file:
        count = export_csv(db, file, **wanted)
    if output is None:
        return
    name = shown_path(output, settings)
    if as_json:
        emit_json({"file": name, "exported": count})
    else:
        say(f"{count:,} people are in {name}.", err=target.is_output)


def filter_of(settings: Settings, status: str | None, edition: str | None, segment: str | None) -> Filter:
    """The options that choose people, checked, as `list_subscribers` and `export_csv` take them."""
    known = (*STATUSES, segments.SUPPRESSED)
    if status is not None and status not in known:
        near = nearest(status, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise AudienceError(f'there is no status "{status}"; {hint}')
    if edition is not None:
        editions_of((edition,), settings.editions)
    parsed = segments.parse(segment, settings.publication.zone) if segment is not None else None
    return {"status": status, "edition": edition, "segment": parsed}


@contextmanager
def _watching(*, quiet: bool) -> Iterator[OnProgress]:
    """A bar on a terminal, a line now and then elsewhere."""
    if sys.stderr.isatty() and not quiet:
        columns = (BarColumn(), TextColumn("{task.fields[rows]} rows"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("import", total=None, rows="0")
            yield lambda rows, done, size: bar.update(task, completed=done, total=size, rows=f"{rows:,}")
        return
    told = 0

    def tell(rows: int, done: int, size: int) -> None:
        nonlocal told
        if not quiet and rows // _LINE_ROWS > told:
            told = rows // _LINE_ROWS
            say(f"{rows:,} rows read, {done * 100 // max(size, 1)} % of the file", err=True)

    yield tell

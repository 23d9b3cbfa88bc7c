"""Implements `mailer subscribers import` and `export`, which read and write CSV lists."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mailer.audience.exchange.list_file import shown_path
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.output_files import output_target
from mailer.commands.subscribers.filters import EditionFilter, SegmentFilter, StatusFilter
from mailer.commands.subscribers.import_text import say_import
from mailer.errors import AudienceError
from mailer.services.subscribers import listing
from mailer.services.subscribers.importing import ImportProgress, ImportRequest, import_lists
from mailer.services.subscribers.listing import SubscriberFilter

__all__ = ["export_list", "import_list"]

#: Without a terminal, a line is printed each time that this many more rows have been read.
_LINE_ROWS = 100_000

_Words = list[str] | None

_File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="The list: a CSV file with a header, a zip archive of them, or - for standard input.",
    ),
]
_Editions = Annotated[
    _Words,
    typer.Option(metavar="NAME", help="An edition they read, such as morning; may be given several times."),
]
_Refused = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The file for refused rows, such as bad.csv; otherwise FILE.refused.csv."
    ),
]
_Encoding = Annotated[
    str,
    typer.Option(metavar="NAME", help="The encoding of the file, such as cp1252; otherwise it is detected."),
]
_Tool = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="TOOL",
        help="The tool that exported the list, such as mailchimp, or plain; otherwise it is detected.",
    ),
]
_Maps = Annotated[
    _Words,
    typer.Option(
        "--map",
        metavar="COLUMN=FIELD",
        help="The field that a column holds, such as Mail=address; may be given several times.",
    ),
]
_Ignored = Annotated[
    _Words,
    typer.Option(
        "--ignore", metavar="COLUMN", help="A column to leave out, such as Notes; may be given several times."
    ),
]
_Status = Annotated[
    str | None,
    typer.Option(
        help="The status of everybody in the list: unsubscribed, bounced, complained or suppressed."
    ),
]
_Dates = Annotated[
    str | None,
    typer.Option(metavar="dmy|mdy", help="The order of dates such as 03/04/2026: day first or month first."),
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would be done, and change nothing.")]


def import_list(
    context: typer.Context,
    file: _File,
    edition: _Editions = None,
    refused: _Refused = None,
    encoding: _Encoding = "",
    tool: _Tool = None,
    maps: _Maps = None,
    ignored: _Ignored = None,
    status: _Status = None,
    dates: _Dates = None,
    dry_run: _DryRun = False,
    as_json: JsonFlag = False,
) -> None:
    """Adds and updates people from a CSV file. People who have left stay unsubscribed."""
    request = ImportRequest(
        file,
        editions=tuple(edition or ()),
        refused=refused,
        encoding=encoding,
        tool=tool,
        maps=tuple(maps or ()),
        ignored=tuple(ignored or ()),
        status=status,
        dates=dates,
        dry_run=dry_run,
    )
    with _show_progress(quiet=as_json) as on_progress:
        imported = import_lists(settings_of(context), request, on_progress)
    if as_json:
        emit_json(imported.to_json())
    else:
        say_import(imported)
    if imported.has_refused_rows:
        raise typer.Exit(1)


def export_list(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write, such as list.csv; otherwise standard output.",
        ),
    ] = None,
    status: StatusFilter = None,
    edition: EditionFilter = None,
    segment: SegmentFilter = None,
    as_json: JsonFlag = False,
) -> None:
    """Exports people as a CSV file that `import` can read."""
    settings = settings_of(context)
    target = output_target(output)
    if target.is_standard_output and as_json:
        raise AudienceError("--json and the list cannot both go to standard output; add -o FILE")
    name = shown_path(output, settings) if output else ""
    exported = listing.export_people(
        settings, SubscriberFilter(status, edition, segment), target.open_text(), file_name=name
    )
    if as_json:
        emit_json(exported.to_json())
    elif name:
        say(f"{exported.number:,} people are in {name}.", err=target.is_standard_output)


@contextmanager
def _show_progress(*, quiet: bool) -> Iterator[Callable[[ImportProgress], None]]:
    """Shows the progress of an import in the `with` block.

    On a terminal it is a bar, otherwise a line every 100,000 rows. Yields the function to
    call each time the progress changes. If `quiet` is True, nothing is printed.
    """
    if sys.stderr.isatty() and not quiet:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), TextColumn("{task.fields[rows]} rows"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("import", total=None, rows="0")
            yield lambda at: bar.update(task, completed=at.done, total=at.size, rows=f"{at.rows:,}")
        return
    told: dict[str, int] = {}

    def tell(at: ImportProgress) -> None:
        if not quiet and at.rows // _LINE_ROWS > told.get(at.name, 0):
            told[at.name] = at.rows // _LINE_ROWS
            say(f"{at.rows:,} rows read, {at.done * 100 // max(at.size, 1)} % of the file", err=True)

    yield tell

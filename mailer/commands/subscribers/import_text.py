"""Prints the report of an import as text."""

from __future__ import annotations

from mailer.audience.exchange.report import OUTCOMES, ColumnNote, ImportReport, WordNote
from mailer.audience.values.address import quote
from mailer.commands.context import say
from mailer.services.subscribers.importing import ImportedLists

__all__ = ["say_import"]

#: At most this many rows of a kind are printed one by one; --json has more of them.
_MAX_SHOWN = 20


def say_import(imported: ImportedLists) -> None:
    """Prints the report of each list, and for a zip archive also the totals."""
    for report in imported.reports:
        _say_report_of_list(report)
    if imported.is_archive:
        _say_totals_of_archive(imported)


def _say_totals_of_archive(imported: ImportedLists) -> None:
    counts = imported.counts
    say(f"{imported.name}: {counts['rows']:,} rows in {len(imported.reports)} lists")
    for outcome in OUTCOMES:
        if counts[outcome]:
            say(f"  {outcome:<10}{counts[outcome]:>11,}")
    for name in imported.left_out[:_MAX_SHOWN]:
        say(f"Left out, because it is not a list: {name}")
    if len(imported.left_out) > _MAX_SHOWN:
        say(f"… and {len(imported.left_out) - _MAX_SHOWN:,} more that are not lists")


def _say_report_of_list(report: ImportReport) -> None:
    """Prints the report of one list.

    The columns are listed in a dry run, or if the name of any column differs from the field it is read as.
    """
    say(f"{report.file}: {report.total:,} row{'' if report.total == 1 else 's'}")
    if report.read_as:
        say(f"read as {report.read_as}")
    if report.dry_run or not all(note.plain for note in report.columns):
        for column in report.columns:
            say(f"  {_column_text(column)}")
    for word in report.words[:_MAX_SHOWN] if report.profile != "mailer" else ():
        say(f"  {_status_word_text(word)}")
    for outcome in OUTCOMES:
        if report.count(outcome):
            say(f"  {outcome:<10}{report.count(outcome):>11,}  rows {report.rows[outcome]}")
    if report.no_edition:
        readers = _active_people_phrase(report.no_edition)
        say(f"{readers} no edition, so no issue is sent to them. Name an edition with --edition NAME.")
    _say_row_notes(report)
    _say_cell_notes(report)
    if report.unnamed_columns:
        places = ", ".join(str(place) for place in report.unnamed_columns)
        say(f"Left out, because the header does not name them: columns {places}.")
    if report.refused_file:
        say(f"The refused rows are in {report.refused_name}. Correct them there and import that file.")
    if report.dry_run:
        say("This was a dry run: nothing was changed.")


def _column_text(note: ColumnNote) -> str:
    hint = f"; did you mean --map {note.column}={note.hint}?" if note.hint else ""
    return f"{note.column} → {note.read_as}{hint}"


def _status_word_text(note: WordNote) -> str:
    word = note.word if note.word.startswith("(") else quote(note.word, 40)
    became = note.status or "left out"
    return f"{note.column}: {word} → {became}, {note.rows:,} row{'' if note.rows == 1 else 's'}"


def _active_people_phrase(number: int) -> str:
    return (
        "1 active person of the list reads" if number == 1 else f"{number:,} active people of the list read"
    )


def _say_row_notes(report: ImportReport) -> None:
    """Prints the rows that have a note, for example because a row was refused."""
    for outcome in ("updated", "added", "kept", "refused"):
        notes = [note for note in report.notes if note.outcome == outcome]
        for note in notes[:_MAX_SHOWN]:
            who = f"{note.address}: " if outcome != "refused" else ""
            say(f"row {note.row}: {who}{note.reason}")
        told = report.count(outcome) if outcome in ("kept", "refused") else len(notes)
        left = told - min(len(notes), _MAX_SHOWN)
        if left:
            say(f"… and {left:,} more rows that were {outcome}")


def _say_cell_notes(report: ImportReport) -> None:
    for note in report.cells[:_MAX_SHOWN]:
        say(f"row {note.row}: {note.address}: {note.column} is left out: {note.reason}")
    for cleaned in report.cleaned[:_MAX_SHOWN]:
        say(f"row {cleaned.row}: {cleaned.address} was written with {cleaned.reason}")
    rest = report.addresses_cleaned - min(len(report.cleaned), _MAX_SHOWN)
    if rest > 0:
        say(f"… and {rest:,} more addresses that were cleaned")
    left = report.cells_left_out - min(len(report.cells), _MAX_SHOWN)
    if left > 0:
        say(f"… and {left:,} more cells that were left out")

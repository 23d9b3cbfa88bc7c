"""Adds to an import's report how the list was read: which tool wrote it, and what each column and word means.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailer.audience.exchange.columns.decided_columns import DecidedColumns
from mailer.audience.exchange.columns.names import field_and_rank, suggested_field
from mailer.audience.exchange.columns.options import ImportOptions
from mailer.audience.exchange.columns.profile import PLAIN
from mailer.audience.exchange.columns.signs import CellRule, StatusColumn
from mailer.audience.exchange.report import ColumnNote, ImportReport, WordNote

__all__ = ["describe_columns", "word_notes"]

#: Columns of mailer's own exports need no note: their names say what they are.
_OWN = "mailer"
_SAID = {
    "confirmed": "joined, if the other column is empty",
    "first_name": "first name",
    "last_name": "last name",
    "consent_at": "time of the consent",
    "consent_method": "how they agreed",
    "consent_origin": "where they agreed",
}


def describe_columns(report: ImportReport, decided: DecidedColumns, options: ImportOptions) -> None:
    """Records in the report which tool wrote the list, how columns are read, and whether it is a dry run."""
    columns = decided.columns
    report.dry_run = options.dry_run
    report.profile = columns.profile.name
    if columns.profile.name not in (PLAIN, _OWN) and columns.has_header:
        report.read_as = columns.kind.says
    report.columns = tuple(_column_notes(decided)) if columns.has_header else ()


def _column_notes(decided: DecidedColumns) -> Iterable[ColumnNote]:
    columns = decided.columns
    fields: dict[int, str] = {place: field for field, place in columns.fields.items()}
    keys = dict(columns.attributes)
    signs = dict(columns.signs)
    for place, name in enumerate(columns.header):
        if not name:
            continue
        own = columns.profile.name == _OWN
        if place in fields:
            field = fields[place]
            said = _SAID.get(field, field)
            named = field_and_rank(name)
            plain = own or (named is not None and named[0] == field)
            yield ColumnNote(name, f"{said}{_status_suffix(signs.get(place))}", plain=plain)
        elif place in keys:
            hint = suggested_field(name, columns.fields) if place in columns.unverified else ""
            said = f"kept as attribute {keys[place]}{_status_suffix(signs.get(place))}"
            yield ColumnNote(name, said, hint, plain=own)
        elif place in signs:
            named = field_and_rank(name)
            yield ColumnNote(
                name, signs[place].in_words(), plain=own or (named is not None and named[0] == "status")
            )
        elif place == columns.json_place:
            yield ColumnNote(name, "attributes in JSON")
        else:
            yield ColumnNote(name, "left out", plain=own)


def _status_suffix(rule: CellRule | None) -> str:
    return f", and {rule.in_words()}" if rule else ""


def word_notes(signs: Iterable[StatusColumn]) -> tuple[WordNote, ...]:
    """Returns what each word in the columns of statuses became, by column, the most frequent words first."""
    notes = [
        WordNote(sign.column, word.strip(), meaning.status, meaning.rows)
        for sign in signs
        for word, meaning in sign.meanings.items()
        if meaning.rows and (meaning.status or meaning.note)
    ]
    notes += [
        WordNote(sign.column, word.strip(), "refused", rows)
        for sign in signs
        for word, rows in sign.refused.items()
    ]
    return tuple(sorted(notes, key=lambda note: (note.column, -note.rows, note.word)))

"""Adds to an import's report how the list was read: the tool, each column, each word for a status. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.audience.exchange.columns.decided_columns import DecidedColumns
from mailer.audience.exchange.columns.names import field_of, suggestion
from mailer.audience.exchange.columns.options import Options
from mailer.audience.exchange.columns.profile import PLAIN
from mailer.audience.exchange.columns.signs import Rule, Sign
from mailer.audience.exchange.report import ColumnNote, ImportReport, WordNote

__all__ = ["describe", "words_of"]

#: Columns of mailer's own exports need no note: their names say what they are.
_OWN = "mailer"
_SAID = {
    "confirmed": "joined, where the other column is empty",
    "first_name": "first name",
    "last_name": "last name",
    "consent_at": "time of the consent",
    "consent_method": "how they agreed",
    "consent_origin": "where they agreed",
}


def describe(report: ImportReport, decided: DecidedColumns, options: Options) -> None:
    """Notes in the report which tool wrote the list, how each column is read, and whether it is a dry run."""
    columns = decided.columns
    report.dry_run = options.dry_run
    report.profile = columns.profile.name
    if columns.profile.name not in (PLAIN, _OWN) and columns.has_header:
        report.read_as = columns.kind.says
    report.columns = tuple(_notes(decided)) if columns.has_header else ()


def _notes(decided: DecidedColumns) -> Iterable[ColumnNote]:
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
            named = field_of(name)
            plain = own or (named is not None and named[0] == field)
            yield ColumnNote(name, f"{said}{_also(signs.get(place))}", plain=plain)
        elif place in keys:
            hint = suggestion(name, columns.fields) if place in columns.unverified else ""
            said = f"kept as attribute {keys[place]}{_also(signs.get(place))}"
            yield ColumnNote(name, said, hint, plain=own)
        elif place in signs:
            named = field_of(name)
            yield ColumnNote(
                name, signs[place].says(), plain=own or (named is not None and named[0] == "status")
            )
        elif place == columns.json_place:
            yield ColumnNote(name, "attributes, opened")
        else:
            yield ColumnNote(name, "left out", plain=own)


def _also(rule: Rule | None) -> str:
    return f", and {rule.says()}" if rule else ""


def words_of(signs: Iterable[Sign]) -> tuple[WordNote, ...]:
    """Returns what each word for a status became, the most frequent first."""
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

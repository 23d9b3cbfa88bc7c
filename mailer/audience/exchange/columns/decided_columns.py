"""Decides the columns of a list by all of its rows: the address, choices, date orders, unverified columns.

A list with anything unclear is refused, with sentences that say which option to add to the command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailer.audience.exchange.columns.cell_words import column_key
from mailer.audience.exchange.columns.exclusion_words import names_exclusion_file
from mailer.audience.exchange.columns.header import Columns, quoted
from mailer.audience.exchange.columns.names import CHOICES
from mailer.audience.exchange.columns.options import Options
from mailer.audience.exchange.columns.signs import Rule
from mailer.audience.exchange.columns.survey import Choice, Dates, Survey
from mailer.audience.values.address import quote
from mailer.audience.values.written_dates import EVERY_ORDER

__all__ = ["DecidedColumns", "columns_without_header", "decide_columns"]

#: The profile of mailer's own exports, which say who has left.
_OWN = "mailer"


@dataclass(frozen=True, slots=True)
class DecidedColumns:
    """Holds the columns, and the order of the dates at each place."""

    columns: Columns
    orders: Mapping[int, str]


def decide_columns(columns: Columns, seen: Survey, options: Options, file: str = "") -> DecidedColumns:
    """Returns the columns as the whole list decides them. `columns.problems` has what is still unclear."""
    dates = dict(seen.dates)
    columns = _with_address_column(columns, seen, options)
    for place in columns.choices:
        columns = _with_choice(columns, place, seen.choices[place], dates, unverified=not options.status)
    problems = [*columns.problems]
    if not (options.status or options.tool or options.maps or options.ignored):
        problems += _file_name_problems(columns, file, archived=options.partial)
    if not options.status:
        problems += [
            _undeclared_problem(columns.header[place], cell)
            if columns.header[place]
            else _unnamed_problem(place, cell)
            for place, cell in sorted(seen.leaving.items())
        ]
    orders = {}
    for place, found in dates.items():
        order = "ymd" if found.orders == EVERY_ORDER else min(found.orders)
        orders[place] = options.order or order
        if not options.order and found.clash:
            problems.append(_mixed_dates_problem(columns.header[place], found))
        elif not options.order and found.example and len(found.orders) > 1:
            problems.append(_ambiguous_dates_problem(columns.header[place], found))
    return DecidedColumns(replace(columns, problems=tuple(problems)), orders)


def columns_without_header(columns: Columns) -> Columns:
    """Returns the columns of a list without a header: the addresses alone, found by content."""
    return replace(
        columns,
        fields={},
        attributes=(),
        unnamed=tuple(range(columns.width)),
        problems=(),
        signs=(),
        choices=(),
        unverified=(),
        ignored=(),
        json_place=-1,
    )


def _with_address_column(columns: Columns, seen: Survey, options: Options) -> Columns:
    """Returns the columns with the address where most addresses stand, if no name says which column it is."""
    if "address" in columns.fields or not (columns.has_header or options.status):
        return columns
    free = {place for place, _ in columns.attributes} | set(columns.choices) | set(columns.unnamed)
    free -= set(columns.unnamed) if columns.has_header else set()
    counts = {
        place: number
        for place, number in seen.addresses.items()
        if place in free and (number * 2 > seen.filled[place] or not columns.has_header)
    }
    if not counts:
        return columns
    place = min(counts, key=lambda place: (-counts[place], place))
    return replace(
        columns,
        unnamed=tuple(other for other in columns.unnamed if other != place),
        fields={**columns.fields, "address": place},
        attributes=tuple(pair for pair in columns.attributes if pair[0] != place),
        choices=tuple(other for other in columns.choices if other != place),
    )


def _with_choice(
    columns: Columns, place: int, choice: Choice, dates: dict[int, Dates], *, unverified: bool
) -> Columns:
    """Returns the columns with a column such as `Newsletter` read as its cells suggest."""
    name = column_key(columns.header[place])
    status, field = CHOICES[name]
    if field == "state":
        return _with_state(columns, place, choice, unverified=unverified)
    if choice.no or choice.excluded or ((choice.yes or choice.words) and not (choice.other or choice.dated)):
        blank = "pending" if choice.yes or choice.words > choice.excluded else ""
        if field == "consent_at" and choice.other:
            columns = _with_field(columns, "consent_method", place)
            return replace(columns, signs=(*columns.signs, (place, Rule("refusal", status, blank))))
        return replace(columns, signs=(*columns.signs, (place, Rule("no", status, blank))))
    alone = not (choice.yes or choice.words)
    if alone and choice.dated and not choice.other and field and field not in columns.fields:
        dates[place] = choice.dates
        return _with_field(columns, field, place)
    if alone and choice.editions and not (choice.other or choice.dated) and "editions" not in columns.fields:
        return _with_field(columns, "editions", place)
    if field == "consent_at" and "consent_method" not in columns.fields:
        return _with_field(columns, "consent_method", place)
    return columns.with_attribute(place)


def _with_state(columns: Columns, place: int, choice: Choice, *, unverified: bool) -> Columns:
    """Returns the columns with a status column, if it holds nothing but words for a status."""
    if choice.words and not (choice.other or choice.dated or choice.editions):
        return replace(columns, signs=(*columns.signs, (place, Rule("words"))))
    if choice.leaving and unverified:
        problem = _undeclared_problem(columns.header[place], choice.leaving)
        columns = replace(columns, problems=(*columns.problems, problem))
    return columns.with_attribute(place)


def _with_field(columns: Columns, field: str, place: int) -> Columns:
    """Returns the columns with the field at this place, if no other column has it."""
    return replace(columns, fields={field: place, **columns.fields})


def _undeclared_problem(name: str, cell: str) -> str:
    return (
        f"the column {quote(name, 40)} seems to tell who has left (it holds {_cell(cell)}), and no profile "
        f"knows it; read it with --map {quoted(name)}=status, leave it out with --ignore {quoted(name)}, or "
        "say --status unsubscribed where everybody in the list has left"
    )


def _unnamed_problem(place: int, cell: str) -> str:
    return (
        f"column {place + 1}, which has no name, seems to tell who has left (it holds {_cell(cell)}); call "
        "it status, or remove it"
    )


def _file_name_problems(columns: Columns, file: str, *, archived: bool) -> list[str]:
    """Returns a sentence if the name of the file says that people have left and no column says who."""
    known = columns.signs or columns.kind.everybody or columns.profile.name == _OWN
    if known or not names_exclusion_file(file):
        return []
    say = "unpack the archive, import this list by itself and say" if archived else "say"
    return [
        f"the name of the file ({quote(file, 60)}) tells of people who have left, and no column says who; "
        f"{say} --status unsubscribed, bounced or complained where everybody in the list has, or --as plain "
        "where they have not"
    ]


def _ambiguous_dates_problem(name: str, found: Dates) -> str:
    return (
        f"the dates in {quote(name, 40)} may have the day or the month first (as {_cell(found.example)}); "
        "say which with --dates dmy or --dates mdy"
    )


def _mixed_dates_problem(name: str, found: Dates) -> str:
    return (
        f"the dates in {quote(name, 40)} have the day first in some rows and the month first in others (as "
        f"{_cell(found.example)} and {_cell(found.clash)}); say which is right with --dates dmy or --dates "
        "mdy, and the others are left out"
    )


def _cell(text: str) -> str:
    return quote(text.strip(), 40)

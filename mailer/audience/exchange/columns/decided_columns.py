"""Decides what the columns of a list hold, by the cells of all rows.

The cells decide about the column of addresses, columns such as `Newsletter`, the order of day and month in
dates, and columns that may say who has left. A list with anything unclear is refused with messages that name
the option to add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailer.audience.exchange.columns.cell_words import normalized_name
from mailer.audience.exchange.columns.exclusion_words import is_exclusion_file_name
from mailer.audience.exchange.columns.header import Columns, shell_quoted
from mailer.audience.exchange.columns.names import CHOICES
from mailer.audience.exchange.columns.options import ImportOptions
from mailer.audience.exchange.columns.signs import CellRule
from mailer.audience.exchange.columns.survey import ChoiceCounts, DateOrders, SurveyResult
from mailer.audience.values.address import quote
from mailer.audience.values.written_dates import EVERY_ORDER

__all__ = ["DecidedColumns", "columns_without_header", "decide_columns"]

#: The profile of mailer's own exports, which say who has left.
_OWN = "mailer"


@dataclass(frozen=True, slots=True)
class DecidedColumns:
    """Holds the columns, and for each column of dates (by index) the order of day, month and year ("ymd",
    "dmy", "mdy").
    """

    columns: Columns
    orders: Mapping[int, str]


def decide_columns(
    columns: Columns, survey_result: SurveyResult, options: ImportOptions, file_name: str = ""
) -> DecidedColumns:
    """Returns what each column of a list holds, by the header and the survey of all rows.

    The result's `columns.problems` has messages about what is still unclear. A `file_name` that says that
    people have left gives such a message, too.
    """
    dates = dict(survey_result.dates)
    columns = _assign_address_column(columns, survey_result, options)
    for place in columns.choices:
        columns = _assign_choice_column(
            columns, place, survey_result.choices[place], dates, check_unverified_columns=not options.status
        )
    problems = [*columns.problems]
    if not (options.status or options.tool or options.maps or options.ignored):
        problems += _file_name_problems(columns, file_name, from_archive=options.partial)
    if not options.status:
        problems += [
            _undeclared_column_problem(columns.header[place], cell)
            if columns.header[place]
            else _unnamed_column_problem(place, cell)
            for place, cell in sorted(survey_result.leaving.items())
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
    """Returns the columns of a list without a header, of which only the addresses are used."""
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


def _assign_address_column(columns: Columns, survey_result: SurveyResult, options: ImportOptions) -> Columns:
    """Returns the columns with a column of addresses.

    If no column's name says that it has the addresses, the column with most addresses is taken, if any.
    """
    if "address" in columns.fields or not (columns.has_header or options.status):
        return columns
    free = {place for place, _ in columns.attributes} | set(columns.choices) | set(columns.unnamed)
    free -= set(columns.unnamed) if columns.has_header else set()
    counts = {
        place: number
        for place, number in survey_result.addresses.items()
        if place in free and (number * 2 > survey_result.filled[place] or not columns.has_header)
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


def _assign_choice_column(
    columns: Columns,
    index: int,
    choice: ChoiceCounts,
    dates: dict[int, DateOrders],
    *,
    check_unverified_columns: bool,
) -> Columns:
    """Returns the columns with a column such as `Newsletter` read in the way that its cells suggest.

    If the column has dates, their possible orders are put into `dates`. With `check_unverified_columns`, the
    column is refused if it says who has left without being declared.
    """
    name = normalized_name(columns.header[index])
    status, field = CHOICES[name]
    if field == "state":
        return _assign_status_column(
            columns, index, choice, check_unverified_columns=check_unverified_columns
        )
    if choice.no or choice.excluded or ((choice.yes or choice.words) and not (choice.other or choice.dated)):
        blank = "pending" if choice.yes or choice.words > choice.excluded else ""
        if field == "consent_at" and choice.other:
            columns = _assign_field(columns, "consent_method", index)
            return replace(columns, signs=(*columns.signs, (index, CellRule("refusal", status, blank))))
        return replace(columns, signs=(*columns.signs, (index, CellRule("no", status, blank))))
    alone = not (choice.yes or choice.words)
    if alone and choice.dated and not choice.other and field and field not in columns.fields:
        dates[index] = choice.dates
        return _assign_field(columns, field, index)
    if alone and choice.editions and not (choice.other or choice.dated) and "editions" not in columns.fields:
        return _assign_field(columns, "editions", index)
    if field == "consent_at" and "consent_method" not in columns.fields:
        return _assign_field(columns, "consent_method", index)
    return columns.with_attribute_column(index)


def _assign_status_column(
    columns: Columns, index: int, choice: ChoiceCounts, *, check_unverified_columns: bool
) -> Columns:
    """Returns the columns with a column of statuses, if all cells of the column are words for a status.

    Otherwise the column is an attribute. With `check_unverified_columns`, a problem is added if a cell says
    that a person left.
    """
    if choice.words and not (choice.other or choice.dated or choice.editions):
        return replace(columns, signs=(*columns.signs, (index, CellRule("words"))))
    if choice.leaving and check_unverified_columns:
        problem = _undeclared_column_problem(columns.header[index], choice.leaving)
        columns = replace(columns, problems=(*columns.problems, problem))
    return columns.with_attribute_column(index)


def _assign_field(columns: Columns, field: str, index: int) -> Columns:
    """Returns the columns with this column read as `field`, unless another column holds the field."""
    return replace(columns, fields={field: index, **columns.fields})


def _undeclared_column_problem(column_name: str, cell: str) -> str:
    name = shell_quoted(column_name)
    return (
        f"the column {quote(column_name, 40)} seems to tell who has left (it holds {_shown_cell(cell)}), but "
        f"no profile describes it; read it with --map {name}=status, leave it out with --ignore {name}, or "
        "add --status unsubscribed if everybody in the list has left"
    )


def _unnamed_column_problem(index: int, cell: str) -> str:
    return (
        f"column {index + 1}, which has no name, seems to tell who has left (it holds {_shown_cell(cell)}); "
        "name the column status, or remove it"
    )


def _file_name_problems(columns: Columns, file_name: str, *, from_archive: bool) -> list[str]:
    """Returns a message if the file's name says that people have left, and no column says who."""
    known = columns.signs or columns.kind.everybody or columns.profile.name == _OWN
    if known or not is_exclusion_file_name(file_name):
        return []
    add = "unpack the archive, import this list by itself and add" if from_archive else "add"
    return [
        f"the name of the file ({quote(file_name, 60)}) says that people have left, but no column says who; "
        f"{add} --status unsubscribed, bounced or complained if everybody in the list has left, or --as "
        "plain if nobody has"
    ]


def _ambiguous_dates_problem(column_name: str, date_orders: DateOrders) -> str:
    return (
        f"the dates in {quote(column_name, 40)} may begin with the day or the month (such as "
        f"{_shown_cell(date_orders.example)}); say which with --dates dmy or --dates mdy"
    )


def _mixed_dates_problem(column_name: str, date_orders: DateOrders) -> str:
    return (
        f"the dates in {quote(column_name, 40)} begin with the day in some rows and with the month in "
        f"others (such as {_shown_cell(date_orders.example)} and "
        f"{_shown_cell(date_orders.clash)}); say which is "
        "right with --dates dmy or --dates mdy; the other dates are left out"
    )


def _shown_cell(text: str) -> str:
    return quote(text.strip(), 40)

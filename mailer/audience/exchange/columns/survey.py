"""Reads a whole list before anything is written, to find out what the cells say about the columns.

The survey finds columns that say who has left without being declared, the order of day and month in dates,
the meaning of columns such as `Newsletter`, and the column of addresses if no name tells it. Memory is
limited: only some different cells of each column are remembered, to skip repeated cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from mailer.audience.exchange.columns.cell_words import folded_text, is_no, is_number, is_yes, means_no_value
from mailer.audience.exchange.columns.exclusion_words import asks_for_consent, exclusion_status
from mailer.audience.exchange.columns.header import Columns
from mailer.audience.exchange.columns.profile import leaving_words, status_words
from mailer.audience.exchange.columns.vocabulary import vocabulary, words_in
from mailer.audience.exchange.files.record import ListRow
from mailer.audience.values.cells import split_list
from mailer.audience.values.dates import date_orders_of
from mailer.audience.values.written_dates import EVERY_ORDER
from mailer.errors import AudienceError

__all__ = ["ChoiceCounts", "DateOrders", "SurveyResult", "survey_rows"]

#: The number of different cells of a column that are remembered, and of rows that are searched for addresses.
MAX_CELLS = 2000
MAX_ROWS = 1000
#: Words that mean leaving where a list is about people, and something else in a column about orders.
_WEAK = words_in(vocabulary()["elsewhere"]["words"])
_ELSEWHERE = words_in(vocabulary()["elsewhere"]["columns"])
#: Separates a word for a status from a note after it.
_BEHIND = re.compile(r"[(（\[:：,，;；|–—]|\s-\s|\s*\d")


@dataclass(slots=True)
class DateOrders:
    """Collects the orders of day, month and year in which all dates of a column can be read.

    `example` is a date that narrowed the orders, and `clash` a date that fits none of the remaining orders.
    """

    orders: frozenset[str] = EVERY_ORDER
    example: str = ""
    clash: str = ""

    def narrow_by_cell(self, cell: str) -> None:
        """Narrows the orders to those in which this cell can be read, too."""
        orders = date_orders_of(cell)
        if not orders or orders == EVERY_ORDER:
            return
        both = self.orders & orders
        if not both:
            self.clash = self.clash or cell
            return
        self.orders, self.example = both, self.example or cell


@dataclass(slots=True)
class ChoiceCounts:
    """Counts what the different cells of a column such as `Newsletter` are: yes, no, dates and so on.

    `words` counts words for a status. `excluded` counts the cells that say that a person has left, and
    `leaving` is one of these cells.
    """

    yes: int = 0
    no: int = 0
    words: int = 0
    excluded: int = 0
    editions: int = 0
    dates: DateOrders = field(default_factory=DateOrders)
    dated: int = 0
    other: int = 0
    leaving: str = ""

    def count_cell(self, cell: str, editions: Collection[str]) -> None:
        """Counts one more cell. `editions` are the names of all editions."""
        if means_no_value(cell):
            return
        word = folded_text(cell)
        if is_yes(cell):
            self.yes += 1
        elif is_no(cell):
            self.no += 1
        elif word in status_words():
            self.words += 1
            if word in leaving_words():
                self.excluded += 1
                self.leaving = cell
        elif _has_only_edition_names(editions, cell):
            self.editions += 1
        elif date_orders_of(cell):
            self.dated += 1
            self.dates.narrow_by_cell(cell)
        else:
            self.other += 1
            if exclusion_status(cell):
                self.excluded += 1
                self.leaving = self.leaving or cell


def _has_only_edition_names(editions: Collection[str], cell: str) -> bool:
    try:
        return all(part in editions for part in split_list(cell))
    except AudienceError:
        return False


@dataclass(slots=True)
class SurveyResult:
    """Holds what the cells of each column say, by the column's index.

    `leaving` has a cell that says that a person left, `filled` the number of cells with text, and `addresses`
    the number of cells with an address.
    """

    leaving: dict[int, str] = field(default_factory=dict)
    dates: dict[int, DateOrders] = field(default_factory=dict)
    choices: dict[int, ChoiceCounts] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)
    addresses: dict[int, int] = field(default_factory=dict)


def survey_rows(
    records: Iterable[ListRow], columns: Columns, editions: Collection[str], *, check_unverified_columns: bool
) -> SurveyResult:
    """Reads every row and returns what the cells say about the columns.

    With `check_unverified_columns`, columns that nobody declared are searched for cells that say who has
    left.
    """
    seen = SurveyResult()
    observers = _column_observers(seen, columns, editions, check_unverified_columns)
    watched = [(place, observe, set[str]()) for place, observe in observers]
    width = columns.width
    rows = 0
    searching = "address" not in columns.fields
    for record in records:
        cells = record.cells
        if record.problem:
            continue
        if searching and rows < MAX_ROWS:
            rows += 1
            _count_addresses(seen, cells)
        elif not watched:
            break
        if len(cells) < width:
            cells = cells + [""] * (width - len(cells))
        for place, observe, known in watched:
            cell = cells[place]
            if cell and cell not in known:
                if len(known) < MAX_CELLS:
                    known.add(cell)
                observe(cell)
    return seen


def _column_observers(
    survey_result: SurveyResult, columns: Columns, editions: Collection[str], check_unverified_columns: bool
) -> list[tuple[int, Callable[[str], None]]]:
    """Returns (index, function) for each column that is surveyed.

    The survey must call the function with each different cell of the column.
    """
    observers: list[tuple[int, Callable[[str], None]]] = []
    for name in ("joined", "confirmed", "consent_at"):
        if name in columns.fields:
            place = columns.fields[name]
            survey_result.dates[place] = DateOrders()
            observers.append((place, survey_result.dates[place].narrow_by_cell))
    for place in columns.choices:
        observers.append(
            (place, _choice_observer(survey_result.choices.setdefault(place, ChoiceCounts()), editions))
        )
    for place in columns.unverified if check_unverified_columns else ():
        observers.append((place, _leaving_cell_observer(survey_result, place, columns.header[place])))
    for place in columns.unnamed if check_unverified_columns and columns.has_header else ():
        observers.append((place, _leaving_cell_observer(survey_result, place, "")))
    return observers


def _choice_observer(choice: ChoiceCounts, editions: Collection[str]) -> Callable[[str], None]:
    return lambda cell: choice.count_cell(cell, editions)


def _leaving_cell_observer(
    survey_result: SurveyResult, index: int, column_name: str
) -> Callable[[str], None]:
    """Returns a function that notes the first cell of a column which says that a person has left.

    If the column's name means leaving, every cell with a value says so.
    """
    leaving = survey_result.leaving
    if exclusion_status(column_name):

        def observe_any_cell(cell: str) -> None:
            if index not in leaving and not means_no_value(cell):
                leaving[index] = cell

        return observe_any_cell
    if asks_for_consent(column_name):
        return _refusal_observer(leaving, index)
    words = leaving_words()
    if any(part in column_name.casefold() for part in _ELSEWHERE):
        words -= _WEAK

    def observe_word(cell: str) -> None:
        if index not in leaving and _is_leaving_word(cell, words):
            leaving[index] = cell

    return observe_word


def _is_leaving_word(cell: str, words: Collection[str]) -> bool:
    """Returns whether a cell is one of the words, even with a note after it: `Unsubscribed (by phone)`."""
    if len(cell) < 60 and folded_text(cell) in words:
        return True
    first = folded_text(_BEHIND.split(cell[:60], maxsplit=1)[0])
    return first in words and first not in _WEAK and bool(exclusion_status(first))


def _refusal_observer(leaving: dict[int, str], index: int) -> Callable[[str], None]:
    """Returns a function that puts a cell which refuses mail into `leaving`, under the column's index.

    A 0 refuses mail, unless the column has numbers above 1.
    """
    words = leaving_words()
    zero, counted = "", False

    def observe_refusal(cell: str) -> None:
        nonlocal zero, counted
        if is_number(cell):
            zero = zero or (cell if is_no(cell) else "")
            counted = counted or not (is_no(cell) or is_yes(cell))
            if zero and not counted:
                leaving.setdefault(index, zero)
            elif counted and leaving.get(index) == zero:
                leaving.pop(index, None)
        elif not means_no_value(cell) and (
            is_no(cell) or _is_leaving_word(cell, words) or _means_exclusion(cell)
        ):
            leaving[index] = cell

    return observe_refusal


def _means_exclusion(cell: str) -> bool:
    return len(cell) < 60 and bool(exclusion_status(cell))


def _count_addresses(survey_result: SurveyResult, cells: list[str]) -> None:
    for place, cell in enumerate(cells):
        if cell and not cell.isspace():
            survey_result.filled[place] = survey_result.filled.get(place, 0) + 1
            local, at, domain = cell.strip(" <>;,").rpartition("@")
            if at and local and "." in domain and " " not in domain:
                survey_result.addresses[place] = survey_result.addresses.get(place, 0) + 1

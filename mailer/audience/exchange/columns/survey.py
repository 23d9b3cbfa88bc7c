"""Surveys a whole list before anything is written: finds what its cells say about its columns.

It finds undeclared columns that say who has left, the order of day and month in dates, the meaning of a
column such as `Newsletter`, and the column of addresses where no name tells it. Memory is bounded: for each
column, a limited number of different cells is remembered, so that repeated cells are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from mailer.audience.exchange.columns.cell_words import folded, is_no, is_nothing, is_number, is_yes
from mailer.audience.exchange.columns.exclusion_words import asks_for_consent, exclusion_status
from mailer.audience.exchange.columns.header import Columns
from mailer.audience.exchange.columns.profile import leaving_words, status_words
from mailer.audience.exchange.columns.vocabulary import vocabulary, words_in
from mailer.audience.exchange.files.record import Record
from mailer.audience.values.cells import split_list
from mailer.audience.values.dates import orders_of
from mailer.audience.values.written_dates import EVERY_ORDER
from mailer.errors import AudienceError

__all__ = ["Choice", "Dates", "Survey", "survey"]

#: The number of different cells of a column that are remembered, and of rows that are searched for addresses.
MAX_CELLS = 2000
MAX_ROWS = 1000
#: Words that mean leaving where a list is about people, and something else in a column about orders.
_WEAK = words_in(vocabulary()["elsewhere"]["words"])
_ELSEWHERE = words_in(vocabulary()["elsewhere"]["columns"])
#: Separates a word for a status from a note after it.
_BEHIND = re.compile(r"[(（\[:：,，;；|–—]|\s-\s|\s*\d")


@dataclass(slots=True)
class Dates:
    """Collects the orders in which every date of a column can be read, and an ambiguous one."""

    orders: frozenset[str] = EVERY_ORDER
    example: str = ""
    clash: str = ""

    def observe(self, cell: str) -> None:
        """Takes one more cell into account."""
        orders = orders_of(cell)
        if not orders or orders == EVERY_ORDER:
            return
        both = self.orders & orders
        if not both:
            self.clash = self.clash or cell
            return
        self.orders, self.example = both, self.example or cell


@dataclass(slots=True)
class Choice:
    """Counts the different cells of a column such as `Newsletter`, by what they are."""

    yes: int = 0
    no: int = 0
    words: int = 0
    excluded: int = 0
    editions: int = 0
    dates: Dates = field(default_factory=Dates)
    dated: int = 0
    other: int = 0
    leaving: str = ""

    def observe(self, cell: str, editions: Collection[str]) -> None:
        """Takes one more cell into account."""
        if is_nothing(cell):
            return
        word = folded(cell)
        if is_yes(cell):
            self.yes += 1
        elif is_no(cell):
            self.no += 1
        elif word in status_words():
            self.words += 1
            if word in leaving_words():
                self.excluded += 1
                self.leaving = cell
        elif _are_editions(editions, cell):
            self.editions += 1
        elif orders_of(cell):
            self.dated += 1
            self.dates.observe(cell)
        else:
            self.other += 1
            if exclusion_status(cell):
                self.excluded += 1
                self.leaving = self.leaving or cell


def _are_editions(editions: Collection[str], cell: str) -> bool:
    try:
        return all(part in editions for part in split_list(cell))
    except AudienceError:
        return False


@dataclass(slots=True)
class Survey:
    """Holds what was found at each place: a cell that says who has left, dates, a choice, addresses."""

    leaving: dict[int, str] = field(default_factory=dict)
    dates: dict[int, Dates] = field(default_factory=dict)
    choices: dict[int, Choice] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)
    addresses: dict[int, int] = field(default_factory=dict)


def survey(
    records: Iterable[Record], columns: Columns, editions: Collection[str], *, unverified: bool
) -> Survey:
    """Reads every row. `unverified` says whether columns that nobody declared may say who has left."""
    seen = Survey()
    observers = _observers(seen, columns, editions, unverified)
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


def _observers(
    seen: Survey, columns: Columns, editions: Collection[str], unverified: bool
) -> list[tuple[int, Callable[[str], None]]]:
    """Returns (place, function) pairs: a function for the new cells of each column that matters."""
    observers: list[tuple[int, Callable[[str], None]]] = []
    for name in ("joined", "confirmed", "consent_at"):
        if name in columns.fields:
            place = columns.fields[name]
            seen.dates[place] = Dates()
            observers.append((place, seen.dates[place].observe))
    for place in columns.choices:
        observers.append((place, _choice_observer(seen.choices.setdefault(place, Choice()), editions)))
    for place in columns.unverified if unverified else ():
        observers.append((place, _exclusion_observer(seen, place, columns.header[place])))
    for place in columns.unnamed if unverified and columns.has_header else ():
        observers.append((place, _exclusion_observer(seen, place, "")))
    return observers


def _choice_observer(choice: Choice, editions: Collection[str]) -> Callable[[str], None]:
    return lambda cell: choice.observe(cell, editions)


def _exclusion_observer(seen: Survey, place: int, name: str) -> Callable[[str], None]:
    """Returns a function that finds the first cell which says that somebody has left.

    Where the name of the column means leaving, any cell says so.
    """
    leaving = seen.leaving
    if exclusion_status(name):

        def any_cell(cell: str) -> None:
            if place not in leaving and not is_nothing(cell):
                leaving[place] = cell

        return any_cell
    if asks_for_consent(name):
        return _refusal_observer(leaving, place)
    words = leaving_words()
    if any(part in name.casefold() for part in _ELSEWHERE):
        words -= _WEAK

    def word(cell: str) -> None:
        if place not in leaving and _is_one_of(cell, words):
            leaving[place] = cell

    return word


def _is_one_of(cell: str, words: Collection[str]) -> bool:
    """Returns whether the cell is such a word, also with a note behind it: `Unsubscribed (by phone)`."""
    if len(cell) < 60 and folded(cell) in words:
        return True
    first = folded(_BEHIND.split(cell[:60], maxsplit=1)[0])
    return first in words and first not in _WEAK and bool(exclusion_status(first))


def _refusal_observer(leaving: dict[int, str], place: int) -> Callable[[str], None]:
    """Returns a function that finds a cell which refuses mail; 0 does, but not among numbers above 1."""
    words = leaving_words()
    zero, counted = "", False

    def refusal(cell: str) -> None:
        nonlocal zero, counted
        if is_number(cell):
            zero = zero or (cell if is_no(cell) else "")
            counted = counted or not (is_no(cell) or is_yes(cell))
            if zero and not counted:
                leaving.setdefault(place, zero)
            elif counted and leaving.get(place) == zero:
                leaving.pop(place, None)
        elif not is_nothing(cell) and (is_no(cell) or _is_one_of(cell, words) or _means_exclusion(cell)):
            leaving[place] = cell

    return refusal


def _means_exclusion(cell: str) -> bool:
    return len(cell) < 60 and bool(exclusion_status(cell))


def _count_addresses(seen: Survey, cells: list[str]) -> None:
    for place, cell in enumerate(cells):
        if cell and not cell.isspace():
            seen.filled[place] = seen.filled.get(place, 0) + 1
            local, at, domain = cell.strip(" <>;,").rpartition("@")
            if at and local and "." in domain and " " not in domain:
                seen.addresses[place] = seen.addresses.get(place, 0) + 1

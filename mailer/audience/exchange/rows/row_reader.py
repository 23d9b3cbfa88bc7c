"""Makes a checked entry of each row of a list. Pure: uses only the row and the settings.

A row is refused if its address, name, editions or status cannot be read. Any other cell that cannot be read
is left out with a note, and the row is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mailer.audience.exchange.columns.cell_words import (
    folded_text,
    is_no,
    is_yes,
    means_no_value,
    most_excluding_status,
)
from mailer.audience.exchange.columns.decided_columns import DecidedColumns
from mailer.audience.exchange.columns.signs import CellMeaning, StatusColumn
from mailer.audience.exchange.rows.cell_values import (
    consent_method,
    full_name,
    groups_of_google_contact,
    suppression_reason,
    tags_of_cell,
)
from mailer.audience.exchange.rows.entry import NOW, ListEntry
from mailer.audience.exchange.rows.formula_cells import unescape_formula
from mailer.audience.exchange.rows.json_attributes import attributes_of_json
from mailer.audience.values.address import address_of_cell
from mailer.audience.values.cells import (
    MAX_NAME,
    attribute_value,
    checked_editions,
    clean_line,
    language_tag,
    split_list,
    timezone_name,
)
from mailer.audience.values.dates import read_utc_time
from mailer.config import Settings
from mailer.errors import AudienceError

__all__ = ["RowReader"]

_Functions = tuple[tuple[str, int, Callable[[str], Any]], ...]

_FIELDS = (
    "address", "name", "first_name", "last_name", "language", "timezone", "tags", "editions", "joined",
    "confirmed", "consent_at", "consent_method", "consent_origin", "suppressed_at", "suppressed_reason",
)  # fmt: skip


class RowReader:
    """Makes entries of the rows of a list.

    `editions` is the value of --edition or None, and `status_of_all` everybody's status or "".
    """

    def __init__(
        self,
        decided: DecidedColumns,
        settings: Settings,
        editions: tuple[str, ...] | None,
        status_of_all: str = "",
    ) -> None:
        columns = decided.columns
        self._header = columns.header
        self._places = tuple(columns.fields.get(field, -1) for field in _FIELDS)
        self._attributes = columns.attributes
        self._json_place = columns.json_place
        self._split = groups_of_google_contact if columns.groups else tags_of_cell
        self._width = columns.width
        self._zone = settings.publication.zone
        self._known = settings.editions
        self._editions = editions
        self._own_editions = "editions" in columns.fields
        self._chosen: dict[str, tuple[str, ...]] = {}
        self._everybody = most_excluding_status((status_of_all, columns.kind.everybody))
        self._joined = self._time_reader("joined", decided.orders)
        self._confirmed = self._time_reader("confirmed", decided.orders)
        self._consented = self._time_reader("consent_at", decided.orders)
        self._needed, self._side = self._cell_converters()
        words = columns.profile.words
        self.signs = tuple(StatusColumn(self._header[n], n, rule, words) for n, rule in columns.signs)

    def _cell_converters(self) -> tuple[_Functions, _Functions]:
        """Returns (field, index, converting function) of the required cells, then of the other cells."""
        places = dict(zip(_FIELDS, self._places, strict=True))
        needed: dict[str, Callable[[str], Any]] = {
            "address": address_of_cell,
            "name": clean_line,
            "first_name": clean_line,
            "last_name": clean_line,
            "editions": self._editions_of,
            "suppressed_at": self._suppressed_since,
        }
        side: dict[str, Callable[[str], Any]] = {
            "language": language_tag,
            "timezone": timezone_name,
            "tags": self._split,
            "joined": self._joined,
            "confirmed": self._confirmed,
            "consent_at": self._consented,
            "consent_method": consent_method,
            "consent_origin": lambda text: clean_line(text, "origin of the consent"),
            "suppressed_reason": suppression_reason,
        }
        return (
            tuple((field, places[field], function) for field, function in needed.items()),
            tuple((field, places[field], function) for field, function in side.items()),
        )

    def address_cell(self, cells: list[str]) -> str:
        """Returns the row's address cell, unchecked."""
        place = self._places[0]
        return cells[place] if place < len(cells) else ""

    def read(self, row: int, cells: list[str]) -> ListEntry:
        """Returns the entry of a row. Raises AudienceError with all problems of the row."""
        if len(cells) != self._width:
            cells = self._fit_cells_to_header(cells)
        if "'" in "".join(cells):
            cells = [unescape_formula(cell) for cell in cells]
        (
            address,
            name,
            first,
            last,
            language,
            timezone,
            tags,
            editions,
            joined,
            confirmed,
            consent_at,
            method,
            origin,
            suppressed,
            suppressed_why,
        ) = [cells[place] if place >= 0 else "" for place in self._places]
        try:
            said = [sign.read(cells[sign.index]) for sign in self.signs]
            status, notes = self._combined_status(said) if said else (self._everybody, ())
            whose, around = address_of_cell(address)
            entry = ListEntry(
                row,
                whose,
                clean_line(name if name.strip() else full_name(first, last)),
                language_tag(language),
                timezone_name(timezone),
                self._split(tags) if tags else None,
                self._attributes_of(cells),
                self._editions_of(editions) if self._own_editions else self._editions,
                status,
                (self._joined(joined) if joined else "") or (self._confirmed(confirmed) if confirmed else ""),
                self._consented(consent_at) if consent_at else "",
                consent_method(method) if method else "",
                clean_line(origin, "origin of the consent") if origin else "",
                notes,
                self._suppressed_since(suppressed, suppressed_why) if suppressed or suppressed_why else "",
                suppression_reason(suppressed_why) if suppressed_why else "",
                around,
            )
        except AudienceError:
            return self._read_leniently(row, cells)
        for meaning in said:
            meaning.rows += 1
        return entry

    def _read_leniently(self, row: int, cells: list[str]) -> ListEntry:
        """Returns the entry of a row without the cells that cannot be read.

        Raises AudienceError if the row is refused.
        """
        problems: list[str] = []
        notes: list[tuple[str, str]] = []
        read: dict[str, Any] = {}
        for field, place, function in self._needed:
            read[field] = _convert_or_note(function, cells[place] if place >= 0 else "", problems)
        name = read["name"] or full_name(read["first_name"] or "", read["last_name"] or "")
        if len(name) > MAX_NAME:
            problems.append(f"the name is longer than {MAX_NAME} characters; shorten it")
        for field, place, function in self._side:
            wrong: list[str] = []
            cell = cells[place] if place >= 0 else ""
            read[field] = "" if means_no_value(cell) else _convert_or_note(function, cell, wrong) or ""
            notes += [(self._header[place], sentence) for sentence in wrong]
        when, why = (cells[place] if place >= 0 else "" for place in self._places[-2:])
        alone = means_no_value(when) and not (means_no_value(why) or is_no(why))
        attributes = self._attributes_of(cells, notes)
        said = [meaning for sign in self.signs if (meaning := sign.try_read(cells[sign.index], problems))]
        status, doubts = self._combined_status(said)
        notes = [*doubts, *notes]
        if problems:
            raise AudienceError("; ".join(dict.fromkeys([*problems, *(reason for _, reason in notes)])))
        for meaning in said:
            meaning.rows += 1
        return ListEntry(
            row,
            read["address"][0],
            name,
            read["language"],
            read["timezone"],
            read["tags"] or None,
            attributes,
            read["editions"] if self._own_editions else self._editions,
            status,
            read["joined"] or read["confirmed"],
            read["consent_at"],
            read["consent_method"],
            read["consent_origin"],
            tuple(notes),
            read["suppressed_at"] or (NOW if alone else ""),
            read["suppressed_reason"],
            read["address"][1],
        )

    def _combined_status(self, meanings: list[CellMeaning]) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Returns the status that excludes the person most firmly, and the notes of all meanings."""
        status = most_excluding_status((self._everybody, *(meaning.status for meaning in meanings)))
        return status, tuple((meaning.column, meaning.note) for meaning in meanings if meaning.note)

    def _fit_cells_to_header(self, cells: list[str]) -> list[str]:
        """Returns a row with as many cells as the header: empty cells are added or removed at the end.

        Raises AudienceError if a cell that would be removed has text, because the cells have then shifted.
        """
        if len(cells) < self._width:
            return cells + [""] * (self._width - len(cells))
        if any(cells[self._width :]):
            raise AudienceError(
                f"the row has {len(cells)} cells, but the header has {self._width}; put a cell that holds "
                "the delimiter in quotes"
            )
        return cells[: self._width]

    def _attributes_of(self, cells: list[str], notes: list[tuple[str, str]] | None = None) -> dict[str, str]:
        """Returns the attributes of a row.

        Attributes that cannot be read are added to `notes` as (column, message), or raised if that is None.
        """
        attributes: dict[str, str] = {}
        for place, key in self._attributes:
            if cells[place]:
                try:
                    value = attribute_value(cells[place], key)
                except AudienceError as error:
                    if notes is None:
                        raise
                    notes += [(self._header[place], problem.message) for problem in error.problems]
                    continue
                if value:
                    attributes[key] = value
        if self._json_place >= 0 and cells[self._json_place]:
            wrong: list[str] = []
            within = _convert_or_note(attributes_of_json, cells[self._json_place], wrong)
            if wrong and notes is None:
                raise AudienceError(wrong[0])
            notes = [] if notes is None else notes
            notes += [(self._header[self._json_place], sentence) for sentence in wrong]
            attributes.update(within or {})
        return attributes

    def _editions_of(self, text: str) -> tuple[str, ...]:
        chosen = self._chosen.get(text)
        if chosen is None:
            chosen = checked_editions(split_list(text), self._known)
            if len(self._chosen) < 1000:
                self._chosen[text] = chosen
        return chosen

    def _suppressed_since(self, text: str, reason: str = "") -> str:
        """Returns the UTC time of the suppression, NOW if `text` has no time, or "" for no suppression.

        `text` is the cell with the time, and `reason` the cell with the reason of the suppression.
        """
        if is_no(text):
            return ""
        if means_no_value(text):
            return "" if means_no_value(reason) or is_no(reason) else NOW
        if is_yes(text) or folded_text(text) == "suppressed":
            return NOW
        return read_utc_time(text, self._zone, "ymd")

    def _time_reader(self, field: str, orders: Mapping[int, str]) -> Callable[[str], str]:
        """Returns a function that reads a field's times as UTC, in the date order of the field's column."""
        zone, order = self._zone, orders.get(self._places[_FIELDS.index(field)], "ymd")
        return lambda text: read_utc_time(text, zone, order) if text and not text.isspace() else ""


def _convert_or_note(function: Callable[[str], Any], text: str, problems: list[str]) -> Any:
    """Returns what `function` makes of a cell, or None, with the error's messages added to `problems`."""
    try:
        return function(text)
    except AudienceError as error:
        problems += [problem.message for problem in error.problems]
        return None

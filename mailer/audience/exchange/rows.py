"""One row of a list as a checked entry. Pure: looks at nothing but the row and the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mailer.audience.address import Address, normalize_address
from mailer.audience.exchange.cells import unguarded
from mailer.audience.exchange.columns import Columns
from mailer.audience.values import (
    MAX_NAME,
    MAX_VALUE,
    attribute_value,
    clean_line,
    editions_of,
    language_tag,
    moment,
    split_list,
    status_word,
    tags_of,
    timezone_name,
)
from mailer.config import Settings
from mailer.errors import AudienceError

__all__ = ["NOW", "Entry", "RowReader"]

_FIELDS = (
    "address",
    "name",
    "first_name",
    "last_name",
    "language",
    "timezone",
    "tags",
    "editions",
    "joined",
    "status",
    "consent_at",
    "consent_method",
    "consent_origin",
    "suppressed_at",
    "suppressed_reason",
)


#: Suppressed, and the row does not say since when.
NOW = "now"
_SUPPRESSED = ("true", "yes", "y", "1", "x", "是", "suppressed")
_NOT_SUPPRESSED = ("", "false", "no", "n", "0", "否")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says. "" and None mean that it does not say; `editions` is () for "none of them".

    `suppressed` is since when the address is suppressed (UTC), or "now" where the row does not say when.
    """

    row: int
    address: Address
    name: str
    language: str
    timezone: str
    tags: tuple[str, ...] | None
    attributes: dict[str, str]
    editions: tuple[str, ...] | None
    status: str
    joined: str
    consent_at: str
    consent_method: str
    consent_origin: str
    suppressed: str = ""
    suppressed_reason: str = ""


class RowReader:
    """Makes entries out of rows with these columns. `editions` is what --edition names, if anything."""

    def __init__(self, columns: Columns, settings: Settings, editions: tuple[str, ...] | None) -> None:
        self._places = tuple(columns.fields.get(field, -1) for field in _FIELDS)
        self._attributes = columns.attributes
        self._width = columns.width
        self._zone = settings.publication.zone
        self._known = settings.editions
        self._editions = editions
        self._own_editions = "editions" in columns.fields
        self._chosen: dict[str, tuple[str, ...]] = {}

    def address_cell(self, cells: list[str]) -> str:
        """The address as the row has it, right or wrong."""
        place = self._places[0]
        return cells[place] if place < len(cells) else ""

    def read(self, row: int, cells: list[str]) -> Entry:
        """The entry of a row. Raises AudienceError with everything that is wrong with it."""
        if len(cells) != self._width:
            cells = self._fitted(cells)
        if "'" in "".join(cells):
            cells = [unguarded(cell) for cell in cells]
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
            status,
            consent_at,
            method,
            origin,
            suppressed,
            suppressed_why,
        ) = [cells[place] if place >= 0 else "" for place in self._places]
        try:
            return Entry(
                row,
                normalize_address(address),
                clean_line(name if name.strip() else _whole_name(first, last)),
                language_tag(language),
                timezone_name(timezone),
                tags_of((tags,)) if tags else None,
                self._attributes_of(cells),
                self._editions_of(editions) if self._own_editions else self._editions,
                status_word(status),
                self._moment(joined),
                self._moment(consent_at),
                clean_line(method, "consent"),
                clean_line(origin, "origin of the consent"),
                self._suppressed(suppressed) if suppressed else "",
                clean_line(suppressed_why, "reason of the suppression", MAX_VALUE) if suppressed_why else "",
            )
        except AudienceError:
            raise self._all_problems(cells) from None

    def _all_problems(self, cells: list[str]) -> AudienceError:
        """Each thing that is wrong with a row, found by trying everything again, one by one."""
        checks: list[tuple[Callable[[str], object], int]] = list(
            zip(
                (
                    normalize_address,
                    clean_line,
                    clean_line,
                    clean_line,
                    language_tag,
                    timezone_name,
                    lambda text: tags_of((text,)),
                    self._editions_of,
                    self._moment,
                    status_word,
                    self._moment,
                    lambda text: clean_line(text, "consent"),
                    lambda text: clean_line(text, "origin of the consent"),
                    self._suppressed,
                    lambda text: clean_line(text, "reason of the suppression", MAX_VALUE),
                ),
                self._places,
                strict=True,
            )
        )
        problems = []
        for check, place in checks:
            problems += _problem_of(check, cells[place]) if place >= 0 else []
        for place, key in self._attributes:
            problems += _problem_of(partial(attribute_value, key=key), cells[place])
        return AudienceError(
            "; ".join(dict.fromkeys(problems)) or f"the name is longer than {MAX_NAME} characters; shorten it"
        )

    def _fitted(self, cells: list[str]) -> list[str]:
        """Cells that are missing at the end are empty. Too many of them have moved, and cannot be trusted."""
        if len(cells) < self._width:
            return cells + [""] * (self._width - len(cells))
        if any(cells[self._width :]):
            raise AudienceError(
                f"has {len(cells)} cells where the header has {self._width}; put a cell that holds the "
                "delimiter into quotes"
            )
        return cells[: self._width]

    def _attributes_of(self, cells: list[str]) -> dict[str, str]:
        return {
            key: value
            for place, key in self._attributes
            if cells[place] and (value := attribute_value(cells[place], key))
        }

    def _editions_of(self, text: str) -> tuple[str, ...]:
        chosen = self._chosen.get(text)
        if chosen is None:
            chosen = editions_of(split_list(text), self._known)
            if len(self._chosen) < 1000:
                self._chosen[text] = chosen
        return chosen

    def _suppressed(self, text: str) -> str:
        """A time, or a yes; "" for a no. Anything else is refused, so that nobody is mailed by mistake."""
        word = text.strip().casefold()
        if word in _NOT_SUPPRESSED:
            return ""
        return NOW if word in _SUPPRESSED else self._moment(text)

    def _moment(self, text: str) -> str:
        return moment(text, self._zone) if text and not text.isspace() else ""


def _problem_of(check: Callable[[str], object], text: str) -> list[str]:
    try:
        check(text)
    except AudienceError as error:
        return [problem.message for problem in error.problems]
    return []


def _whole_name(first: str, last: str) -> str:
    """Western names put the given name first, Chinese ones the family name, without a space."""
    first, last = first.strip(), last.strip()
    if first and last and not (first.isascii() or last.isascii()) and "\u2e80" <= last[0] <= "\u9fff":
        return f"{last}{first}"
    return f"{first} {last}"

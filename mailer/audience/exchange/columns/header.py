"""Reads the header of a list: which column holds the address, the name, a status and so on. Pure.

The operator's options come first, then the profile of the tool that wrote the list, then usual column names.
Every other column is a free attribute; a column `attributes.KEY`, as an export writes it, is the attribute
KEY exactly.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from mailer.audience.exchange.columns.cell_words import normalized_name
from mailer.audience.exchange.columns.names import CHOICES, field_and_rank
from mailer.audience.exchange.columns.options import ATTRIBUTE, ImportOptions
from mailer.audience.exchange.columns.profile import PLAIN, FileKind, ToolProfile, plain_profile, profile_of
from mailer.audience.exchange.columns.signs import CellRule
from mailer.audience.values.address import quote
from mailer.audience.values.cells import MAX_KEY, attribute_key
from mailer.display_text import nearest_word
from mailer.errors import AudienceError, Problem

__all__ = ["ATTRIBUTE_PREFIX", "REFUSED_BECAUSE", "REFUSED_ROW", "Columns", "shell_quoted", "read_header"]

ATTRIBUTE_PREFIX = ATTRIBUTE
#: The two columns of a file of refused rows; an import passes over them.
REFUSED_ROW, REFUSED_BECAUSE = "refused_row", "refused_because"
MAX_COLUMNS = 300

_REFUSED = frozenset((normalized_name(REFUSED_ROW), normalized_name(REFUSED_BECAUSE)))
#: Ranks of the sources of a column's field: the operator, a profile, and then names (from 0).
_OPERATOR, _PROFILE = -2, -1
_SIGNS = frozenset(("words", "status", "time", "reason", "yes", "no"))
#: A second column with the day of joining, for rows that have none in the first.
_CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Columns:
    """Says what each column of a list holds. Columns are given by their index (from 0).

    `attributes` has (index, attribute), and `signs` has (index, rule) of columns that tell a status.
    `choices` are columns such as `Newsletter`, whose cells must decide what they hold. `unverified` columns
    are attributes that may say who has left, and `ignored` columns are left out.
    """

    header: tuple[str, ...]
    fields: dict[str, int]
    attributes: tuple[tuple[int, str], ...]
    unnamed: tuple[int, ...]
    problems: tuple[str, ...]
    profile: ToolProfile
    kind: FileKind
    signs: tuple[tuple[int, CellRule], ...] = ()
    choices: tuple[int, ...] = ()
    unverified: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()
    json_place: int = -1
    groups: bool = False

    @property
    def recognised_column_count(self) -> int:
        """Returns the number of recognised columns, which is largest if the delimiter is right."""
        profiled = sum(normalized_name(name) in self.profile.rules for name in self.header if name)
        return len(self.fields) + len(self.signs) + len(self.choices) + profiled

    @property
    def width(self) -> int:
        """Returns the number of columns."""
        return len(self.header)

    @property
    def has_header(self) -> bool:
        """Returns whether the first row is a header: a row with an address is none."""
        return not any("@" in cell for cell in self.header)

    @property
    def refused_file_header(self) -> tuple[str, ...]:
        """Returns the header for refused rows. Without a header, only the address column gets a name."""
        if self.has_header:
            return self.header
        return tuple("address" if place == self.fields["address"] else "" for place in range(self.width))

    def check_column_count(self, path: str, line: int) -> None:
        """Raises AudienceError for too many columns. The error names the file `path` and the line `line`."""
        if self.width > MAX_COLUMNS:
            sentence = f"there are {self.width:,} columns; at most {MAX_COLUMNS} can be read"
            raise AudienceError(Problem(sentence, path, line))

    def check_usable(self, path: str, line: int) -> None:
        """Raises AudienceError for any problems. The error names the file `path` and the line `line`."""
        problems = list(self.problems)
        if "address" not in self.fields:
            problems.insert(0, self._missing_address_problem())
        if problems:
            raise AudienceError.from_problems(Problem(problem, path, line) for problem in problems)

    def with_attribute_column(self, index: int) -> Columns:
        """Returns these columns with the column at `index` added as an attribute, named like the column."""
        try:
            key = _attribute_key_of_column(self.header[index])
        except AudienceError as error:
            return replace(self, problems=(*self.problems, error.problems[0].message))
        pairs = {key: other for other, key in self.attributes}
        if key in pairs:
            twice = _duplicate_problem(self.header, pairs[key], index, f"are both the attribute {key}")
            return replace(self, problems=(*self.problems, twice))
        return replace(self, attributes=(*self.attributes, (index, key)))

    def _missing_address_problem(self) -> str:
        if not self.has_header:
            return "there is no header row; put one above the list, such as address,name,language"
        near = next((cell for cell in self.header if nearest_word(cell, ("address", "email", "mail"))), None)
        hint = "rename the column of addresses to address, or name it with --map COLUMN=address"
        if near:
            hint = f"rename {quote(near)} to address, or add --map {shell_quoted(near)}=address"
        named = ", ".join(quote(cell, 30) for cell in self.header if cell)
        return f"no column holds the address (found {named}); {hint}"


def shell_quoted(column: str) -> str:
    """Returns a column's name, quoted if a command line needs that."""
    return shlex.quote(column) if column.isascii() or " " in column else column


def read_header(cells: list[str], options: ImportOptions | None = None, file_name: str = "") -> Columns:
    """Returns the columns of a header. Problems are in the result; `Columns.check_usable` raises them."""
    header = tuple(cell.strip().strip("\ufeff").strip() for cell in cells)
    return _HeaderReader(header, options or ImportOptions(), file_name).read_columns()


class _HeaderReader:
    """Finds out what each column of one header holds, and chooses a column if several could hold a field."""

    def __init__(self, header: tuple[str, ...], options: ImportOptions, file_name: str) -> None:
        self._header, self._file_name = header, file_name
        tool = options.tool
        self._profile = plain_profile() if tool == PLAIN else profile_of(header, tool, file_name)
        self._problems: list[str] = []
        self._named_rules = self._rules_from_options(options)
        self._claims: dict[str, list[tuple[int, int]]] = {}
        self._plain: list[int] = []  # attributes of the list
        self._unverified: list[int] = []
        self._keyed: dict[int, str] = {}
        self._signs: list[tuple[int, CellRule]] = []
        self._choices: list[int] = []
        self._ignored: list[int] = []
        self._unnamed: list[int] = []
        self._json_place = self._groups = -1

    def read_columns(self) -> Columns:
        for place, name in enumerate(self._header):
            if not name and place not in self._named_rules:
                self._unnamed.append(place)
            elif normalized_name(name) not in _REFUSED:
                self._assign_column(place, name)
        fields = self._column_indexes_by_field()
        columns = Columns(
            self._header,
            fields,
            tuple(self._keyed.items()),
            tuple(self._unnamed),
            tuple(self._problems),
            self._profile,
            self._file_kind(),
            tuple(self._signs),
            tuple(self._choices),
            tuple(sorted(self._unverified)),
            tuple(self._ignored),
            self._json_place,
            self._groups >= 0 and fields.get("tags") == self._groups,
        )
        for place in sorted(self._plain):
            columns = columns.with_attribute_column(place)
        return columns

    def _file_kind(self) -> FileKind:
        """Returns the kind of the tool's file. If a column has words for a status, the kind has no status."""
        names = frozenset(normalized_name(name) for name in self._header if name)
        kind = self._profile.kind_of_file(names, self._file_name)
        worded = any(rule.how in ("words", "status", "name") for _, rule in self._signs)
        return replace(kind, everybody="") if worded and not kind.file else kind

    def _rules_from_options(self, options: ImportOptions) -> dict[int, str]:
        """Returns the operator's rule for each column (by index) that --map or --ignore names."""
        rules = {}
        for name, rule in (*options.maps, *((name, "ignore") for name in options.ignored)):
            places = [place for place, column in enumerate(self._header) if column == name]
            if not places and (wanted := normalized_name(name)):
                places = [n for n, column in enumerate(self._header) if normalized_name(column) == wanted]
            for place in places:
                rules[place] = rule
            if not places and not options.partial:
                near = nearest_word(name, self._header)
                names = ", ".join(quote(cell, 30) for cell in self._header if cell)
                hint = f"did you mean {quote(near)}?" if near else f"the columns are {names}"
                self._problems.append(f"there is no column {quote(name)}; {hint}")
        return rules

    def _assign_column(self, index: int, column_name: str) -> None:
        named = self._named_rules.get(index)
        if named == "status":
            self._signs.append((index, CellRule("name")))
        elif named == "ignore":
            self._ignored.append(index)
        elif named and named.startswith(ATTRIBUTE):
            self._keyed[index] = named.removeprefix(ATTRIBUTE) or column_name
        elif named:
            self._add_field_candidate(named, _OPERATOR, index)
        elif column_name.startswith(ATTRIBUTE):
            self._plain.append(index)
        else:
            rule = self._profile.rules.get(normalized_name(column_name))
            if rule:
                self._assign_column_by_profile(index, rule)
            else:
                self._assign_column_by_name(index, column_name)

    def _assign_column_by_profile(self, index: int, rule: str) -> None:
        if rule.partition(" ")[0] in _SIGNS:
            self._signs.append((index, CellRule.parse(rule)))
        elif rule == "attribute":
            self._plain.append(index)
        elif rule == "lists":
            self._plain.append(index)
            self._signs.append((index, CellRule("only")))
        elif rule == "ignore":
            self._ignored.append(index)
        elif rule == "json":
            self._json_place = index
        elif rule == "groups":
            self._groups = index
            self._add_field_candidate("tags", _PROFILE, index)
        else:
            self._add_field_candidate(rule, _PROFILE, index)

    def _assign_column_by_name(self, index: int, column_name: str) -> None:
        found = field_and_rank(column_name)
        if normalized_name(column_name) in CHOICES:
            self._choices.append(index)
        elif found is None:
            self._plain.append(index)
            self._unverified.append(index)
        elif found[0] == "status":
            self._signs.append((index, CellRule("status")))
        else:
            self._add_field_candidate(*found, index)

    def _add_field_candidate(self, field: str, rank: int, index: int) -> None:
        self._claims.setdefault(field, []).append((rank, index))

    def _column_indexes_by_field(self) -> dict[str, int]:
        """Returns the index of the column that holds each field, by field.

        If several columns could hold a field, the column with the clearest name is taken.
        """
        order = {name: number for number, name in enumerate(self._profile.rules)}
        fields = {}
        for field, claims in self._claims.items():
            rank, place = min(
                claims,
                key=lambda claim: (
                    claim[0],
                    order.get(normalized_name(self._header[claim[1]]), 0),
                    claim[1],
                ),
            )
            fields[field] = place
            for other_rank, other in sorted(claims):
                if other == place:
                    continue
                same = normalized_name(self._header[place]) == normalized_name(self._header[other])
                if other_rank == rank != _PROFILE and (same or field != "joined" or rank == _OPERATOR):
                    first, second = sorted((place, other))
                    self._problems.append(
                        _duplicate_problem(self._header, first, second, f"both hold the {field}")
                    )
                elif field == "joined" and rank == _PROFILE == other_rank and _CONFIRMED not in self._claims:
                    fields[_CONFIRMED] = other
                else:
                    self._plain.append(other)
                    self._unverified.append(other)
        halved = "last_name" in fields and "first_name" not in fields and "name" in fields
        if halved and fields["name"] not in self._named_rules:
            fields["first_name"] = fields.pop("name")  # `Name` and `Surname`
        return fields


def _attribute_key_of_column(column_name: str) -> str:
    key = column_name.removeprefix(ATTRIBUTE)
    if key == column_name or not key or len(key) > MAX_KEY or not key.isprintable():
        return attribute_key(key)
    return key


def _duplicate_problem(header: tuple[str, ...], first_index: int, second_index: int, predicate: str) -> str:
    names = f"{quote(header[first_index], 30)} and {quote(header[second_index], 30)}"
    text = f"columns {first_index + 1} and {second_index + 1} ({names}) {predicate}"
    return f"{text}; rename or remove one, or leave one out with --ignore"

"""Reads the header of a list: which column is the address, the name, a sign of leaving and so on. Pure.

The operator's options come first, then the profile of the tool that wrote the list, then names that lists of
any origin have. Any other column is a free attribute; `attributes.KEY`, as an export writes it, is the
attribute KEY exactly.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from mailer.audience.exchange.columns.cell_words import column_key
from mailer.audience.exchange.columns.names import CHOICES, field_of
from mailer.audience.exchange.columns.options import ATTRIBUTE, Options
from mailer.audience.exchange.columns.profile import PLAIN, Kind, Profile, plain, recognised
from mailer.audience.exchange.columns.signs import Rule
from mailer.audience.values.address import quote
from mailer.audience.values.cells import MAX_KEY, attribute_key
from mailer.display_text import nearest_word
from mailer.errors import AudienceError, Problem

__all__ = ["ATTRIBUTE_PREFIX", "REFUSED_BECAUSE", "REFUSED_ROW", "Columns", "quoted", "read_header"]

ATTRIBUTE_PREFIX = ATTRIBUTE
#: The two columns of a file of refused rows; an import passes over them.
REFUSED_ROW, REFUSED_BECAUSE = "refused_row", "refused_because"
MAX_COLUMNS = 300

_REFUSED = frozenset((column_key(REFUSED_ROW), column_key(REFUSED_BECAUSE)))
#: Ranks of the sources of a column's field: the operator, a profile, and then names (from 0).
_OPERATOR, _PROFILE = -2, -1
_SIGNS = frozenset(("words", "status", "time", "reason", "yes", "no"))
#: A second column with the day of joining, for rows that have none in the first.
_CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Columns:
    """Holds the place of each field (from 0), attributes as (place, key), signs of leaving, and problems.

    `choices` are columns whose cells decide what they are. `unverified` are attributes that nobody has
    declared, and that may say who has left. `ignored` are left out by the operator or the profile.
    """

    header: tuple[str, ...]
    fields: dict[str, int]
    attributes: tuple[tuple[int, str], ...]
    unnamed: tuple[int, ...]
    problems: tuple[str, ...]
    profile: Profile
    kind: Kind
    signs: tuple[tuple[int, Rule], ...] = ()
    choices: tuple[int, ...] = ()
    unverified: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()
    json_place: int = -1
    groups: bool = False

    @property
    def known(self) -> int:
        """Returns how many columns are recognised, which shows whether the delimiter was right."""
        profiled = sum(column_key(name) in self.profile.rules for name in self.header if name)
        return len(self.fields) + len(self.signs) + len(self.choices) + profiled

    @property
    def width(self) -> int:
        """Returns how many columns there are."""
        return len(self.header)

    @property
    def has_header(self) -> bool:
        """Returns whether the first row names columns; an address in it shows that it does not."""
        return not any("@" in cell for cell in self.header)

    @property
    def written(self) -> tuple[str, ...]:
        """Returns the header of the file of refused rows; without a header, it names the address alone."""
        if self.has_header:
            return self.header
        return tuple("address" if place == self.fields["address"] else "" for place in range(self.width))

    def check(self, path: str, line: int) -> None:
        """Raises AudienceError where there are too many columns."""
        if self.width > MAX_COLUMNS:
            sentence = f"there are {self.width:,} columns; at most {MAX_COLUMNS} are read"
            raise AudienceError(Problem(sentence, path, line))

    def verify(self, path: str, line: int) -> None:
        """Raises AudienceError with everything that makes the columns unusable."""
        problems = list(self.problems)
        if "address" not in self.fields:
            problems.insert(0, self._no_address())
        if problems:
            raise AudienceError.from_problems(Problem(problem, path, line) for problem in problems)

    def with_attribute(self, place: int) -> Columns:
        """Returns these columns with one more attribute, named like its column."""
        try:
            key = _key(self.header[place])
        except AudienceError as error:
            return replace(self, problems=(*self.problems, error.problems[0].message))
        pairs = {key: other for other, key in self.attributes}
        if key in pairs:
            twice = _duplicate_problem(self.header, pairs[key], place, f"are both the attribute {key}")
            return replace(self, problems=(*self.problems, twice))
        return replace(self, attributes=(*self.attributes, (place, key)))

    def _no_address(self) -> str:
        if not self.has_header:
            return "there is no header row; put one above the list, such as address,name,language"
        near = next((cell for cell in self.header if nearest_word(cell, ("address", "email", "mail"))), None)
        hint = "name the column with the addresses address, or say which it is with --map COLUMN=address"
        if near:
            hint = f"rename {quote(near)} to address, or add --map {quoted(near)}=address"
        named = ", ".join(quote(cell, 30) for cell in self.header if cell)
        return f"no column holds the address (found {named}); {hint}"


def quoted(column: str) -> str:
    """Returns the name of a column as a command line has it."""
    return shlex.quote(column) if column.isascii() or " " in column else column


def read_header(cells: list[str], options: Options | None = None, file: str = "") -> Columns:
    """Returns the columns of the header of `file`. Raises nothing: `Columns.verify` does."""
    header = tuple(cell.strip().strip("\ufeff").strip() for cell in cells)
    return _Reader(header, options or Options(), file).columns()


class _Reader:
    """Builds the columns of one header: first each place by itself, then fields that several claim."""

    def __init__(self, header: tuple[str, ...], options: Options, file: str) -> None:
        self._header, self._file = header, file
        self._profile = plain() if options.tool == PLAIN else recognised(header, options.tool, file)
        self._problems: list[str] = []
        self._named_rules = self._operator_rules(options)
        self._claims: dict[str, list[tuple[int, int]]] = {}
        self._plain: list[int] = []  # attributes of the list
        self._unverified: list[int] = []
        self._keyed: dict[int, str] = {}
        self._signs: list[tuple[int, Rule]] = []
        self._choices: list[int] = []
        self._ignored: list[int] = []
        self._unnamed: list[int] = []
        self._json_place = -1
        self._groups = -1

    def columns(self) -> Columns:
        for place, name in enumerate(self._header):
            if not name and place not in self._named_rules:
                self._unnamed.append(place)
            elif column_key(name) not in _REFUSED:
                self._place(place, name)
        fields = self._fields()
        columns = Columns(
            self._header,
            fields,
            tuple(self._keyed.items()),
            tuple(self._unnamed),
            tuple(self._problems),
            self._profile,
            self._kind(),
            tuple(self._signs),
            tuple(self._choices),
            tuple(sorted(self._unverified)),
            tuple(self._ignored),
            self._json_place,
            self._groups >= 0 and fields.get("tags") == self._groups,
        )
        for place in sorted(self._plain):
            columns = columns.with_attribute(place)
        return columns

    def _kind(self) -> Kind:
        """Returns the kind of the tool's file.

        A column with words for a status overrides the kind's status.
        """
        names = frozenset(column_key(name) for name in self._header if name)
        kind = self._profile.kind(names, self._file)
        worded = any(rule.how in ("words", "status", "name") for _, rule in self._signs)
        return replace(kind, everybody="") if worded and not kind.file else kind

    def _operator_rules(self, options: Options) -> dict[int, str]:
        """Returns the operator's rule for each place that --map or --ignore names."""
        rules = {}
        for name, rule in (*options.maps, *((name, "ignore") for name in options.ignored)):
            places = [place for place, column in enumerate(self._header) if column == name]
            places = places or [
                place
                for place, column in enumerate(self._header)
                if column_key(column) == column_key(name) != ""
            ]
            for place in places:
                rules[place] = rule
            if not places and not options.partial:
                near = nearest_word(name, self._header)
                hint = f"did you mean {quote(near)}?" if near else f"there are {self._column_names()}"
                self._problems.append(f"there is no column {quote(name)}; {hint}")
        return rules

    def _column_names(self) -> str:
        return ", ".join(quote(cell, 30) for cell in self._header if cell)

    def _place(self, place: int, name: str) -> None:
        named = self._named_rules.get(place)
        if named == "status":
            self._signs.append((place, Rule("name")))
        elif named == "ignore":
            self._ignored.append(place)
        elif named and named.startswith(ATTRIBUTE):
            self._keyed[place] = named.removeprefix(ATTRIBUTE) or name
        elif named:
            self._claim(named, _OPERATOR, place)
        elif name.startswith(ATTRIBUTE):
            self._plain.append(place)
        else:
            rule = self._profile.rules.get(column_key(name))
            if rule:
                self._profiled(place, rule)
            else:
                self._by_name(place, name)

    def _profiled(self, place: int, rule: str) -> None:
        if rule.partition(" ")[0] in _SIGNS:
            self._signs.append((place, Rule.parse(rule)))
        elif rule == "attribute":
            self._plain.append(place)
        elif rule == "lists":
            self._plain.append(place)
            self._signs.append((place, Rule("only")))
        elif rule == "ignore":
            self._ignored.append(place)
        elif rule == "json":
            self._json_place = place
        elif rule == "groups":
            self._groups = place
            self._claim("tags", _PROFILE, place)
        else:
            self._claim(rule, _PROFILE, place)

    def _by_name(self, place: int, name: str) -> None:
        found = field_of(name)
        if column_key(name) in CHOICES:
            self._choices.append(place)
        elif found is None:
            self._plain.append(place)
            self._unverified.append(place)
        elif found[0] == "status":
            self._signs.append((place, Rule("status")))
        else:
            self._claim(*found, place)

    def _claim(self, field: str, rank: int, place: int) -> None:
        self._claims.setdefault(field, []).append((rank, place))

    def _fields(self) -> dict[str, int]:
        """Returns the place of each field: of several possible columns, the one with the clearest name."""
        order = {name: number for number, name in enumerate(self._profile.rules)}
        fields = {}
        for field, claims in self._claims.items():
            rank, place = min(
                claims,
                key=lambda claim: (claim[0], order.get(column_key(self._header[claim[1]]), 0), claim[1]),
            )
            fields[field] = place
            for other_rank, other in sorted(claims):
                if other == place:
                    continue
                same = column_key(self._header[place]) == column_key(self._header[other])
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


def _key(name: str) -> str:
    key = name.removeprefix(ATTRIBUTE)
    if key == name or not key or len(key) > MAX_KEY or not key.isprintable():
        return attribute_key(key)
    return key


def _duplicate_problem(header: tuple[str, ...], first: int, second: int, what: str) -> str:
    return (
        f"columns {first + 1} and {second + 1} ({quote(header[first], 30)} and {quote(header[second], 30)}) "
        f"{what}; rename or remove one, or leave it out with --ignore"
    )

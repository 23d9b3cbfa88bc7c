"""Declares the fields of a person that segments can use, and the values that each can be compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from mailer.audience.segments.tokens import Literals, fail
from mailer.audience.values.address import ascii_domain, normalize_address, quote
from mailer.audience.values.cells import STATUSES, language_tag, timezone_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["FIELDS", "SUPPRESSED", "Field", "attribute_field", "checked_value", "named_field"]

#: The status of everybody on the suppression list; nobody on it counts as active or pending.
SUPPRESSED = "suppressed"

Kind = Literal["text", "status", "language", "date", "flag", "tags", "editions", "attribute"]


@dataclass(frozen=True, slots=True)
class Field:
    """Describes a field: `column` is a column of subscribers, `attribute` the name of a free attribute."""

    name: str
    kind: Kind
    column: str = ""
    attribute: str = ""


FIELDS = {
    known.name: known
    for known in (
        Field("email", "text", "address_key"),
        Field("domain", "text", "domain"),
        Field("name", "text", "name"),
        Field("language", "language", "language"),
        Field("timezone", "text", "timezone"),
        Field("status", "status", "status"),
        Field("suppressed", "flag"),
        Field("joined", "date", "joined_at"),
        Field("tags", "tags"),
        Field("editions", "editions"),
    )
}

# Other programs' names of these fields. They are never names of attributes.
_ALIASES = {"lang": "language", "mail": "email", "address": "email", "state": "status", "created": "joined"}


def named_field(name: str, column: int) -> Field:
    """Returns the field of this name, else the free attribute, unless the name seems to be misspelt."""
    if name in FIELDS:
        return FIELDS[name]
    near = _ALIASES.get(name) or next(iter(get_close_matches(name, FIELDS, n=1, cutoff=0.76)), None)
    if near:
        raise fail(
            f"{quote(name)} is not a field; did you mean {near}? (an attribute of that name is "
            f"attributes.{name})",
            column,
        )
    return attribute_field(name, column)


def attribute_field(key: str, column: int) -> Field:
    """Returns the field of the free attribute `key`. Raises SegmentError where it cannot be one."""
    if not key or '"' in key or "\\" in key:
        raise fail("the name of an attribute is not empty and holds no quotes or backslashes", column)
    return Field(f"attributes.{key}", "attribute", "attributes", key)


def _status(text: str) -> str:
    known = (*STATUSES, SUPPRESSED)
    if text not in known:
        near = nearest_word(text, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise AudienceError(f"{quote(text)} is not a status; {hint}")
    return text


_NORMAL: dict[str, Callable[[str], str]] = {
    "email": lambda text: normalize_address(text).key,
    "domain": ascii_domain,
    "language": language_tag,
    "timezone": timezone_name,
    "status": _status,
}


def checked_value(field: Field, sign: str, value: Literals, column: int) -> Literals:
    """Converts `value` to the type of `field`. Raises SegmentError where the two cannot be compared."""
    if field.kind in ("tags", "editions"):
        raise fail(f'{field.name} is a list; write "…" in {field.name}', column)
    if field.kind == "attribute":
        if isinstance(value, bool) and sign not in ("==", "!=", "in"):
            raise fail("true and false have no order; use == or !=", column)
        return value
    if field.kind == "date":
        return _day(field, value, column)
    if field.kind == "flag":
        if not isinstance(value, bool) or sign not in ("==", "!=", "in"):
            raise fail(f"{field.name} is true or false; write {field.name} == true", column)
        return value
    if not isinstance(value, str):
        raise fail(f'{field.name} is text; put the value in quotes, as in {field.name} == "…"', column)
    if sign not in ("==", "!=", "in"):
        raise fail(f"{field.name} has no order; use ==, != or in", column)
    try:
        return _NORMAL[field.name](value) if field.name in _NORMAL else value
    except AudienceError as error:
        raise fail(error.problems[0].message, column) from None


def _day(field: Field, value: Literals, column: int) -> dt.date:
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            value = ""
    if not isinstance(value, dt.date) or not 1900 <= value.year < 9999:
        raise fail(f"{field.name} is a date; compare it with a day such as 2026-01-31", column)
    return value

"""Declares the fields of a person that a segment can use, and checks the values that a field is compared
with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from mailer.audience.segments.tokens import Literals, segment_error
from mailer.audience.values.address import ascii_domain, normalize_address, quote
from mailer.audience.values.cells import STATUSES, language_tag, timezone_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["FIELDS", "SUPPRESSED", "Field", "attribute_field", "checked_value", "field_by_name"]

#: The status of everybody on the suppression list; nobody on it counts as active or pending.
SUPPRESSED = "suppressed"

FieldKind = Literal["text", "status", "language", "date", "flag", "tags", "editions", "attribute"]


@dataclass(frozen=True, slots=True)
class Field:
    """Describes a field of a person.

    `column` is a column of the table `subscribers`, and `attribute` the name of a free attribute; each is ""
    if it does not apply.
    """

    name: str
    kind: FieldKind
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


def field_by_name(name: str, column_in_expression: int) -> Field:
    """Returns the field with this name, or else the free attribute with this name.

    `column_in_expression` is the position of the name (from 1). Raises SegmentError if the name seems to be a
    misspelt field.
    """
    if name in FIELDS:
        return FIELDS[name]
    near = _ALIASES.get(name) or next(iter(get_close_matches(name, FIELDS, n=1, cutoff=0.76)), None)
    if near:
        raise segment_error(
            f"{quote(name)} is not a field; did you mean {near}? (an attribute of that name is "
            f"attributes.{name})",
            column_in_expression,
        )
    return attribute_field(name, column_in_expression)


def attribute_field(key: str, column_in_expression: int) -> Field:
    """Returns the field for the free attribute `key`. Raises SegmentError if no attribute can have this name.

    `column_in_expression` is the position of the name in the expression (from 1).
    """
    if not key or '"' in key or "\\" in key:
        raise segment_error(
            "the name of an attribute must not be empty, and must not have quotes or backslashes",
            column_in_expression,
        )
    return Field(f"attributes.{key}", "attribute", "attributes", key)


def _checked_status(text: str) -> str:
    known = (*STATUSES, SUPPRESSED)
    if text not in known:
        near = nearest_word(text, known)
        hint = f"did you mean {near}?" if near else f"choose from {', '.join(known)}"
        raise AudienceError(f"{quote(text)} is not a status; {hint}")
    return text


_NORMAL: dict[str, Callable[[str], str]] = {
    "email": lambda text: normalize_address(text).key,
    "domain": ascii_domain,
    "language": language_tag,
    "timezone": timezone_name,
    "status": _checked_status,
}


def checked_value(field: Field, sign: str, value: Literals, column_in_expression: int) -> Literals:
    """Returns `value` converted to the type of the field. Raises SegmentError if the two cannot be compared.

    `sign` is the comparison (`==`, `<`, `in`, …), and `column_in_expression` the position of the value in the
    expression (from 1).
    """
    if field.kind in ("tags", "editions"):
        raise segment_error(f'{field.name} is a list; write "…" in {field.name}', column_in_expression)
    if field.kind == "attribute":
        if isinstance(value, bool) and sign not in ("==", "!=", "in"):
            raise segment_error("true and false have no order; use == or !=", column_in_expression)
        return value
    if field.kind == "date":
        return _checked_day(field, value, column_in_expression)
    if field.kind == "flag":
        if not isinstance(value, bool) or sign not in ("==", "!=", "in"):
            raise segment_error(
                f"{field.name} is true or false; write {field.name} == true", column_in_expression
            )
        return value
    if not isinstance(value, str):
        raise segment_error(
            f'{field.name} is text; put the value in quotes, as in {field.name} == "…"', column_in_expression
        )
    if sign not in ("==", "!=", "in"):
        raise segment_error(f"{field.name} has no order; use ==, != or in", column_in_expression)
    try:
        return _NORMAL[field.name](value) if field.name in _NORMAL else value
    except AudienceError as error:
        raise segment_error(error.problems[0].message, column_in_expression) from None


def _checked_day(field: Field, value: Literals, column_in_expression: int) -> dt.date:
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            value = ""
    if not isinstance(value, dt.date) or not 1900 <= value.year < 9999:
        raise segment_error(
            f"{field.name} is a date; compare it with a day such as 2026-01-31", column_in_expression
        )
    return value

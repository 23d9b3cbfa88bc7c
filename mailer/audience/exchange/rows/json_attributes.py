"""Reads attributes from a cell that holds a JSON object, as listmonk exports them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from mailer.audience.values.cells import attribute_key, attribute_value
from mailer.errors import AudienceError

__all__ = ["MAX_ATTRIBUTES", "MAX_DEPTH", "attributes_of_json"]

#: The deepest nesting of objects and lists. Deeper data does not describe a person.
MAX_DEPTH = 5
MAX_ATTRIBUTES = 200
_LONGEST = 65_536
_TOO_DEEP = f"the attributes are nested more than {MAX_DEPTH} levels deep; use fewer levels"
_QUOTED = json.JSONEncoder(ensure_ascii=False).encode


class _VerbatimNumber(str):
    """Keeps a number with the digits in which it was written."""

    __slots__ = ()


def attributes_of_json(text: str) -> dict[str, str]:
    """Returns attributes by name from a cell with a JSON object. A blank cell gives no attributes.

    Nested names are joined by _ (`{"home": {"city": "Port"}}` gives `home_city`), and texts of a list by ;.
    Numbers keep their digits, and true and false become `true` and `false`. null and empty values are left
    out. A list of objects stays JSON. Raises AudienceError if the cell is no JSON object, is nested too
    deeply or too large, or has a name twice.
    """
    if not text.strip() or text.strip() in ("\\N", "NULL"):
        return {}
    attributes: dict[str, str] = {}
    for key, value in _flattened_items(_parse_object(text), (), MAX_DEPTH):
        name = attribute_key("_".join(key))
        if name in attributes:
            raise AudienceError(f"the attribute {name} is given twice; rename one of the two")
        attributes[name] = attribute_value(value, name)
        if len(attributes) > MAX_ATTRIBUTES:
            raise AudienceError(f"there are more than {MAX_ATTRIBUTES} attributes; remove some")
    return {name: value for name, value in attributes.items() if value}


def _parse_object(text: str) -> Mapping[str, Any]:
    if len(text) > _LONGEST:
        raise AudienceError(f"the attributes are longer than {_LONGEST:,} characters; shorten them")
    try:
        found = json.loads(
            text,
            parse_int=_VerbatimNumber,
            parse_float=_VerbatimNumber,
            parse_constant=_refuse_nan_and_infinity,
            object_pairs_hook=_dict_of_unique_names,
        )
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AudienceError('the attributes are not a JSON object such as {"city": "Port"}; correct them')
    return found


def _dict_of_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AudienceError(f"the attribute {attribute_key(twice)} is given twice; rename one of the two")
    return found


def _refuse_nan_and_infinity(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON (RFC 8259 section 6)")


def _flattened_items(
    value: Mapping[str, Any], path: tuple[str, ...], max_depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    if max_depth == 0:
        raise AudienceError(_TOO_DEEP)
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flattened_items(inner, (*path, name), max_depth - 1)
        else:
            yield (*path, name), _attribute_text(inner)


def _attribute_text(value: Any) -> str:
    """Returns the text that is stored for a value of the JSON object."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return ";".join(filter(None, map(_attribute_text, value)))
    return _json_of(value, MAX_DEPTH)


def _json_of(value: Any, max_depth: int) -> str:
    """Returns a value as JSON, with numbers as they were written.

    Raises AudienceError if the value is nested more than `max_depth` levels deep.
    """
    if max_depth == 0:
        raise AudienceError(_TOO_DEEP)
    if isinstance(value, list):
        return f"[{', '.join(_json_of(part, max_depth - 1) for part in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_QUOTED(name)}: {_json_of(inner, max_depth - 1)}" for name, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    return str(value) if isinstance(value, _VerbatimNumber) else _QUOTED(value)

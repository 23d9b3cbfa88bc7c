"""Reads attributes from a cell that holds a JSON object, as listmonk writes them. Pure."""

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
_TOO_DEEP = f"the attributes are more than {MAX_DEPTH} levels deep; write them flatter"
_QUOTED = json.JSONEncoder(ensure_ascii=False).encode


class _Number(str):
    """Keeps a number with the digits in which it was written."""

    __slots__ = ()


def attributes_of_json(text: str) -> dict[str, str]:
    """Returns attributes by name from a cell with a JSON object; {} for a blank and for `{}`.

    Names within names are joined by _ (`{"home": {"city": "Port"}}` is `home_city`), a list's texts by ;,
    numbers keep their figures, true and false are `true` and `false`, as exports and segments have them. null
    and what is empty says nothing. A list of objects stays JSON. Raises AudienceError with one sentence for
    what is no JSON object, is too deep or too large, or gives one name twice.
    """
    if not text.strip() or text.strip() in ("\\N", "NULL"):
        return {}
    attributes: dict[str, str] = {}
    for key, value in _flat(_parsed(text), (), MAX_DEPTH):
        name = attribute_key("_".join(key))
        if name in attributes:
            raise AudienceError(f"the attributes give {name} twice; rename one of them")
        attributes[name] = attribute_value(value, name)
        if len(attributes) > MAX_ATTRIBUTES:
            raise AudienceError(f"there are more than {MAX_ATTRIBUTES} attributes; keep what is used")
    return {name: value for name, value in attributes.items() if value}


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text) > _LONGEST:
        raise AudienceError(f"the attributes are longer than {_LONGEST:,} characters; shorten them")
    try:
        found = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AudienceError('the attributes are not a JSON object such as {"city": "Port"}; correct them')
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AudienceError(f"the attributes give {attribute_key(twice)} twice; rename one of them")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON (RFC 8259 section 6)")


def _flat(
    value: Mapping[str, Any], key: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth == 0:
        raise AudienceError(_TOO_DEEP)
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, (*key, name), depth - 1)
        else:
            yield (*key, name), _text(inner)


def _text(value: Any) -> str:
    """Returns one value as the text that an attribute keeps."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return ";".join(filter(None, map(_text, value)))
    return _as_json(value, MAX_DEPTH)


def _as_json(value: Any, depth: int) -> str:
    """Returns `value` as JSON, with numbers as they were written."""
    if depth == 0:
        raise AudienceError(_TOO_DEEP)
    if isinstance(value, list):
        return f"[{', '.join(_as_json(part, depth - 1) for part in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_QUOTED(name)}: {_as_json(inner, depth - 1)}" for name, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    return str(value) if isinstance(value, _Number) else _QUOTED(value)

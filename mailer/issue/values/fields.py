"""Defines the types of the values in an issue, each with the error messages for wrong values."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailer.display_text import shortened
from mailer.issue.values.expressions import slots_of
from mailer.issue.values.urls import LONGEST, SLOT_MARK, normalised_url

__all__ = [
    "SLOT",
    "Article",
    "Body",
    "Date",
    "Line",
    "Name",
    "PictureSource",
    "Pixels",
    "Tag",
    "Url",
    "parse_date",
]

#: A place that is filled for each reader: `{{ subscriber.name or "reader" }}`.
SLOT = re.compile(r"\{\{[^{}\n]*\}\}")

MAX_LINE = 500
MAX_BODY = 100_000

_NOT_ONE_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def _checked_one_line(value: str) -> str:
    value = value.strip(" \t\r\n")
    found = _NOT_ONE_LINE.search(value)
    if found and found[0] in "\r\n\u2028\u2029\x85":
        raise ValueError("must be on one line")
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}; delete it")
    return value


def _checked_not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _checked_body(value: str) -> str:
    value = re.sub(r"\r\n?", "\n", value)
    found = _NOT_TEXT.search(value)
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}; delete it")
    return value.strip("\n").rstrip()


def parse_date(value: str) -> dt.date:
    """Returns the date in a text of the form YYYY-MM-DD. Raises ValueError with a sentence."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", value.strip())
    if not match:
        raise ValueError(f'"{shortened(value)}" is not a date; write it as 2026-11-21')
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError(
            f"{value.strip()} is not a day of the calendar; write a date such as 2026-11-21"
        ) from None


def _date_from_text(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else value


def _normalised_link(value: str) -> str:
    """Returns the URL of a link in ASCII. Slots may stand after the host, or be the whole URL."""
    pieces: list[str] = []
    slots: list[tuple[str, tuple[str, ...]]] = []
    end = 0
    for start, stop, paths, default in slots_of(value):
        pieces += (value[end:start], SLOT_MARK if paths else default)
        if paths:
            slots.append((value[start:stop], paths))
        end = stop
    pieces.append(value[end:])
    if any(SLOT_MARK in piece for piece in pieces if piece != SLOT_MARK):
        raise ValueError(f"holds the invisible character U+{ord(SLOT_MARK):04X}; delete it")
    bare = "".join(pieces)
    if bare == SLOT_MARK:
        if not all(path.startswith("links.") for path in slots[0][1]):
            raise ValueError(
                f"{value} is not a URL; the only slots that can be a whole URL are links such as "
                "{{ links.preferences }}"
            )
        return value
    written = iter(slots)
    return re.sub(SLOT_MARK, lambda _: next(written)[0], normalised_url(bare))


def _checked_picture_source(value: str) -> str:
    if "{{" in value:
        raise ValueError("must not contain a slot, because a picture is the same for all readers")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):|//", value)
    if not scheme:
        return value
    if (scheme[1] or "").lower() != "https":
        raise ValueError(
            f'"{shortened(value)}" must be a file of the workspace or a URL that begins with https://'
        )
    return normalised_url(value)


def _pixels_from_text(value: Any) -> Any:
    """Returns the number in a text such as `300` or `300px`, and a number unchanged."""
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,4})(?:\s*px)?", value.strip())
        if not match or not int(match[1]):
            raise ValueError(
                f'"{shortened(value)}" is not a width; write a whole number of pixels, such as 300'
            )
        return int(match[1])
    if not isinstance(value, int):
        raise ValueError("must be a whole number of pixels, such as 300")
    return value


Line = Annotated[str, Field(max_length=MAX_LINE), AfterValidator(_checked_one_line)]
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LINE),
    AfterValidator(_checked_one_line),
    AfterValidator(_checked_not_empty),
]
Tag = Annotated[
    str,
    Field(min_length=1, max_length=64),
    AfterValidator(_checked_one_line),
    AfterValidator(_checked_not_empty),
]
Body = Annotated[str, Field(max_length=MAX_BODY), AfterValidator(_checked_body)]
Article = Annotated[
    str,
    Field(min_length=1, max_length=MAX_BODY),
    AfterValidator(_checked_body),
    AfterValidator(_checked_not_empty),
]
Url = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST),
    AfterValidator(_checked_one_line),
    AfterValidator(_checked_not_empty),
    AfterValidator(_normalised_link),
]
PictureSource = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LINE),
    AfterValidator(_checked_one_line),
    AfterValidator(_checked_not_empty),
    AfterValidator(_checked_picture_source),
]
Pixels = Annotated[
    int,
    Field(ge=1, le=9999),
    BeforeValidator(_pixels_from_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 9999},
                {"type": "string", "pattern": r"^\s*(?=0*[1-9])[0-9]{1,4}\s*(?:px)?\s*$"},
            ]
        }
    ),
]
Date = Annotated[
    dt.date,
    BeforeValidator(_date_from_text),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$"}),
]

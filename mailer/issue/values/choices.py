"""Defines the types of switches, choices and points in time in an issue, with messages for wrong values."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from mailer.clock import day_of
from mailer.display_text import nearest_word, shortened
from mailer.issue.values.fields import parse_date

__all__ = ["ImagePlace", "ListStyle", "Moment", "NoticePlace", "Numbering", "Switch", "is_before"]

_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]\s*([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?\s*(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
#: The years of events: in all of them each time zone is known, and so is the day after each day.
_YEARS = range(1900, 2200)


def _switch_from_text(value: Any) -> Any:
    if isinstance(value, str):
        found = _SWITCHES.get(value.strip().lower())
        if found is None:
            raise ValueError(f'"{shortened(value)}" is neither true nor false; write one of them')
        return found
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _schemas_of_words(*words: str) -> list[dict[str, Any]]:
    """Returns the JSON Schemas of one of `words`: as it is, for editors to suggest, and in any case."""
    cases = ("".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word) for word in words)
    return [{"enum": list(words)}, {"type": "string", "pattern": rf"^\s*(?:{'|'.join(cases)})\s*$"}]


class _AnyCase:
    """Lets a `Literal` of words accept each word in any case. Its error names all words."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        words = get_args(source)
        named = f"{', '.join(words[:-1])} or {words[-1]}"

        def checked(value: Any) -> Any:
            if not isinstance(value, str):
                raise ValueError(f"must be {named}")
            word = value.strip().lower()
            if word in words:
                return word
            best = nearest_word(word, words)
            advice = f'did you mean "{best}"?' if best else f"write {named}"
            raise ValueError(f'"{shortened(value)}" is not known here; {advice}')

        return core_schema.no_info_before_validator_function(checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": _schemas_of_words(*handler(schema)["enum"])}


def _moment_from_text(value: Any) -> Any:
    """Returns the date, or the date with a time, in a text such as `2026-12-20` or `2026-12-20T18:00`."""
    if not isinstance(value, str):
        if not isinstance(value, dt.date):
            raise ValueError("must be a day, or a day with a time, such as 2026-12-20T18:00")
        return value
    found = _MOMENT.fullmatch(value.strip())
    if not found:
        raise ValueError(
            f'"{shortened(value)}" is not a day with a time; write it as 2026-12-20T18:00, or 2026-12-20'
        )
    day = parse_date(found[1])
    if day.year not in _YEARS:
        raise ValueError(
            f"{found[1]} is in a year that no event is in; write one from {_YEARS[0]} to {_YEARS[-1]}"
        )
    if found[2] is None:
        return day
    try:
        time = dt.time(int(found[2]), int(found[3]))
        zone = dt.datetime.fromisoformat(f"2000-01-01T00:00{found[4]}").tzinfo if found[4] else None
    except ValueError:
        raise ValueError(f"{value.strip()} has a time that no clock shows; write 00:00 to 23:59") from None
    return dt.datetime.combine(day, time, zone)


def is_before(end: dt.date, start: dt.date) -> bool:
    """Returns whether `end` is before `start`. Each is a date or a datetime; both or none has a time zone.

    A date is compared with the date of a datetime.
    """
    if isinstance(end, dt.datetime) and isinstance(start, dt.datetime):
        return end < start
    return day_of(end) < day_of(start)


Switch = Annotated[
    bool,
    BeforeValidator(_switch_from_text),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, *_schemas_of_words(*_SWITCHES)]}),
]
#: Where a picture of an item stands: above the headline, below it, or after the text.
ImagePlace = Annotated[Literal["above", "below", "after"], _AnyCase()]
#: Where a notice stands: before the body, after it, or in the footer.
NoticePlace = Annotated[Literal["before", "after", "footer"], _AnyCase()]
#: How items are numbered: through the whole issue, from 1 in each section, or not at all.
Numbering = Annotated[Literal["through", "by-section", "none"], _AnyCase()]
#: How a group of items is set: as a compact list, or as stories even if no item has a text.
ListStyle = Annotated[Literal["list", "stories"], _AnyCase()]
#: A date, or a date with a time. A time without an offset is in the time zone of the publication.
Moment = Annotated[
    dt.datetime | dt.date,
    BeforeValidator(_moment_from_text),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*{_MOMENT.pattern}\s*$",
        }
    ),
]

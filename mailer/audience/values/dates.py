"""Reads the dates of lists as UTC times, and finds the orders of day, month and year in which a date can be
read.

Libraries for dates guess (dateutil reads "10" as the tenth of this month, dateparser accepts "2 days ago"),
and a wrong guess would become the date of a consent. This module is therefore strict. Pure, except for the
clock, by which dates in the future are refused.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from mailer.addresses import quote
from mailer.audience.values.time_zones import offset_minutes
from mailer.audience.values.written_dates import EVERY_ORDER, ParsedDate, parse_date
from mailer.errors import AudienceError

__all__ = ["date_orders_of", "read_utc_time"]

#: The earliest year. An earlier date is a zero, or a birthday in the wrong column.
_FIRST_YEAR = 1970
_LAST_YEAR = 2099
_DAY = dt.timedelta(days=1)
#: Cells of at most so many characters are cached: they are days (`24. 3. 2023`), which repeat.
_LENGTH_OF_DAYS = 11

# What most programs write, read without `parse_date`: ISO 8601 and RFC 3339, and Go's form of a time.
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?"
    r"(?: ?(Z|UTC|[+-]\d\d:?\d\d(?: [A-Z]{3,5})?))?)?",
    re.ASCII,
)


def date_orders_of(text: str) -> frozenset[str]:
    """Returns those of the orders "ymd", "dmy" and "mdy" in which a cell can be read as a date.

    `24/03/2023` gives {"dmy"}, `03/04/2023` {"dmy", "mdy"}, and `2023-03-24`, `24 March 2023` and
    `1679653390` give all three. The result is empty if the cell is no date (also for a blank cell, `\\N` and
    `0000-00-00`).
    """
    match = _ISO.fullmatch(text)
    if match:
        return EVERY_ORDER if _datetime_of_iso_match(match, dt.UTC) else frozenset()
    found = parse_date(text)
    return frozenset(found.days) if found else frozenset()


def read_utc_time(text: str, zone: dt.tzinfo, order: str = "ymd") -> str:
    """Returns a date, with or without a time, as UTC text such as `2023-03-24T10:23:10.000000Z`.

    A time without a time zone is in `zone`, and a date without a time begins at midnight in `zone`. `order`
    is "dmy" or "mdy" if the order in the column is known; "ymd" accepts only dates that mean one day in every
    order. Raises AudienceError for other text, for ambiguous dates, for years before 1970, and for dates more
    than a day in the future.
    """
    read = _read_utc_time_cached if len(text) <= _LENGTH_OF_DAYS else _read_utc_time_uncached
    utc, kept = read(text, zone, order)
    from mailer.clock import now

    if utc > now() + _DAY:
        raise AudienceError(f"the date {quote(text.strip())} is in the future; correct it")
    return kept


def _read_utc_time_uncached(text: str, zone: dt.tzinfo, order: str) -> tuple[dt.datetime, str]:
    """Returns a time as a datetime in UTC, and as the text that the database keeps.

    Raises AudienceError for a wrong date.
    """
    match = _ISO.fullmatch(text)
    at = _datetime_of_iso_match(match, zone) if match else _datetime_of_written_date(text, zone, order)
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise _unclear_date_error(text)
    utc = at.astimezone(dt.UTC)
    return utc, f"{utc.isoformat('T', 'microseconds')[:26]}Z"


#: Many rows of a list have the same day, so days are cached.
_read_utc_time_cached = lru_cache(maxsize=8192)(_read_utc_time_uncached)


def _datetime_of_iso_match(match: re.Match[str], zone: dt.tzinfo) -> dt.datetime | None:
    """Returns the time that `_ISO` has matched, or None if the day or the time of day does not exist."""
    day, clock, fraction, offset = match.groups()
    if offset:
        stated = _fixed_offset_zone(offset)
        if stated is None:
            return None
        zone = stated
    try:
        at = dt.datetime.fromisoformat(f"{day}T{clock}" if clock else day)
    except ValueError:
        return None
    if not 1900 <= at.year <= _LAST_YEAR:
        return None
    return at.replace(tzinfo=zone, microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)


@lru_cache(maxsize=256)
def _fixed_offset_zone(offset: str) -> dt.tzinfo | None:
    if offset in ("Z", "UTC"):
        return dt.UTC
    minutes = offset_minutes(f"utc{offset.partition(' ')[0]}")
    return None if minutes is None else dt.timezone(dt.timedelta(minutes=minutes))


def _datetime_of_written_date(text: str, zone: dt.tzinfo, order: str) -> dt.datetime:
    found = parse_date(text)
    if found is None:
        raise _unclear_date_error(text)
    return dt.datetime.combine(_day_in_order(text, found, order), found.clock, tzinfo=found.zone or zone)


def _day_in_order(text: str, parsed_date: ParsedDate, order: str) -> dt.date:
    if order == "ymd":
        days = set(parsed_date.days.values())
        if len(days) > 1:
            raise AudienceError(
                f"the date {quote(text.strip())} is ambiguous; write it as 2026-01-31, or say whether day "
                "or month comes first with --dates dmy or --dates mdy"
            )
        return days.pop()
    if order not in parsed_date.days:
        raise AudienceError(
            f"the date {quote(text.strip())} cannot be read in the order {order}; write it as 2026-01-31"
        )
    return parsed_date.days[order]


def _unclear_date_error(text: str) -> AudienceError:
    return AudienceError(f"the date {quote(text.strip())} cannot be read; write it as 2026-01-31")

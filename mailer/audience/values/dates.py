"""Reads the dates of lists as UTC times, and finds the orders of day, month and year that a cell allows.

Libraries for dates guess (dateutil takes "10" for the tenth of this month, dateparser takes "2 days ago"),
and a wrong guess would become the day of a consent. So this module is strict; `parse_date` knows the forms.
Pure but for the clock, by which dates in the future are refused.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from mailer.addresses import quote
from mailer.audience.values.time_zones import offset_of
from mailer.audience.values.written_dates import EVERY_ORDER, ParsedDate, parse_date
from mailer.errors import AudienceError

__all__ = ["orders_of", "read_moment"]

#: The earliest year. An earlier date is a zero, or a birthday in the wrong column.
_FIRST_YEAR = 1970
_LAST_YEAR = 2099
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


def orders_of(text: str) -> frozenset[str]:
    """Returns in which of the orders "ymd", "dmy" and "mdy" a cell can be read as a date.

    `24/03/2023` gives {"dmy"}, `03/04/2023` {"dmy", "mdy"}, `2023-03-24`, `24 March 2023` and `1679653390`
    all three. Empty for what is no date (also for a blank, `\\N` and `0000-00-00`). The orders that a column
    can be read in are those that all of its dates share.
    """
    match = _ISO.fullmatch(text)
    if match:
        return EVERY_ORDER if _iso(match, dt.UTC) else frozenset()
    found = parse_date(text)
    return frozenset(found.days) if found else frozenset()


def read_moment(text: str, zone: dt.tzinfo, order: str = "ymd") -> str:
    """Returns a date, with or without a time, as UTC text such as `2023-03-24T10:23:10.000000Z`.

    A time without a zone is in `zone`; a date without a time begins there. `order` is "dmy" or "mdy" where
    the order of the column is known; "ymd" accepts only dates with one meaning. Raises AudienceError with one
    sentence for other text, for ambiguous dates, for years before 1970, and for more than a day in the
    future.
    """
    utc, kept = _read_day(text, zone, order) if len(text) <= _LENGTH_OF_DAYS else _read(text, zone, order)
    from mailer.clock import now

    if utc > now() + _DAY:
        raise AudienceError(f"the date {quote(text.strip())} lies in the future; correct it")
    return kept


def _read(text: str, zone: dt.tzinfo, order: str) -> tuple[dt.datetime, str]:
    """Returns the moment in UTC, as a datetime and as the database keeps it. Raises AudienceError."""
    match = _ISO.fullmatch(text)
    at = _iso(match, zone) if match else _moment_of(text, zone, order)
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise _unclear(text)
    utc = at.astimezone(dt.UTC)
    return utc, f"{utc.isoformat('T', 'microseconds')[:26]}Z"


#: Many rows of a list have the same day, so days are cached.
_read_day = lru_cache(maxsize=8192)(_read)


def _iso(match: re.Match[str], zone: dt.tzinfo) -> dt.datetime | None:
    """Returns the moment that `_ISO` has matched; None where there is no such day or time."""
    day, clock, fraction, offset = match.groups()
    if offset:
        stated = _fixed(offset)
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
def _fixed(offset: str) -> dt.tzinfo | None:
    if offset in ("Z", "UTC"):
        return dt.UTC
    minutes = offset_of(f"utc{offset.partition(' ')[0]}")
    return None if minutes is None else dt.timezone(dt.timedelta(minutes=minutes))


def _moment_of(text: str, zone: dt.tzinfo, order: str) -> dt.datetime:
    found = parse_date(text)
    if found is None:
        raise _unclear(text)
    return dt.datetime.combine(_day_of(text, found, order), found.clock, tzinfo=found.zone or zone)


def _day_of(text: str, found: ParsedDate, order: str) -> dt.date:
    if order == "ymd":
        days = set(found.days.values())
        if len(days) > 1:
            raise AudienceError(
                f"the date {quote(text.strip())} is not clear; write it as 2026-01-31, or say which comes "
                "first with --dates dmy|mdy"
            )
        return days.pop()
    if order not in found.days:
        raise AudienceError(
            f"the date {quote(text.strip())} cannot be read in the order {order}; write it as 2026-01-31"
        )
    return found.days[order]


def _unclear(text: str) -> AudienceError:
    return AudienceError(f"the date {quote(text.strip())} is not clear; write it as 2026-01-31")

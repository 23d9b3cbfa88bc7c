"""Times as an operator writes and reads them: ISO 8601, in the workspace's zone unless an offset is given."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from mailer.errors import InputError

__all__ = ["NEVER", "FARTHEST", "check_ahead", "in_words", "is_hour", "parse_at", "parse_hour", "utc_of"]

#: A due time that no run reaches by itself.
NEVER = "9999-12-31T23:59:59.999999Z"
#: Nobody plans further ahead; a slip of the year is likelier.
FARTHEST = dt.timedelta(days=366)
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?")


def parse_hour(text: str) -> dt.time:
    """`08:00`. Raises InputError."""
    if not _HOUR.fullmatch(text):
        raise InputError(f'"{text}" is not a time of day; write it as 08:00')
    return dt.time.fromisoformat(text)


def is_hour(text: str) -> bool:
    """Whether it is a time of day alone, as `08:00`."""
    return _HOUR.fullmatch(text) is not None


def parse_at(text: str, zone: ZoneInfo, now: dt.datetime, day: dt.date | None = None) -> dt.datetime:
    """`2026-11-22T08:00` in `zone`, the same with an offset (`+08:00`, `Z`), or `08:00`.

    A time of day alone is that of `day` where the day is still to come, and else the next such time. Raises
    InputError for anything else, for what has passed, and for a time that the change to or from daylight
    saving time leaves out or gives twice.
    """
    if is_hour(text):
        today = now.astimezone(zone).date()
        wanted = dt.datetime.combine(max(today, day or today), parse_hour(text))
        at = _only_one(wanted, zone)
        at = at if at > now else _only_one(wanted + dt.timedelta(days=1), zone)
        check_ahead(at, zone, now)
        return at
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        wanted = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f'"{text}" is not a time; write 2026-11-22T08:00 (or with an offset, 2026-11-22T08:00+08:00), '
            "08:00 for eight of the issue's date, or usual for the edition's usual time of that date"
        ) from None
    at = _only_one(wanted, zone) if wanted.tzinfo is None else _in_utc(wanted)
    check_ahead(at, zone, now)
    return at


def check_ahead(at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> None:
    """Raises InputError where `at` has passed, or is more than a year away."""
    if at <= now:
        raise InputError(
            f"{in_words(at, zone)} has passed (it is {in_words(now, zone)}); choose a later time, "
            "or leave --at out to send now"
        )
    if at - now > FARTHEST:
        raise InputError(f"{in_words(at, zone)} is more than a year away; is the year right?")


def _only_one(wanted: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The moment when clocks in `zone` show `wanted`. Raises InputError where they never do, or do twice."""
    first, second = (_in_utc(wanted.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first == second:
        return first
    shown = wanted.isoformat(timespec="minutes")
    if first.astimezone(zone).replace(tzinfo=None) != wanted:
        raise InputError(
            f"there is no {shown} in {zone.key}: the clocks are put forward then, and show "
            f"{first.astimezone(zone):%H:%M} instead; choose another time"
        )
    early, late = (shown + _offset(moment.astimezone(zone)) for moment in (first, second))
    raise InputError(
        f"{shown} comes twice in {zone.key}: the clocks are put back then; write {early} or {late}"
    )


def _offset(at: dt.datetime) -> str:
    return at.isoformat(timespec="minutes")[16:]


def _in_utc(at: dt.datetime) -> dt.datetime:
    try:
        return at.astimezone(dt.UTC)
    except OverflowError:
        raise InputError(
            f"{at.isoformat(timespec='minutes')} is outside the range of times; choose another"
        ) from None


def utc_of(day: dt.date, hour: dt.time, zone: dt.tzinfo) -> dt.datetime:
    """When it is `hour` on `day` in `zone`: the first time where clocks show it twice; where they never
    do, as long after midnight as `hour` says by the old time. Raises InputError at the ends of the calendar.
    """
    return _in_utc(dt.datetime.combine(day, hour, tzinfo=zone))


def in_words(at: dt.datetime | str, zone: ZoneInfo, *, named: bool = True) -> str:
    """`Sun 22 Nov 2026 08:00 (Asia/Shanghai)`; the zone is left out where it is not to be `named`.

    A text is a time as the database keeps it.
    """
    moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    local = moment.astimezone(zone)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    day = f"{days[local.weekday()]} {local.day} {months[local.month - 1]} {local.year}"
    return f"{day} {local:%H:%M}" + (f" ({zone.key})" if named else "")

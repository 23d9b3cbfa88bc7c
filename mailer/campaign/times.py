"""Parses and formats times for operators: ISO 8601, in the workspace's time zone unless an offset is
given."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

from mailer.errors import InputError

__all__ = [
    "NEVER",
    "FARTHEST",
    "check_within_next_year",
    "format_time",
    "is_time_of_day",
    "parse_send_time",
    "parse_time_of_day",
    "local_to_utc",
]

#: The due time that `--json` has of a delivery that is held.
NEVER = "9999-12-31T23:59:59.999999Z"
#: A time further ahead is refused, because a mistyped year is likelier.
FARTHEST = dt.timedelta(days=366)
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?")


def parse_time_of_day(text: str) -> dt.time:
    """Parses a time of day such as `08:00`. Raises InputError for any other format."""
    if not _HOUR.fullmatch(text):
        raise InputError(f'"{text}" is not a time of day; write it like 08:00')
    return dt.time.fromisoformat(text)


def is_time_of_day(text: str) -> bool:
    """Returns whether a text is a time of day without a date, such as `08:00`."""
    return _HOUR.fullmatch(text) is not None


def parse_send_time(text: str, zone: ZoneInfo, now: dt.datetime, day: dt.date | None = None) -> dt.datetime:
    """Returns the time (UTC) for `2026-11-22T08:00` in `zone`, the same with an offset (`+08:00`), or
    `08:00`.

    A time of day without a date means that time on `day`, or on the first later day on which that time is
    after `now`; if `day` is None, that is today or tomorrow. Raises
    InputError for any other format, for a time that has passed, and for a local time that daylight saving
    time skips or repeats.
    """
    if is_time_of_day(text):
        today = now.astimezone(zone).date()
        wanted = dt.datetime.combine(max(today, day or today), parse_time_of_day(text))
        at = _unambiguous_utc_time(wanted, zone)
        at = at if at > now else _unambiguous_utc_time(wanted + dt.timedelta(days=1), zone)
        check_within_next_year(at, zone, now)
        return at
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        wanted = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f'"{text}" is not a time; write 2026-11-22T08:00 (or with an offset, 2026-11-22T08:00+08:00), '
            "08:00 for that time on the issue's date, or usual for the edition's usual time on that date"
        ) from None
    at = _unambiguous_utc_time(wanted, zone) if wanted.tzinfo is None else _to_utc(wanted)
    check_within_next_year(at, zone, now)
    return at


def check_within_next_year(at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> None:
    """Raises InputError if `at` has passed, or is more than a year after `now`."""
    if at <= now:
        raise InputError(
            f"{format_time(at, zone)} has passed (it is now {format_time(now, zone)}); choose a later time, "
            "or leave --at out to send now"
        )
    if at - now > FARTHEST:
        raise InputError(f"{format_time(at, zone)} is more than a year away; check the year")


def _unambiguous_utc_time(local_time: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Returns the moment (UTC) when clocks in `zone` show this local time.

    Raises InputError if clocks never show this local time, or show it twice.
    """
    first, second = (_to_utc(local_time.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first == second:
        return first
    shown = local_time.isoformat(timespec="minutes")
    if first.astimezone(zone).replace(tzinfo=None) != local_time:
        raise InputError(
            f"{shown} does not exist in {zone.key}: the clocks go forward then, and show "
            f"{first.astimezone(zone):%H:%M} instead; choose another time"
        )
    early, late = (shown + _utc_offset_text(moment.astimezone(zone)) for moment in (first, second))
    raise InputError(f"{shown} occurs twice in {zone.key}: the clocks go back then; write {early} or {late}")


def _utc_offset_text(at: dt.datetime) -> str:
    return at.isoformat(timespec="minutes")[16:]


def _to_utc(at: dt.datetime) -> dt.datetime:
    try:
        return at.astimezone(dt.UTC)
    except OverflowError:
        raise InputError(
            f"{at.isoformat(timespec='minutes')} is outside the supported range of dates; choose another time"
        ) from None


def local_to_utc(day: dt.date, time_of_day: dt.time, zone: dt.tzinfo) -> dt.datetime:
    """Returns the moment (UTC) when clocks in `zone` show `time_of_day` on `day`.

    If clocks show that time twice, the first moment is returned. If daylight saving time skips that time, the
    offset before the change is used. Raises InputError if the moment is before year 1 or after year 9999.
    """
    return _to_utc(dt.datetime.combine(day, time_of_day, tzinfo=zone))


def format_time(at: dt.datetime | str, zone: ZoneInfo, *, with_zone: bool = True) -> str:
    """Formats a time as `Sun 22 Nov 2026 08:00 (Asia/Shanghai)`; without the zone if `with_zone` is False.

    `at` may also be an ISO 8601 text, as the database stores times.
    """
    moment = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    local = moment.astimezone(zone)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    day = f"{days[local.weekday()]} {local.day} {months[local.month - 1]} {local.year}"
    return f"{day} {local:%H:%M}" + (f" ({zone.key})" if with_zone else "")

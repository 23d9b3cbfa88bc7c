"""Provides the clock of the program, which tests can replace, and writes times as text, always in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo

__all__ = ["day_of", "local_day", "now", "set_clock", "utc_now", "utc_text", "with_zone"]

Clock = Callable[[], datetime]


def _system_time() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _system_time


def now() -> datetime:
    """Returns the current time in UTC."""
    return _clock()


def utc_text(time: datetime) -> str:
    """Returns `time` as the text that the database stores, such as `2026-11-21T00:00:00.000000Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> str:
    """Returns the current time as the text that the database stores."""
    return utc_text(now())


def local_day(text: str, zone: tzinfo) -> str:
    """Returns the day in `zone`, such as `2026-11-21`, of a time that the database stores as `text`."""
    time = datetime.fromisoformat(text)
    return (time.astimezone(zone) if time.tzinfo else time).date().isoformat()


def day_of(moment: date) -> date:
    """Returns the date of a datetime, and a date unchanged."""
    return moment.date() if isinstance(moment, datetime) else moment


def with_zone(time: datetime, zone: tzinfo) -> datetime:
    """Returns a time without a time zone as the same local time in `zone`, and any other time unchanged."""
    return time if time.tzinfo else time.replace(tzinfo=zone)


def set_clock(clock: Clock | None) -> None:
    """Makes `clock` the clock of the whole process; None restores the system's clock."""
    global _clock
    _clock = clock or _system_time

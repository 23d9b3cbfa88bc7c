"""The one clock of the program, and times as text. UTC throughout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["now", "set_clock", "utc_now", "utc_text"]

Clock = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _system


def now() -> datetime:
    """Returns the time, in UTC."""
    return _clock()


def utc_text(at: datetime) -> str:
    """Returns a time as the database keeps it: `2026-11-21T00:00:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> str:
    """Returns the time, as the database keeps it."""
    return utc_text(now())


def set_clock(clock: Clock | None) -> None:
    """Makes `clock` the clock of the program; None is the system's. For the whole process."""
    global _clock
    _clock = clock or _system

"""Gives messages their Date: the time of their hand-over, within a minute.

All messages that are composed within one minute have the same Date. So everything that depends on it (the
field, the hash of the constant header fields, DKIM's `t=`) is made once a minute, and each message costs a
comparison.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Generic, NamedTuple, TypeVar

from mailer.clock import now

__all__ = ["Dates", "MinuteCache", "Stamp"]

T = TypeVar("T")


class Stamp(NamedTuple):
    """Holds a time in seconds since 1970, the same as a Date field, and the minute that it stands for."""

    minute: int
    seconds: int
    date: bytes


class Dates:
    """Returns the Stamp of the current minute of a clock, one object a minute. Several threads may use it at
    once.

    With `fixed` it is always the stamp of that time.
    """

    def __init__(self, fixed: datetime | None = None, clock: Callable[[], datetime] = now) -> None:
        self._fixed = fixed is not None
        self._clock = clock
        self._renewing = threading.Lock()
        self._stamp = _stamp_of(clock() if fixed is None else fixed)

    def stamp(self) -> Stamp:
        """Returns the stamp of this minute; a new one where the clock was changed."""
        stamp = self._stamp
        if self._fixed or stamp.minute == _minute(self._clock()):
            return stamp
        with self._renewing:
            at = self._clock()  # again: another thread may have renewed it while this one waited
            if self._stamp.minute != _minute(at):
                self._stamp = _stamp_of(at)
            return self._stamp


class MinuteCache(Generic[T]):
    """Caches what `make` returns for a stamp, until the next stamp. Several threads may use it at once.

    `make` is given the stamp and the value of the stamp before, None at first.
    """

    def __init__(self, dates: Dates, make: Callable[[Stamp, T | None], T]) -> None:
        self._dates = dates
        self._make = make
        self._renewing = threading.Lock()
        stamp = dates.stamp()
        self._made = (stamp, make(stamp, None))

    def value(self) -> T:
        """Returns the value for the current stamp, made by the first thread that asks."""
        made = self._made
        if made[0] is self._dates.stamp():
            return made[1]
        with self._renewing:
            stamp = self._dates.stamp()
            if self._made[0] is not stamp:
                self._made = (stamp, self._make(stamp, self._made[1]))
            return self._made[1]


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _stamp_of(at: datetime) -> Stamp:
    return Stamp(_minute(at), int(at.timestamp()), format_datetime(at).encode("ascii"))

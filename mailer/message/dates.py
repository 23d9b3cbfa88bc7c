"""Makes the Date of messages once a minute, and caches the values that depend on the Date.

All messages that are composed within one minute have the same Date. So everything that depends on the Date
(the field, the hash of the constant header fields, DKIM's `t=`) is made once a minute, and each message only
compares the minute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Generic, NamedTuple, TypeVar

from mailer.clock import now

__all__ = ["DateStampClock", "MinuteCache", "DateStamp"]

T = TypeVar("T")


class DateStamp(NamedTuple):
    """Holds one time in three forms.

    `minute` is in whole minutes since 1970, `seconds` in seconds since 1970, and `date` the value of a Date
    field.
    """

    minute: int
    seconds: int
    date: bytes


class DateStampClock:
    """Makes one DateStamp a minute from the time that `clock` returns. Several threads may use one object.

    With `fixed_time`, the stamp is always that of this time.
    """

    def __init__(self, fixed_time: datetime | None = None, clock: Callable[[], datetime] = now) -> None:
        self._is_fixed = fixed_time is not None
        self._clock = clock
        self._renewing = threading.Lock()
        self._stamp = _date_stamp_of(clock() if fixed_time is None else fixed_time)

    def current_stamp(self) -> DateStamp:
        """Returns the stamp of the current minute: the same object until the clock shows another minute."""
        stamp = self._stamp
        if self._is_fixed or stamp.minute == _minute_number(self._clock()):
            return stamp
        with self._renewing:
            at = self._clock()  # again: another thread may have renewed it while this one waited
            if self._stamp.minute != _minute_number(at):
                self._stamp = _date_stamp_of(at)
            return self._stamp


class MinuteCache(Generic[T]):
    """Caches what `make_value` returns for the current stamp of `dates`. Several threads may use one object.

    `make_value` is called once for each new stamp, with the new stamp and the value that it returned for the
    previous stamp (None at the first call).
    """

    def __init__(self, dates: DateStampClock, make_value: Callable[[DateStamp, T | None], T]) -> None:
        self._dates = dates
        self._make_value = make_value
        self._renewing = threading.Lock()
        stamp = dates.current_stamp()
        self._made = (stamp, make_value(stamp, None))

    def current_value(self) -> T:
        """Returns the value for the current stamp. The first thread that asks for it makes it."""
        made = self._made
        if made[0] is self._dates.current_stamp():
            return made[1]
        with self._renewing:
            stamp = self._dates.current_stamp()
            if self._made[0] is not stamp:
                self._made = (stamp, self._make_value(stamp, self._made[1]))
            return self._made[1]


def _minute_number(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _date_stamp_of(at: datetime) -> DateStamp:
    return DateStamp(_minute_number(at), int(at.timestamp()), format_datetime(at).encode("ascii"))

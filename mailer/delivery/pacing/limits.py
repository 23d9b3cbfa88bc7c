"""Implements the rate limits: evenly spaced messages per second, or a budget per minute, hour or day.

The use of a limit is recorded in a ledger that all runs share. A run reserves a few messages at a time, so
that not every message needs a transaction. After a crash, the reserved messages stay counted as sent, so that
a limit is never exceeded. Times are passed by the caller, in seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from mailer.delivery.pacing.windows import calendar_window_of
from mailer.spool.ledger import LedgerEntry, RateLimitLedger

__all__ = ["CATCH_UP_SECONDS", "Budget", "RateLimit", "Spacing"]

#: A run that wakes up late may catch up this much, or the configured pace would never be reached.
CATCH_UP_SECONDS = 0.1
_RESERVE_SECONDS = 0.25
_RESERVE_AT_MOST = 250
#: A limit that was found used up is not read from the ledger again for this time.
_POLL_SECONDS = 1.0
#: A time further ahead than a reservation allows was stored before the clock was set back.
_TOLERANCE_SECONDS = 1.0


class RateLimit:
    """Defines the interface of a rate limit. `sentence` describes the limit to an operator."""

    sentence: str

    def seconds_to_wait(self, now: float) -> float:
        """Returns the seconds until a message may be sent; 0.0 if the ledger must be read to know it."""
        raise NotImplementedError

    def drop_expired_reservations(self, now: float) -> bool:
        """Drops reservations whose time is over. Returns whether any reserved messages are left."""
        raise NotImplementedError

    def reserve_messages(self, now: float) -> None:
        """Counts a few messages in the ledger before they are sent, if the limit allows any."""
        raise NotImplementedError

    def use_reserved_message(self) -> None:
        """Uses one reserved message."""
        raise NotImplementedError

    def refund_message(self, taken_at: float) -> None:
        """Makes a message that was counted at the time `taken_at`, but not handed over, count no longer."""

    def close(self) -> None:
        """Returns the unused reserved messages to the ledger."""

    def message_capacity(self, seconds: float, now: float) -> int:
        """Returns about how many messages may be sent in the next `seconds` seconds."""
        raise NotImplementedError


class Spacing(RateLimit):
    """Spaces messages evenly: at 20/s, one message is sent every 50 ms; at 0.2/s, one every 5 seconds.

    `name` is the limit's entry in the ledger; `sentence` describes the limit to an operator.
    """

    def __init__(self, name: str, per_second: float, sentence: str, ledger: RateLimitLedger) -> None:
        self.sentence = sentence
        self.interval = 1 / per_second
        self._name = name
        self._ledger = ledger
        self._chunk = max(1, int(per_second * _RESERVE_SECONDS))
        self._furthest = max(_RESERVE_SECONDS, self.interval) + _TOLERANCE_SECONDS
        self._next = 0.0
        self._reserved = 0
        self._free_at = 0.0

    def seconds_to_wait(self, now: float) -> float:
        next_at = self._next if self.drop_expired_reservations(now) else self._free_at
        return 0.0 if next_at - now > self._furthest else max(0.0, next_at - now)

    def drop_expired_reservations(self, now: float) -> bool:
        late = now - CATCH_UP_SECONDS - self._next
        if self._reserved and late > 0:
            lost = min(self._reserved, int(late / self.interval) + 1)
            self._reserved -= lost
            self._next += lost * self.interval
        if self._next - now > self._furthest:
            self._reserved = 0
        return self._reserved > 0

    def reserve_messages(self, now: float) -> None:
        def reserve_messages_in(entry: LedgerEntry) -> LedgerEntry:
            free_at = entry[0]
            if free_at - now > self._furthest:
                # The clock was set back. The message that had this time was sent already.
                free_at = now + self.interval
            if free_at > now:
                self._free_at = free_at
                return free_at, 0
            self._next = free_at if free_at >= now - CATCH_UP_SECONDS else now
            self._reserved = self._chunk
            self._free_at = self._next + self._chunk * self.interval
            return self._free_at, 0

        self._ledger.update_entry(self._name, reserve_messages_in)

    def use_reserved_message(self) -> None:
        self._reserved -= 1
        self._next += self.interval

    def message_capacity(self, seconds: float, now: float) -> int:
        wait = self.seconds_to_wait(now)
        return max(1, int((seconds - wait) / self.interval)) if wait <= seconds else 0


class Budget(RateLimit):
    """Allows a number of messages in each window: a minute, an hour or a day of the calendar.

    `unit` is `m`, `h` or `d`. `max_messages` gets the beginning of a window and returns the number of
    messages that are allowed in this window. `name` is the limit's entry in the ledger; `sentence` describes
    the limit to an operator. When the clock is set back, the last window in the ledger stays in use, so that
    no window is used twice.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        max_messages: Callable[[float], int],
        sentence: str,
        ledger: RateLimitLedger,
        zone: tzinfo,
    ) -> None:
        self.sentence = sentence
        self._name = name
        self._unit = unit
        self._max_messages = max_messages
        self._ledger = ledger
        self._zone = zone
        self._window = (0.0, 0.0)
        self._reserved = 0
        self._remaining: int | None = None
        self._looked_at = -_POLL_SECONDS

    def window_at(self, moment: float) -> tuple[float, float]:
        """Returns the beginning and the end of the window that contains this time."""
        if not self._window[0] <= moment < self._window[1]:
            return calendar_window_of(self._unit, moment, self._zone)
        return self._window

    def max_messages_in(self, window_start: float) -> int:
        """Returns the number of messages allowed in the window that begins at this time."""
        return self._max_messages(window_start)

    def seconds_to_wait(self, now: float) -> float:
        if self.drop_expired_reservations(now) or not self._is_used_up(now):
            return 0.0
        return self._window[1] - now

    def drop_expired_reservations(self, now: float) -> bool:
        return self._reserved > 0 and now < self._window[1]

    def _is_used_up(self, now: float) -> bool:
        fresh = 0 <= now - self._looked_at < _POLL_SECONDS
        return self._remaining == 0 and now < self._window[1] and fresh

    def reserve_messages(self, now: float) -> None:
        def reserve_messages_in(entry: LedgerEntry) -> LedgerEntry:
            begins, used = entry
            current, _ = calendar_window_of(self._unit, now, self._zone)
            if begins < current:
                begins, used = current, 0
            self._window = calendar_window_of(self._unit, begins, self._zone)
            # The beginning in the entry counts, even if it was computed for another zone.
            self._window = (begins, max(self._window[1], begins + 1))
            allowed = self._max_messages(begins)
            self._reserved = max(0, min(self._reservation_size(allowed), allowed - used))
            self._remaining = max(0, allowed - used - self._reserved)
            self._looked_at = now
            return (begins, used + self._reserved) if self._reserved else entry

        self._ledger.update_entry(self._name, reserve_messages_in)

    @staticmethod
    def _reservation_size(max_messages: int) -> int:
        return max(1, min(_RESERVE_AT_MOST, max_messages // 100))

    def use_reserved_message(self) -> None:
        self._reserved -= 1

    def refund_message(self, taken_at: float) -> None:
        if self._window[0] <= taken_at < self._window[1]:
            self._reserved += 1

    def close(self) -> None:
        back, self._reserved = self._reserved, 0

        def give_back_messages(entry: LedgerEntry) -> LedgerEntry:
            begins, used = entry
            return (begins, max(0, used - back)) if begins == self._window[0] else entry

        if back:
            self._ledger.update_entry(self._name, give_back_messages)

    def message_capacity(self, seconds: float, now: float) -> int:
        if self.seconds_to_wait(now) > seconds:
            return 0
        begins, ends = self._window
        if self._remaining is None or not begins <= now < ends:
            return self._max_messages(calendar_window_of(self._unit, now, self._zone)[0])
        return max(1, self._reserved + self._remaining)

"""Computes when deferred mail is tried again, by exponential back-off (RFC 5321 section 4.5.4.1).

Each wait is as long as the delivery has been deferred already, so that attempts need not be counted. A random
variation of up to a quarter spreads the retries. Deliveries that were deferred in one request get one due
time, so that they form one request again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

__all__ = ["USUAL", "Backoff"]

_SOONER, _LATER = 0.75, 1.25


@dataclass(frozen=True, slots=True)
class Backoff:
    """Holds, in seconds, the `first` and the `longest` wait between two attempts, and the time after which a
    deferred delivery is given up (`give_up`)."""

    first: float = 60.0
    longest: float = 4 * 3600.0
    give_up: float = 24 * 3600.0

    def next_attempt_time(
        self, deferred_since: datetime, now: datetime, factor: float | None = None
    ) -> datetime | None:
        """Returns when to try a deferred delivery again; None if it has been deferred for too long.

        The last attempt is made when the total time is over. `factor` varies the wait: deliveries that are to
        be due together get the same `random_factor`; None means a new one.
        """
        end = deferred_since + timedelta(seconds=self.give_up)
        if now >= end:
            return None
        waited = max(0.0, (now - deferred_since).total_seconds())
        wait = min(max(waited, self.first), self.longest) * (factor or self.random_factor())
        return min(now + timedelta(seconds=wait), end)

    @staticmethod
    def random_factor() -> float:
        """Returns a random factor that makes a wait shorter or longer by up to a quarter."""
        return random.uniform(_SOONER, _LATER)  # noqa: S311

    def latest_attempt_time(self, now: datetime) -> datetime:
        """Returns the latest due time that a delivery can have that was deferred before `now`."""
        return now + timedelta(seconds=max(self.first, self.longest) * _LATER)


USUAL: Final = Backoff()

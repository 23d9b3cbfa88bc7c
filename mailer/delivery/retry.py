"""Computes when deferred mail is tried again, by exponential back-off (RFC 5321 section 4.5.4.1).

Each wait is as long as the delivery has been deferred already, so that attempts need not be counted, with a
random variation of a quarter so that not all retries come at once. Deliveries of one request get one due
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
    """Holds the `first` and the `longest` wait between two attempts, and the total time for retries, in
    seconds."""

    first: float = 60.0
    longest: float = 4 * 3600.0
    give_up: float = 24 * 3600.0

    def next_attempt(self, since: datetime, now: datetime, variation: float | None = None) -> datetime | None:
        """Returns when to try a delivery again that has been deferred since `since`; None where it is to be
        given up.

        The last attempt is made when the total time is over. `variation` is a factor from `vary`, for
        deliveries that are to be due together; without it, each one gets its own.
        """
        end = since + timedelta(seconds=self.give_up)
        if now >= end:
            return None
        waited = max(0.0, (now - since).total_seconds())
        wait = min(max(waited, self.first), self.longest) * (variation or self.vary())
        return min(now + timedelta(seconds=wait), end)

    @staticmethod
    def vary() -> float:
        """Returns a random factor that makes a wait shorter or longer by up to a quarter."""
        return random.uniform(_SOONER, _LATER)  # noqa: S311

    def latest(self, now: datetime) -> datetime:
        """Returns the latest time until which any delivery that is deferred by `now` may wait."""
        return now + timedelta(seconds=max(self.first, self.longest) * _LATER)


USUAL: Final = Backoff()

"""Computes when deferred mail is tried again, by exponential back-off (RFC 5321 section 4.5.4.1).

Each wait is as long as the time since the first deferral, so that attempts need not be counted. A random
variation of up to a quarter spreads the retries. Deliveries that were deferred by the same answer of a
provider get the same due time, so that they can be handed over together again.
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
    """Holds the settings of the back-off, in seconds.

    `first` is the shortest wait between two attempts, and `longest` the longest. A delivery is given up when
    `give_up` seconds have passed since its first deferral.
    """

    first: float = 60.0
    longest: float = 4 * 3600.0
    give_up: float = 24 * 3600.0

    def next_attempt_time(
        self, deferred_since: datetime, now: datetime, factor: float | None = None
    ) -> datetime | None:
        """Returns the time of the next attempt for a deferred delivery; None if the delivery is given up.

        `deferred_since` is the time of the first deferral. The last attempt is made `give_up` seconds after
        it. The wait is multiplied by `factor`; None means by a new random factor. Deliveries that must be due
        together get the same factor.
        """
        end = deferred_since + timedelta(seconds=self.give_up)
        if now >= end:
            return None
        waited = max(0.0, (now - deferred_since).total_seconds())
        wait = min(max(waited, self.first), self.longest) * (factor or self.random_factor())
        return min(now + timedelta(seconds=wait), end)

    @staticmethod
    def random_factor() -> float:
        """Returns a random factor between 0.75 and 1.25, by which a wait is multiplied."""
        return random.uniform(_SOONER, _LATER)  # noqa: S311

    def latest_attempt_time(self, now: datetime) -> datetime:
        """Returns the latest due time that `next_attempt_time` can give to a delivery up to `now`.

        A deferred delivery with a later due time got it while the clock was wrong.
        """
        return now + timedelta(seconds=max(self.first, self.longest) * _LATER)


USUAL: Final = Backoff()

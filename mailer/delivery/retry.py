"""When deferred mail is tried again: after a minute, then later each time (RFC 5321 section 4.5.4.1).

The wait is as long as the delivery has been deferred already, so that no count of attempts is needed, and it
is varied by a quarter so that not all of them come at once. Those of one request are due at one time, so that
they are one request again.
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
    """The `first` and the `longest` wait between two attempts, and the time for all of them, in seconds."""

    first: float = 60.0
    longest: float = 4 * 3600.0
    give_up: float = 24 * 3600.0

    def next_attempt(self, since: datetime, now: datetime, variation: float | None = None) -> datetime | None:
        """When to try again what has been deferred since that time; None where it is to be given up.

        The last attempt is made when the time is over. `variation` is a factor as `vary` gives it, for what
        is to be due together; without it, each is due at its own time.
        """
        end = since + timedelta(seconds=self.give_up)
        if now >= end:
            return None
        waited = max(0.0, (now - since).total_seconds())
        wait = min(max(waited, self.first), self.longest) * (variation or self.vary())
        return min(now + timedelta(seconds=wait), end)

    @staticmethod
    def vary() -> float:
        """A factor that makes a wait shorter or longer by up to a quarter."""
        return random.uniform(_SOONER, _LATER)  # noqa: S311

    def latest(self, now: datetime) -> datetime:
        """No delivery that was deferred until now waits longer than until this time."""
        return now + timedelta(seconds=max(self.first, self.longest) * _LATER)


USUAL: Final = Backoff()

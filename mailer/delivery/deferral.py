"""When a deferred delivery is tried again: later each time, and not all of them at once."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

from mailer.delivery.transports.base import Outcome, Result
from mailer.store import now, utc_text

__all__ = ["NEVER", "RETRY_AFTER", "Deferrals"]

#: Seconds until a deferred delivery is tried again, by attempt; after the last it waits for the operator.
RETRY_AFTER = (5.0, 30.0, 120.0)
#: A due time that no run reaches by itself.
NEVER = "9999-12-31T23:59:59.999999Z"

_SOONER, _LATER = 0.75, 1.25


class Deferrals:
    """How often each person was deferred in this run."""

    def __init__(self, retry_after: tuple[float, ...]) -> None:
        self._retry_after = retry_after
        self._times: Counter[int] = Counter()

    @property
    def longest(self) -> float:
        """Nothing is put off for longer than this (seconds)."""
        return _LATER * max(self._retry_after, default=0.0)

    def due(self, outcome: Outcome, subscriber_id: int) -> str:
        """When to try again (UTC), after this outcome; empty for any other than deferred."""
        if outcome.result is not Result.DEFERRED:
            return ""
        self._times[subscriber_id] += 1
        attempt = self._times[subscriber_id]
        if attempt > len(self._retry_after):
            return NEVER
        seconds = self._retry_after[attempt - 1] * random.uniform(_SOONER, _LATER)  # noqa: S311
        return utc_text(now() + timedelta(seconds=seconds))

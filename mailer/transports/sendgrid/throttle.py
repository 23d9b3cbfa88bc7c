"""Lets one channel retry after SendGrid's rate limit (429) while the others wait, as the limit is the
account's.

Without that, every connection would upload its request several times only to be refused again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from mailer.transports.base import ENDED, Outcome, Sleep

__all__ = ["Throttle", "LimitWait"]

#: How often a 429 is waited out before the request is left for later.
_WAITS: Final = 3
#: A channel that waits for another looks this often whether the run has ended (seconds).
_LOOK_SECONDS: Final = 0.1


class Throttle:
    """Holds the state of the rate limit, for all channels of one run. Several threads may use it."""

    def __init__(self) -> None:
        self.asking = threading.Lock()  # held by the channel that asks
        self.limited = False
        #: Whether the limit outlasted all waits: then each request is tried once, until one gets through.
        self.lasting = False
        #: How often a channel gave up retrying, and the last outcome.
        self.given_up = 0
        self.last_outcome = ENDED


class LimitWait:
    """Waits for the rate limit to end, for one channel. `over` returns whether the run has ended."""

    def __init__(self, throttle: Throttle, sleep: Sleep, over: Callable[[], bool]) -> None:
        self._throttle = throttle
        self._sleep = sleep
        self._over = over
        self._asks = False
        self._refused = 0
        self._waits = 0

    def wait(self) -> Outcome | None:
        """Waits while another channel retries; returns None where the request may be sent.

        Otherwise it returns an outcome: the other channel's, which applies to this request too, or ENDED.
        """
        throttle = self._throttle
        if self._asks or not throttle.limited:
            return None
        before = throttle.given_up
        while not throttle.asking.acquire(timeout=_LOOK_SECONDS):
            if self._over():
                return ENDED
        self._asks = throttle.limited and throttle.given_up == before
        if self._asks:
            return None
        outcome_of_wait = throttle.last_outcome if throttle.limited else None
        throttle.asking.release()
        return outcome_of_wait

    def note_refused(self, outcome: Outcome, seconds: Callable[[int], float]) -> Outcome | None:
        """Notes a 429 with its `outcome`; returns None where the request may be sent again now.

        `seconds` returns how long to wait, for the first, second, … wait.
        """
        throttle = self._throttle
        throttle.limited = True
        self._refused += 1
        if not self._asks:
            outcome_of_wait = outcome if self._refused > _WAITS else self.wait()
            if outcome_of_wait is not None or not self._asks:
                return outcome if outcome_of_wait is ENDED else outcome_of_wait
        if throttle.lasting or self._waits == _WAITS:
            throttle.lasting = True
            throttle.last_outcome = outcome
            throttle.given_up += 1
        else:
            self._waits += 1
            if not self._sleep(seconds(self._waits)):
                return None
        self.end()
        return outcome

    def note_passed(self) -> None:
        """Notes an answer other than 429."""
        if self._asks:
            self._throttle.limited = self._throttle.lasting = False
        self.end()

    def end(self) -> None:
        """Lets another channel retry, and resets the counts of this one."""
        self._refused = self._waits = 0
        if self._asks:
            self._asks = False
            self._throttle.asking.release()

"""Makes the channels wait when SendGrid's rate limit for the account is reached (status 429).

One channel retries while the others wait. Otherwise every connection would upload its request several times
only to be refused again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from mailer.transports.base import ENDED, Outcome, Sleep

__all__ = ["RateLimitState", "RateLimitWait"]

#: How often a 429 is waited out before the request is left for later.
_WAITS: Final = 3
#: A channel that waits for another looks this often whether the run has ended (seconds).
_LOOK_SECONDS: Final = 0.1


class RateLimitState:
    """Holds the state of the rate limit, for all channels of one run. Several threads may use it."""

    def __init__(self) -> None:
        self.asking = threading.Lock()  # held by the channel that asks
        self.limited = False
        #: Whether the limit outlasted all waits: then each request is tried once, until one gets through.
        self.lasting = False
        #: How often a channel gave up retrying, and the last outcome.
        self.given_up = 0
        self.last_outcome = ENDED


class RateLimitWait:
    """Waits for the end of the rate limit, for one channel.

    `run_has_ended` returns whether the run has ended.
    """

    def __init__(self, state: RateLimitState, sleep: Sleep, run_has_ended: Callable[[], bool]) -> None:
        self._state = state
        self._sleep = sleep
        self._run_has_ended = run_has_ended
        self._asks = False
        self._refused = 0
        self._waits = 0

    def wait_for_turn(self) -> Outcome | None:
        """Waits while another channel retries; returns None if the request may be sent.

        Otherwise returns the outcome for the request: the outcome that the other channel got, or ENDED.
        """
        state = self._state
        if self._asks or not state.limited:
            return None
        before = state.given_up
        while not state.asking.acquire(timeout=_LOOK_SECONDS):
            if self._run_has_ended():
                return ENDED
        self._asks = state.limited and state.given_up == before
        if self._asks:
            return None
        outcome_of_wait = state.last_outcome if state.limited else None
        state.asking.release()
        return outcome_of_wait

    def wait_after_rate_limit(
        self, outcome: Outcome, seconds_for_wait: Callable[[int], float]
    ) -> Outcome | None:
        """Notes an answer with status 429, and waits; returns None if the request may be sent again now.

        Otherwise returns the outcome for the request. `outcome` is the outcome for a request that is given
        up. `seconds_for_wait` gets 1 for the channel's first wait, 2 for the second, and so on, and returns
        how many seconds to wait.
        """
        state = self._state
        state.limited = True
        self._refused += 1
        if not self._asks:
            outcome_of_wait = outcome if self._refused > _WAITS else self.wait_for_turn()
            if outcome_of_wait is not None or not self._asks:
                return outcome if outcome_of_wait is ENDED else outcome_of_wait
        if state.lasting or self._waits == _WAITS:
            state.lasting = True
            state.last_outcome = outcome
            state.given_up += 1
        else:
            self._waits += 1
            if not self._sleep(seconds_for_wait(self._waits)):
                return None
        self.let_another_channel_retry()
        return outcome

    def note_rate_limit_over(self) -> None:
        """Notes an answer with a status other than 429: the rate limit is no longer reached."""
        if self._asks:
            self._state.limited = self._state.lasting = False
        self.let_another_channel_retry()

    def let_another_channel_retry(self) -> None:
        """Lets another channel retry, and resets the counts of this channel."""
        self._refused = self._waits = 0
        if self._asks:
            self._asks = False
            self._state.asking.release()

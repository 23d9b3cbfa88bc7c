"""Stops a run when too many outcomes are bad in a row, or too large a share of them is refused.

An outage could make every delivery uncertain within seconds, and a transport that refuses everything could
mark a whole list as refused. A list with many dead addresses harms the sender's reputation with each message.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from mailer.spool.base import Spool
from mailer.transports.base import Outcome, Result

__all__ = [
    "DOUBTS_IN_A_ROW",
    "REFUSALS_IN_A_ROW",
    "SETTLED_AT_LEAST",
    "CircuitBreaker",
    "refusals_note",
    "refused_too_often",
]

DOUBTS_IN_A_ROW = 20
REFUSALS_IN_A_ROW = 200
#: The share of refusals is not judged before this number of outcomes is known.
SETTLED_AT_LEAST = 100


class CircuitBreaker:
    """Counts outcomes with the same result in a row, over all connections. It is safe to use from several
    threads."""

    def __init__(self, longest: Mapping[Result, int]) -> None:
        self._longest = dict(longest)
        self._lock = threading.Lock()
        self._kind = Result.ACCEPTED
        self._number = 0
        self.sentence = ""

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Counts new outcomes. Sets `sentence` when the limit for a result is reached."""
        with self._lock:
            for outcome in outcomes:
                if outcome.result is Result.SKIPPED:
                    continue  # nothing was handed over
                self._number = self._number + 1 if outcome.result is self._kind else 1
                self._kind = outcome.result
                longest = self._longest.get(self._kind)
                if longest is not None and self._number >= longest and not self.sentence:
                    self.sentence = (
                        f"{self._number:,} messages in a row were {self._kind.value}, so the campaign "
                        f"stopped itself; the last answer was: {outcome.reason or 'none'}"
                    )


def refused_too_often(outcomes: Mapping[str, int], share: float, at_least: int = SETTLED_AT_LEAST) -> bool:
    """Returns whether more than `share` (0 to 1) of what a run settled was rejected, from `at_least` outcomes
    on."""
    rejected = outcomes.get("rejected", 0)
    settled = rejected + outcomes.get("accepted", 0) + outcomes.get("uncertain", 0)
    return settled >= at_least and rejected > share * settled


def refusals_note(spool: Spool, outcomes: Mapping[str, int], share: float) -> str:
    """Returns a sentence for a run that ends because more than `share` (0 to 1) of its outcomes were
    refused."""
    rejected = outcomes.get("rejected", 0)
    settled = rejected + outcomes.get("accepted", 0) + outcomes.get("uncertain", 0)
    words = spool.commonest_refusal_text()
    return (
        f"{rejected:,} of {settled:,} messages ({rejected / settled:.1%}) were refused, "
        f"more than {share * 100:g}%" + (f"; most often a server said: {words}" if words else "")
    )

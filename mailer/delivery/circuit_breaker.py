"""Stops a run after too many bad outcomes in a row, or when too large a share of the messages is refused.

An outage could make every delivery uncertain within seconds, and a transport that refuses everything could
mark a whole list as refused. Each message to a dead address harms the sender's reputation.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from mailer.spool.base import Spool
from mailer.transports.base import Outcome, OutcomeKind

__all__ = [
    "DOUBTS_IN_A_ROW",
    "REFUSALS_IN_A_ROW",
    "SETTLED_AT_LEAST",
    "CircuitBreaker",
    "too_many_refusals_sentence",
    "are_too_many_refused",
]

DOUBTS_IN_A_ROW = 20
REFUSALS_IN_A_ROW = 200
#: The share of refusals is not judged before this number of outcomes is known.
SETTLED_AT_LEAST = 100


class CircuitBreaker:
    """Counts outcomes with the same result in a row, over all connections. Safe to use from several threads.

    `limits` maps a result to the number of outcomes in a row that stops the run. `sentence` is a sentence
    that says why the run must stop; it is empty as long as the run may go on.
    """

    def __init__(self, limits: Mapping[OutcomeKind, int]) -> None:
        self._limits = dict(limits)
        self._lock = threading.Lock()
        self._kind = OutcomeKind.ACCEPTED
        self._number = 0
        self.sentence = ""

    def count_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Counts new outcomes, and sets `sentence` when the limit of a result is reached."""
        with self._lock:
            for outcome in outcomes:
                if outcome.result is OutcomeKind.SKIPPED:
                    continue  # nothing was handed over
                self._number = self._number + 1 if outcome.result is self._kind else 1
                self._kind = outcome.result
                limit = self._limits.get(self._kind)
                if limit is not None and self._number >= limit and not self.sentence:
                    self.sentence = (
                        f"{self._number:,} messages in a row were {self._kind.value}, so the campaign "
                        f"stopped itself; the last answer was: {outcome.reason or 'none'}"
                    )


def are_too_many_refused(
    delivery_counts: Mapping[str, int], max_share: float, min_settled: int = SETTLED_AT_LEAST
) -> bool:
    """Returns whether more than `max_share` (0 to 1) of the settled messages of a run were rejected.

    `delivery_counts` has the number of the run's deliveries by state. Returns False if fewer than
    `min_settled` messages are settled.
    """
    rejected = delivery_counts.get("rejected", 0)
    settled = rejected + delivery_counts.get("accepted", 0) + delivery_counts.get("uncertain", 0)
    return settled >= min_settled and rejected > max_share * settled


def too_many_refusals_sentence(spool: Spool, delivery_counts: Mapping[str, int], max_share: float) -> str:
    """Returns the sentence that tells the operator that more than `max_share` (0 to 1) of a run's messages
    were refused.

    `delivery_counts` has the number of the run's deliveries by state.
    """
    rejected = delivery_counts.get("rejected", 0)
    settled = rejected + delivery_counts.get("accepted", 0) + delivery_counts.get("uncertain", 0)
    words = spool.commonest_refusal_text()
    return (
        f"{rejected:,} of {settled:,} messages ({rejected / settled:.1%}) were refused, "
        f"more than the allowed {max_share * 100:g}%"
        + (f"; most often a server said: {words}" if words else "")
    )

"""The claims of one run: who is ours now, and what is known of them but not yet on disk.

Whoever is claimed stands in `open` until an outcome or their return is known, and in `settled` or `released`
until that is committed. What is not committed when the process dies, the journal knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mailer.delivery.claim import Claim
from mailer.delivery.deferral import Deferrals
from mailer.delivery.message import Message
from mailer.delivery.spool import Spool
from mailer.delivery.transports.base import Outcome
from mailer.delivery.workers import Report

__all__ = ["Book"]


class Book:
    """The book of one run. Keys are (subscriber id, attempt). Used from one thread."""

    def __init__(self, spool: Spool, deferrals: Deferrals) -> None:
        self._spool = spool
        self._deferrals = deferrals
        self.open: set[tuple[int, int]] = set()
        self.settled: list[tuple[int, int, Outcome, str]] = []
        self.released: list[tuple[int, int]] = []
        #: How many got which outcome, by state.
        self.outcomes: dict[str, int] = {}

    def claim(self, limit: int) -> list[Claim] | None:
        """Commits what is known and claims up to `limit` more, in one transaction that is synced once.

        None where nothing is left to claim.
        """
        with self._spool.together():
            self._write()
            claims = self._spool.claim(limit)
        self._written()
        return claims

    def write_down(self) -> None:
        """Commits what is known."""
        if self.settled or self.released:
            with self._spool.together():
                self._write()
            self._written()

    def take_in(self, report: Report) -> None:
        """What a worker reports is known from here on."""
        outcomes, due = self.outcomes, self._deferrals.due
        for message, outcome in report.settled:
            key = message.key
            self.settled.append((*key, outcome, due(outcome, message.subscriber_id)))
            self.open.discard(key)
            state = outcome.result._value_  # as `value`, without the price of a property
            outcomes[state] = outcomes.get(state, 0) + 1
        self.give_back(report.released)

    def give_back(self, messages: Iterable[Message]) -> None:
        """These were not handed over, and will be pending again."""
        self.give_back_keys([message.key for message in messages])

    def give_back_keys(self, keys: Collection[tuple[int, int]]) -> None:
        """The same, by key."""
        self.released += keys
        self.open.difference_update(keys)

    def _write(self) -> None:
        if self.settled:
            self._spool.settle(self.settled)
        if self.released:
            self._spool.release(self.released)

    def _written(self) -> None:
        self.settled = []
        self.released = []

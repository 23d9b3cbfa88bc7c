"""Tracks the claims of one run: the open ones, and outcomes that are known but not yet committed.

A claim is in `open` until it has an outcome or is released, and then in `settled` or `released` until that is
committed. Until a message is accepted, rejections are `held`, because the server might refuse every recipient
(`transports.refusal.watch`). If the process dies before a commit, the journal has the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from mailer.audience.recipients import RecipientChecker
from mailer.clock import now, utc_text
from mailer.delivery.retry import Backoff
from mailer.delivery.workers.workers import Report
from mailer.message.message import Message
from mailer.spool.base import Spool
from mailer.spool.values import Claim, Key, Refused, Settled
from mailer.transports.base import Outcome, Result
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.watch import RefusalWatch, is_held

__all__ = ["RunClaims"]


class RunClaims:
    """Tracks the claims of one run over a spool. It is used from one thread.

    `recipients` decides who may be written to. `note_refused` records bounces among settled claims. With
    `only`, only this person's delivery is claimed.
    """

    def __init__(
        self,
        spool: Spool,
        recipients: RecipientChecker,
        backoff: Backoff,
        watch: RefusalWatch,
        *,
        note_refused: Callable[[list[Refused]], None],
        only: int | None = None,
    ) -> None:
        self._spool = spool
        self._recipients = recipients
        self._watch = watch
        self._note_refused = note_refused
        self._only = only
        #: Says that the spool has recorded that the transport accepted a message.
        self._acceptance_noted = self._watch.accepted
        self._backoff = backoff
        #: Maps subscriber ids to the time since when their delivery has been deferred.
        self._deferred_since: dict[int, datetime] = {}
        #: The subscriber ids whose newest outcome in this run is `deferred`.
        self._waiting: set[int] = set()
        #: One back-off variation for all requests, because a provider's rate limit defers all of them.
        self._variation = backoff.vary()
        #: Is False after a claim that found nothing left.
        self.has_more = True
        self.open: set[Key] = set()
        self.settled: list[Settled] = []
        #: Refusals that count only once a message is accepted, or the run ends without a general refusal.
        self.held: list[Settled] = []
        self.released: list[Key] = []
        #: Claims that are released behind the other deliveries.
        self.released_last: list[Key] = []
        #: The number of people by state.
        self.outcomes: dict[str, int] = {}

    def claim(self, limit: int) -> list[Claim] | None:
        """Commits known outcomes and claims up to `limit` more deliveries, in one synced transaction.

        Returns None where nothing is left to claim.
        """
        with self._spool.transaction():
            noted = self._write()
            claims = self._spool.claim(limit, self._recipients, only=self._only)
            for claim in claims or ():
                if claim.deferred_since:
                    since = datetime.fromisoformat(claim.deferred_since)
                    self._deferred_since[claim.person] = since
        self._written(noted)
        self.open.update((claim.person, claim.attempt) for claim in claims or ())
        self.has_more = claims is not None
        return claims

    def write_down(self) -> None:
        """Commits known outcomes and releases."""
        if self.settled or self.released or self.released_last or (self.held and self._watch.accepted):
            with self._spool.transaction():
                noted = self._write()
            self._written(noted)

    def note_report(self, report: Report) -> None:
        """Records a worker's report. Each person is counted once, by the newest outcome."""
        outcomes = self.outcomes
        together: dict[int, datetime] | None = None
        for message, outcome in report.settled:
            key, due = message.key, ""
            if key in self._watch.returned:
                self.release_keys([key])
                continue
            held = not self._watch.accepted and is_held(outcome)
            if outcome.result is Result.DEFERRED:
                if together is None:
                    together = self._together(report.settled)
                outcome, due = self._deferred(message.subscriber_id, outcome, together)
            (self.held if held else self.settled).append(Settled(*key, outcome, due))
            self.open.discard(key)
            state = outcome.result._value_  # like `value`, but faster
            outcomes[state] = outcomes.get(state, 0) + 1
            if self._waiting and message.subscriber_id in self._waiting:
                self._waiting.discard(message.subscriber_id)
                outcomes["deferred"] -= 1
            if due:
                self._waiting.add(message.subscriber_id)
        self.release(report.released)

    def _together(self, settled: Sequence[tuple[Message, Outcome]]) -> dict[int, datetime]:
        """Returns the next due time for outcomes that several deliveries of one request share, by
        `id(outcome)`.

        The delivery that was deferred last decides, so that none waits longer than it would alone.
        """
        moment = now()
        since: dict[int, datetime] = {}
        shared: set[int] = set()
        for message, outcome in settled:
            if outcome.result is Result.DEFERRED:
                first = self._deferred_since.setdefault(message.subscriber_id, moment)
                if id(outcome) in since:
                    shared.add(id(outcome))
                since[id(outcome)] = max(first, since.get(id(outcome), first))
        due = ((name, self._backoff.next_attempt(since[name], moment, self._variation)) for name in shared)
        return {name: again for name, again in due if again is not None}

    def _deferred(
        self, subscriber_id: int, outcome: Outcome, together: Mapping[int, datetime]
    ) -> tuple[Outcome, str]:
        """Returns the outcome of a deferral and its next due time, or a rejection where its total time is
        over."""
        again = self._backoff.next_attempt(self._deferred_since[subscriber_id], now())
        if again is None:
            return Outcome(Result.REJECTED, reason=outcome.reason, cause=Cause.THEM), ""
        return outcome, utc_text(together.get(id(outcome), again))

    def release(self, messages: Iterable[Message]) -> None:
        """Notes that these messages were not handed over; their deliveries become pending again."""
        self.release_keys([message.key for message in messages])

    def release_keys(self, keys: Collection[Key]) -> None:
        """Does the same as `release`, by key."""
        self.released += keys
        self.open.difference_update(keys)

    def was_deferred(self, subscriber_id: int) -> bool:
        """Returns whether this delivery has been deferred before. It is safe in any thread."""
        return subscriber_id in self._deferred_since

    def confirm_held(self) -> None:
        """Counts held refusals as outcomes, because a message was accepted or the refusals concern single
        addresses."""
        self.settled += self.held
        self.held = []

    def discard_held(self) -> None:
        """Discards held refusals, because every recipient was refused. The deliveries become pending again,
        behind the others.

        So a later run gets past such readers where a list begins with addresses that no longer exist.
        """
        for subscriber_id, attempt, outcome, _ in self.held:
            self.released_last.append((subscriber_id, attempt))
            state = outcome.result.value
            self.outcomes[state] -= 1
            if not self.outcomes[state]:
                del self.outcomes[state]
            self._waiting.discard(subscriber_id)
        self.held = []

    def _write(self) -> bool:
        """Returns whether it is known after this that somebody was accepted, once it is committed."""
        noted = self._acceptance_noted
        if self._watch.accepted:
            if not self._watch.stops:
                self.confirm_held()
            if not self._acceptance_noted:
                self._spool.note_accepted()
                noted = True
        if self.settled:
            self._note_refused(self._spool.settle(self.settled))
        if self.released:
            self._spool.release(self.released)
        if self.released_last:
            self._spool.release(self.released_last, last=True)
        return noted

    def _written(self, noted: bool) -> None:
        self._acceptance_noted = noted
        self.settled = []
        self.released = []
        self.released_last = []

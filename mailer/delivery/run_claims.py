"""Tracks the claims of one run: open claims, and outcomes that are known but not yet committed.

A claim is in `open` until it has an outcome or is released. Then it is in `settled` or `released` until the
outcome or release is committed. Until a message is accepted, rejections are kept in `held`, because the
server might refuse every recipient (`transports.refusal.watch`). If the process dies before a commit, the
journal has the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from mailer.audience.recipients import RecipientChecker
from mailer.clock import now, utc_text
from mailer.delivery.retry import Backoff
from mailer.delivery.workers.workers import WorkerReport
from mailer.message.message import Message
from mailer.spool.base import Spool
from mailer.spool.values import ClaimedDelivery, ClaimKey, RefusedClaim, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.watch import RefusalWatch, must_be_held_back

__all__ = ["RunClaims"]


class RunClaims:
    """Tracks the claims of one run over a spool. Only one thread may use it.

    `recipients` decides to whom messages may be sent. `record_refusals` records bounces among refused claims.
    With `only_person`, only the delivery to this subscriber id is claimed.
    """

    def __init__(
        self,
        spool: Spool,
        recipients: RecipientChecker,
        backoff: Backoff,
        watch: RefusalWatch,
        *,
        record_refusals: Callable[[list[RefusedClaim]], None],
        only_person: int | None = None,
    ) -> None:
        self._spool = spool
        self._recipients = recipients
        self._watch = watch
        self._record_refusals = record_refusals
        self._only_person = only_person
        #: Says that the spool has recorded that the transport accepted a message.
        self._acceptance_noted = self._watch.accepted
        self._backoff = backoff
        #: Maps subscriber ids to the time since when their delivery has been deferred.
        self._deferred_since: dict[int, datetime] = {}
        #: The subscriber ids whose newest outcome in this run is `deferred`.
        self._waiting: set[int] = set()
        #: One back-off variation for all requests, because a provider's rate limit defers all of them.
        self._shared_factor = backoff.random_factor()
        #: Is False after a claim that found nothing left.
        self.has_more = True
        self.open: set[ClaimKey] = set()
        self.settled: list[SettledClaim] = []
        #: Refusals that count only once a message is accepted, or the run ends without a general refusal.
        self.held: list[SettledClaim] = []
        self.released: list[ClaimKey] = []
        #: Claims that are released behind the other deliveries.
        self.released_last: list[ClaimKey] = []
        #: The number of people by state.
        self.outcomes: dict[str, int] = {}

    def claim(self, limit: int) -> list[ClaimedDelivery] | None:
        """Commits known outcomes and claims up to `limit` more deliveries, in one synced transaction.

        Returns None if nothing is left to claim.
        """
        with self._spool.transaction():
            noted = self._write_outcomes()
            claims = self._spool.claim(limit, self._recipients, only_person=self._only_person)
            for claim in claims or ():
                if claim.deferred_since:
                    since = datetime.fromisoformat(claim.deferred_since)
                    self._deferred_since[claim.person] = since
        self._clear_written_outcomes(noted)
        self.open.update((claim.person, claim.attempt) for claim in claims or ())
        self.has_more = claims is not None
        return claims

    def commit_outcomes(self) -> None:
        """Commits known outcomes and released claims to the spool, in one transaction."""
        if self.settled or self.released or self.released_last or (self.held and self._watch.accepted):
            with self._spool.transaction():
                noted = self._write_outcomes()
            self._clear_written_outcomes(noted)

    def record_report(self, report: WorkerReport) -> None:
        """Records the outcomes and released messages of a worker's report.

        If a person has several outcomes in this run, only the newest counts.
        """
        outcomes = self.outcomes
        shared_due_times: dict[int, datetime] | None = None
        for message, outcome in report.settled:
            key, due = message.key, ""
            if key in self._watch.returned:
                self.release_claims([key])
                continue
            held = not self._watch.accepted and must_be_held_back(outcome)
            if outcome.result is OutcomeKind.DEFERRED:
                if shared_due_times is None:
                    shared_due_times = self._shared_due_times(report.settled)
                outcome, due = self._deferral_or_rejection(message.subscriber_id, outcome, shared_due_times)
            (self.held if held else self.settled).append(SettledClaim(*key, outcome, due))
            self.open.discard(key)
            state = outcome.result._value_  # like `value`, but faster
            outcomes[state] = outcomes.get(state, 0) + 1
            if self._waiting and message.subscriber_id in self._waiting:
                self._waiting.discard(message.subscriber_id)
                outcomes["deferred"] -= 1
            if due:
                self._waiting.add(message.subscriber_id)
        self.release_messages(report.released)

    def _shared_due_times(self, settled: Sequence[tuple[Message, Outcome]]) -> dict[int, datetime]:
        """Returns, by `id(outcome)`, the next due time for each outcome that several deferred deliveries
        share.

        Deliveries that were handed over together share an outcome. The due time is computed from the delivery
        that was first deferred most recently, so that none waits longer than it would alone.
        """
        moment = now()
        since: dict[int, datetime] = {}
        shared: set[int] = set()
        for message, outcome in settled:
            if outcome.result is OutcomeKind.DEFERRED:
                first = self._deferred_since.setdefault(message.subscriber_id, moment)
                if id(outcome) in since:
                    shared.add(id(outcome))
                since[id(outcome)] = max(first, since.get(id(outcome), first))
        due = (
            (name, self._backoff.next_attempt_time(since[name], moment, self._shared_factor))
            for name in shared
        )
        return {name: again for name, again in due if again is not None}

    def _deferral_or_rejection(
        self, subscriber_id: int, outcome: Outcome, shared_due_times: Mapping[int, datetime]
    ) -> tuple[Outcome, str]:
        """Returns the outcome of a deferred delivery and its next due time (UTC).

        If the delivery has been deferred for too long, returns a rejection and an empty time instead.
        """
        again = self._backoff.next_attempt_time(self._deferred_since[subscriber_id], now())
        if again is None:
            return Outcome(OutcomeKind.REJECTED, reason=outcome.reason, cause=Cause.THEM), ""
        return outcome, utc_text(shared_due_times.get(id(outcome), again))

    def release_messages(self, messages: Iterable[Message]) -> None:
        """Notes that these messages were not handed over; their deliveries become pending again."""
        self.release_claims([message.key for message in messages])

    def release_claims(self, keys: Collection[ClaimKey]) -> None:
        """Notes that the deliveries of these claims were not handed over; they become pending again."""
        self.released += keys
        self.open.difference_update(keys)

    def was_deferred(self, subscriber_id: int) -> bool:
        """Returns whether the delivery to this subscriber id has been deferred before. Safe in any thread."""
        return subscriber_id in self._deferred_since

    def confirm_held_refusals(self) -> None:
        """Moves the refusals that were kept back to the settled claims, because a message was accepted or
        because the refusals concern single addresses."""
        self.settled += self.held
        self.held = []

    def discard_held_refusals(self) -> None:
        """Discards the refusals that were kept back, because every recipient was refused.

        The deliveries become pending again, with the lowest priority. So if a list begins with addresses that
        no longer exist, a later run tries the other addresses first.
        """
        for subscriber_id, attempt, outcome, _ in self.held:
            self.released_last.append((subscriber_id, attempt))
            state = outcome.result.value
            self.outcomes[state] -= 1
            if not self.outcomes[state]:
                del self.outcomes[state]
            self._waiting.discard(subscriber_id)
        self.held = []

    def _write_outcomes(self) -> bool:
        """Writes outcomes and released claims to the spool, inside the caller's transaction.

        Returns whether the spool, after the commit, has a record that the transport accepted a message.
        """
        noted = self._acceptance_noted
        if self._watch.accepted:
            if not self._watch.must_stop:
                self.confirm_held_refusals()
            if not self._acceptance_noted:
                self._spool.record_accepted_message()
                noted = True
        if self.settled:
            self._record_refusals(self._spool.settle(self.settled))
        if self.released:
            self._spool.release(self.released)
        if self.released_last:
            self._spool.release(self.released_last, lowest_priority=True)
        return noted

    def _clear_written_outcomes(self, acceptance_noted: bool) -> None:
        self._acceptance_noted = acceptance_noted
        self.settled = []
        self.released = []
        self.released_last = []

"""The claims of one run: those that are open, and what is known of them but not yet on disk.

A claim stands in `open` until its outcome or its return is known, and then in `settled` or `released` until
that is committed. Until somebody is accepted, rejections are `held`: they may be everybody's
(`transports.refusal.watch`). What is not committed when the process dies, the journal knows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from mailer.audience.recipients import Recipients
from mailer.delivery.retry import Backoff
from mailer.delivery.workers.workers import Report
from mailer.message.message import Message
from mailer.spool.base import Spool
from mailer.spool.values import Claim, Key, Refused, Settled
from mailer.store.database import now, utc_text
from mailer.transports.base import Outcome, Result
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.watch import RefusalWatch, is_held

__all__ = ["RunClaims"]


class RunClaims:
    """The claims of one run over a spool. Used from one thread.

    `recipients` says who may be written to. `note_refused` records bounces among what is settled. With
    `only`, this person's delivery alone is claimed.
    """

    def __init__(
        self,
        spool: Spool,
        recipients: Recipients,
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
        #: Whether the campaign is known, on disk, to have been accepted by this way.
        self._told = self._watch.accepted
        self._backoff = backoff
        #: Since when deliveries have been deferred, of those that ever were.
        self._since: dict[int, datetime] = {}
        #: The subscriber ids whose newest outcome in this run is `deferred`.
        self._waiting: set[int] = set()
        #: One for all requests of the run: a limit of the provider's puts off all of them.
        self._variation = backoff.vary()
        #: Whether the last claim found anything, or may have.
        self.has_more = True
        self.open: set[Key] = set()
        self.settled: list[Settled] = []
        #: Refusals that count only once somebody is accepted, or the run has ended without being everybody's.
        self.held: list[Settled] = []
        self.released: list[Key] = []
        #: Those who are given back behind the others.
        self.last: list[Key] = []
        #: How many people have which outcome, by state.
        self.outcomes: dict[str, int] = {}

    def claim(self, limit: int) -> list[Claim] | None:
        """Commits what is known and claims up to `limit` more, in one transaction that is synced once.

        None where nothing is left to claim.
        """
        with self._spool.together():
            noted = self._write()
            claims = self._spool.claim(limit, self._recipients, only=self._only)
            for claim in claims or ():
                if claim.deferred_since:
                    since = datetime.fromisoformat(claim.deferred_since)
                    self._since[claim.person] = since
        self._written(noted)
        self.open.update((claim.person, claim.attempt) for claim in claims or ())
        self.has_more = claims is not None
        return claims

    def write_down(self) -> None:
        """Commits what is known."""
        if self.settled or self.released or self.last or (self.held and self._watch.accepted):
            with self._spool.together():
                noted = self._write()
            self._written(noted)

    def take_in(self, report: Report) -> None:
        """Notes what a worker reports. A person counts once, by the newest outcome."""
        outcomes = self.outcomes
        together: dict[int, datetime] | None = None
        for message, outcome in report.settled:
            key, due = message.key, ""
            if key in self._watch.returned:
                self.give_back_keys([key])
                continue
            held = not self._watch.accepted and is_held(outcome)
            if outcome.result is Result.DEFERRED:
                if together is None:
                    together = self._together(report.settled)
                outcome, due = self._deferred(message.subscriber_id, outcome, together)
            (self.held if held else self.settled).append(Settled(*key, outcome, due))
            self.open.discard(key)
            state = outcome.result._value_  # as `value`, without the price of a property
            outcomes[state] = outcomes.get(state, 0) + 1
            if self._waiting and message.subscriber_id in self._waiting:
                self._waiting.discard(message.subscriber_id)
                outcomes["deferred"] -= 1
            if due:
                self._waiting.add(message.subscriber_id)
        self.give_back(report.released)

    def _together(self, settled: Sequence[tuple[Message, Outcome]]) -> dict[int, datetime]:
        """When those are due again who share one answer, by the id of the outcome: one request, one time.

        The one who was deferred last decides, so that nobody waits for longer than alone.
        """
        moment = now()
        since: dict[int, datetime] = {}
        shared: set[int] = set()
        for message, outcome in settled:
            if outcome.result is Result.DEFERRED:
                first = self._since.setdefault(message.subscriber_id, moment)
                if id(outcome) in since:
                    shared.add(id(outcome))
                since[id(outcome)] = max(first, since.get(id(outcome), first))
        due = ((name, self._backoff.next_attempt(since[name], moment, self._variation)) for name in shared)
        return {name: again for name, again in due if again is not None}

    def _deferred(
        self, subscriber_id: int, outcome: Outcome, together: Mapping[int, datetime]
    ) -> tuple[Outcome, str]:
        """The outcome of a refusal for now, and when to try again; a rejection once its time is over."""
        again = self._backoff.next_attempt(self._since[subscriber_id], now())
        if again is None:
            return Outcome(Result.REJECTED, reason=outcome.reason, cause=Cause.THEM), ""
        return outcome, utc_text(together.get(id(outcome), again))

    def give_back(self, messages: Iterable[Message]) -> None:
        """These were not handed over, and will be pending again."""
        self.give_back_keys([message.key for message in messages])

    def give_back_keys(self, keys: Collection[Key]) -> None:
        """The same, by key."""
        self.released += keys
        self.open.difference_update(keys)

    def was_deferred(self, subscriber_id: int) -> bool:
        """Whether this delivery has been deferred before. May be asked in any thread."""
        return subscriber_id in self._since

    def believe(self) -> None:
        """What was held counts: somebody was accepted, or the refusals are not everybody's."""
        self.settled += self.held
        self.held = []

    def return_held(self) -> None:
        """What was held counts for nobody: everybody was refused. They are pending again, behind the others.

        So a list that begins with readers who are truly gone gets past them in a later run.
        """
        for subscriber_id, attempt, outcome, _ in self.held:
            self.last.append((subscriber_id, attempt))
            state = outcome.result.value
            self.outcomes[state] -= 1
            if not self.outcomes[state]:
                del self.outcomes[state]
            self._waiting.discard(subscriber_id)
        self.held = []

    def _write(self) -> bool:
        """Returns whether it is known after this that somebody was accepted, once it is committed."""
        noted = self._told
        if self._watch.accepted:
            if not self._watch.stops:
                self.believe()
            if not self._told:
                self._spool.note_accepted()
                noted = True
        if self.settled:
            self._note_refused(self._spool.settle(self.settled))
        if self.released:
            self._spool.release(self.released)
        if self.last:
            self._spool.release(self.last, last=True)
        return noted

    def _written(self, noted: bool) -> None:
        self._told = noted
        self.settled = []
        self.released = []
        self.last = []

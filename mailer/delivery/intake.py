"""Claims deliveries for a run and hands their messages to the workers, as fast as the rate limits allow."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from mailer.audience.recipients import RecipientChecker
from mailer.campaign.delivery_state import State
from mailer.delivery.options import RunParameters
from mailer.delivery.pacing.queues import AHEAD_SECONDS, PaceQueues
from mailer.delivery.run_claims import RunClaims
from mailer.delivery.workers.workers import WorkerReport, Workers
from mailer.message.message import Message, Person
from mailer.spool.base import Spool
from mailer.spool.values import ClaimedDelivery, ParkedClaim
from mailer.transports.base import OutcomeKind

__all__ = ["POLL_SECONDS", "MAX_WAIT_SECONDS", "DeliveryIntake", "ExhaustedLimit", "exhausted_limit_sentence"]

#: A run waits at most this long for a limit that is used up; otherwise it ends (seconds).
MAX_WAIT_SECONDS = 120.0
#: Where nothing can be claimed now, the next try is after this time (seconds).
POLL_SECONDS = 0.25
_WINDOW = 1000
_CHUNK = 20


class ExhaustedLimit(NamedTuple):
    """Describes a rate limit that is used up for longer than a run waits.

    `limit` is a description of the limit for the operator. `resumes_at` is the time at which the limit allows
    messages again (seconds since 1970).
    """

    limit: str
    resumes_at: float


class DeliveryIntake:
    """Moves deliveries from the spool to the workers of one run, as fast as the rate limits allow.

    The number of open claims is limited, because a power cut makes all open claims uncertain. `connections`
    is the number of worker threads.
    """

    def __init__(
        self,
        run: RunParameters,
        claims: RunClaims,
        recipients: RecipientChecker,
        workers: Workers,
        connections: int,
    ) -> None:
        batch = run.transport.batch_size
        self._run = run
        self._claims = claims
        self._recipients = recipients
        self._workers = workers
        self._window = max(_WINDOW, batch * (connections + 2))
        #: This number of claims is worth a transaction, and keeps the workers busy.
        self.portion = max(_WINDOW // 2, batch)
        self._chunk = batch if run.pacer else max(_CHUNK, batch)
        self._queues = PaceQueues(run.pacer, run.clock) if run.pacer else None
        self._on_the_wire = 2 * connections * batch
        self._waiting: deque[Message] = deque()
        #: The names of the pace queues that have parked deliveries in the spool.
        self._parked: set[str] = set()
        self._claim_again = 0.0

    @property
    def is_paced(self) -> bool:
        """Returns whether rate limits apply to this run."""
        return self._queues is not None

    @property
    def has_parked_deliveries(self) -> bool:
        """Returns whether this run has parked any delivery: released its claim and given it a due time."""
        return bool(self._parked)

    def has_room_for_claims(self) -> bool:
        """Returns whether so many deliveries may be claimed now that a transaction is worth its cost."""
        if self._claim_again > time.monotonic():
            return False
        return self._free_claim_count() >= self.portion

    def _free_claim_count(self) -> int:
        return self._window - len(self._claims.open)

    def claim_deliveries(self) -> bool:
        """Claims deliveries that may be sent soon. Returns False if nothing is left to claim."""
        room = self._free_claim_count()
        capacity = None if self._queues is None else self._queues.message_capacity()
        if self._queues is not None and capacity is not None:
            room = min(room, capacity - len(self._queues))
            if room < max(1, min(capacity, self.portion) // 2):
                return True
        claims = self._claims.claim(room)
        if claims is None:
            # Parked deliveries may be due soon, while others are in flight. Or the campaign was ended.
            self._claim_again = time.monotonic() + POLL_SECONDS
            return bool(self._parked and self._claims.open)
        early = [
            parked for claim in claims if (parked := self._queue_message_or_park_claim(claim)) is not None
        ]
        if early:
            self._run.spool.park(early)
            self._claims.open.difference_update((person, attempt) for person, attempt, _ in early)
        return True

    def _queue_message_or_park_claim(self, claim: ClaimedDelivery) -> ParkedClaim | None:
        """Queues the message of a claimed delivery and returns None. If the queue of the recipient's domain
        is full, returns the claim, which the caller must park."""
        recipient = self._recipients.take(claim.person)
        if (
            self._queues is not None
            and (place := self._queues.send_time_if_queue_full(recipient.domain)) is not None
        ):
            self._parked.add(place[0])
            return ParkedClaim(claim.person, claim.attempt, place[1])
        person = Person(
            recipient.subscriber_id,
            recipient.address,
            recipient.name,
            recipient.language,
            recipient.attributes,
            recipient.stable_id,
        )
        message = Message(self._run.templates[claim.variant], person, claim.attempt)
        if self._queues is None:
            self._waiting.append(message)
        else:
            self._queues.add(message, recipient.domain)
        return None

    def dispatch_ready_messages(self) -> float:
        """Gives the workers the messages that may be sent now.

        Returns the seconds until more messages may be sent, at most 0.1.
        """
        if self._queues is None:
            while self._waiting:
                size = min(self._chunk, len(self._waiting))
                self._workers.submit([self._waiting.popleft() for _ in range(size)])
            return 0.1
        # Takes no more than the connections can send: a message counts for the hour in which it is taken.
        room = self._on_the_wire - (len(self._claims.open) - len(self._queues))
        leaving, pause = self._queues.take_ready_messages(room)
        for start in range(0, len(leaving), self._chunk):
            self._workers.submit(leaving[start : start + self._chunk])
        return pause

    def refund_messages_not_handed_over(self, report: WorkerReport) -> None:
        """Makes this report's messages that were not handed over no longer count against the rate limits."""
        if self._queues is None:
            return
        for message, outcome in report.settled:
            self._queues.finish_message(
                message.key, was_handed_over=outcome.result is not OutcomeKind.SKIPPED
            )
        for message in report.released:
            self._queues.finish_message(message.key, was_handed_over=False)

    def release_waiting_claims(self) -> None:
        """Releases all claims whose messages were not given to a worker."""
        self._claims.release_messages(
            self._waiting if self._queues is None else self._queues.take_all_messages()
        )
        self._waiting.clear()

    def check_rate_limits(self) -> ExhaustedLimit | None:
        """Parks or releases claims that would stay open for too long while they wait for a rate limit.

        If a limit on all messages is used up for longer than a run waits, returns this limit: the run must
        end. Otherwise returns None.
        """
        if self._queues is None:
            return None
        early = self._queues.take_excess_messages()
        if early:
            self._parked |= {name for name, _, _ in early}
            self._run.spool.park([ParkedClaim(*message.key, resumes_at) for _, message, resumes_at in early])
            self._claims.open.difference_update(message.key for _, message, _ in early)
        moment = self._run.clock()
        wait, limit = self._queues.blocking_limit("", moment)
        if wait > AHEAD_SECONDS:
            self.release_waiting_claims()
            self._claims.commit_outcomes()
            self._claim_again = time.monotonic() + min(wait - AHEAD_SECONDS, POLL_SECONDS)
        if limit and wait > MAX_WAIT_SECONDS and not self._claims.open:
            return ExhaustedLimit(limit, round(moment + wait, 3))
        return None

    def exhausted_limit_of_parked_deliveries(self, resumes_at: float) -> ExhaustedLimit | None:
        """Returns the rate limit for which deliveries are parked until `resumes_at` (seconds since 1970).

        Returns None if no limit is used up.
        """
        if self._queues is None:
            return None
        for name in sorted(self._parked):
            wait, limit = self._queues.blocking_limit(name, self._run.clock())
            if limit and wait:
                return ExhaustedLimit(limit, resumes_at)
        return None


def exhausted_limit_sentence(spool: Spool, limit: str, resumes_at: str) -> str:
    """Returns the sentence that tells the operator that a rate limit is used up and how many messages are
    left.

    `limit` describes the limit. `resumes_at` is the time after which the operator can continue, as text.
    """
    counts = spool.delivery_counts_by_state()
    left = counts[State.PENDING] + counts[State.DEFERRED]
    return (
        f"{limit} is used up; {left:,} {'message is' if left == 1 else 'messages are'} left; "
        f"`mailer send {spool.campaign.issue}` continues after {resumes_at}"
    )

"""Runs one thread for each connection, which hands over chunks of messages and reports their outcomes.

A worker opens its channel once it has a permit of the pool that all runs of the process share. Workers use no
database. Each message is noted in the journal right before and right after its hand-over, so that a kill
makes only messages in flight uncertain.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mailer.delivery.circuit_breaker import CircuitBreaker
from mailer.delivery.workers.connections import ConnectionPool
from mailer.delivery.workers.requests import RequestJournal
from mailer.delivery.workers.threads import NO_THREAD, start_thread
from mailer.errors import TransportError
from mailer.message.message import Message
from mailer.spool.journal import Journal
from mailer.transports.base import (
    ENDED,
    Channel,
    GateAnswer,
    GatedChannel,
    LookaheadChannel,
    Outcome,
    OutcomeKind,
    OutgoingMessage,
    SplittingChannel,
    Transport,
)
from mailer.transports.gate import HandOverGate
from mailer.transports.refusal.watch import RefusalWatch

__all__ = ["WorkerReport", "WorkerSupervision", "Workers"]

#: A worker without a chunk checks this often whether another run waits for its permit (seconds).
_POLL_SECONDS = 0.25
#: After this time without a chunk it passes the permit to any waiting run (seconds). It is more than the time
#: between two messages of a slow pace, because a new connection costs several round trips.
_IDLE_SECONDS = 2.0
#: After this time a chunk is cut short where another run waits for a permit (seconds).
_LONG_CHUNK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """Holds a worker's report: outcomes (`settled`), messages that were not handed over (`released`), and an
    error, if any.

    `ended` is True if the worker has ended. `fatal` is True if the error is a defect of this program; then
    the outcomes of the worker's last chunk are only in the journal.
    """

    settled: list[tuple[Message, Outcome]]
    released: list[Message]
    error: TransportError | None = None
    ended: bool = False
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class WorkerSupervision:
    """Holds the objects that all workers of a run share, to count outcomes and to learn that the run stops.

    `breaker` counts outcomes in a row, `watch` counts refusals, and `is_stopping` returns whether the run is
    stopping.
    """

    breaker: CircuitBreaker
    is_stopping: Callable[[], bool]
    watch: RefusalWatch = field(default_factory=lambda: RefusalWatch(accepted=True))


class Workers:
    """Runs the worker threads of one run. Their reports are in the queue `reports`.

    `alive` is the number of workers that have not ended; the reader of `reports` must count it down. `pool`
    limits the open channels of all runs that share it; without it, `thread_count` is the limit. `leavers`
    maps the subscriber ids of people who have left to the reason. If the system allows fewer threads than
    `thread_count`, fewer are started. Raises TransportError if the system allows no thread.
    """

    def __init__(
        self,
        transport: Transport,
        journal: Journal,
        supervision: WorkerSupervision,
        thread_count: int,
        pool: ConnectionPool | None = None,
        leavers: Mapping[int, str] | None = None,
    ) -> None:
        self._transport = transport
        self._journal = journal
        self._breaker = supervision.breaker
        self._watch = supervision.watch
        self._is_stopping = supervision.is_stopping
        self._leavers = {} if leavers is None else leavers
        self._gate: HandOverGate[tuple[int, int]] = HandOverGate(self._leavers)
        self._chunks: queue.SimpleQueue[list[Message] | None] = queue.SimpleQueue()
        self._share = (pool or ConnectionPool(thread_count)).add_run(lambda: not self._chunks.empty())
        self.reports: queue.SimpleQueue[WorkerReport] = queue.SimpleQueue()
        self.alive = 0
        for number in range(thread_count):
            if start_thread(self._run_worker, f"send-{number}") is None:
                break  # the threads that were started do the work
            self.alive += 1
        if not self.alive:
            raise TransportError(NO_THREAD)

    def submit(self, chunk: list[Message]) -> None:
        """Queues a chunk of messages for the next free worker."""
        self._chunks.put(chunk)

    def end_after_current_chunk(self) -> None:
        """Makes every worker end after its current chunk."""
        for _ in range(self.alive):
            self._chunks.put(None)

    def forbid_hand_overs(self) -> set[tuple[int, int]]:
        """Forbids all further hand-overs.

        Returns the (subscriber id, attempt) of the messages whose hand-over was about to begin.
        """
        return self._gate.close_and_get_waiting_keys()

    def _run_worker(self) -> None:
        error: TransportError | None = None
        fatal = False
        try:
            more = True
            while more and error is None:
                if not self._share.acquire_permit(self._is_stopping):
                    self._release_chunks()
                    break
                try:
                    more, error = self._send_over_channel()
                finally:
                    self._share.release_permit()
        except TransportError as reason:
            error = reason
        except Exception as surprise:  # a defect must end the run, not leave it waiting for ever
            error = TransportError(f"the transport failed unexpectedly: {surprise!r}")
            fatal = True
        self.reports.put(WorkerReport([], [], error, ended=True, fatal=fatal))

    def _send_over_channel(self) -> tuple[bool, TransportError | None]:
        """Sends chunks over one channel until there are no more chunks, an error occurs, or another run gets
        the permit.

        Returns whether there may be more chunks for another channel, and the error, if any.
        """
        channel = self._transport.channel()
        requests = None
        if isinstance(channel, SplittingChannel):
            requests = RequestJournal(
                channel, self._journal, self._request_hand_over, self._preview_gate_answer
            )
        elif isinstance(channel, GatedChannel):
            channel.gate = self._request_hand_over
        try:
            busy_at = time.monotonic()
            while True:
                try:
                    chunk = self._chunks.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    if self._share.must_release_permit(is_idle=time.monotonic() - busy_at >= _IDLE_SECONDS):
                        return True, None
                    continue
                if chunk is None:
                    return False, None
                report = self._send_chunk(channel, chunk, requests)
                self.reports.put(report)
                if report.error is not None or self._share.must_release_permit():
                    return True, report.error
                busy_at = time.monotonic()
        finally:
            channel.close()

    def _release_chunks(self) -> None:
        """Reports all queued chunks as not handed over, because the run is stopping."""
        while (chunk := self._chunks.get()) is not None:
            self.reports.put(WorkerReport([], chunk))

    def _send_chunk(
        self, channel: Channel, chunk: list[Message], requests: RequestJournal | None
    ) -> WorkerReport:
        settled: list[tuple[Message, Outcome]] = []
        released: list[Message] = []
        size = self._transport.batch_size
        lookahead = channel if isinstance(channel, LookaheadChannel) else None
        gated = isinstance(channel, GatedChannel)
        if self._is_stopping():
            return WorkerReport(settled, chunk)
        began = time.monotonic()
        try:
            if requests is None:
                self._journal.note_begun_deliveries([message.key for message in chunk[:size]])
            for start in range(0, len(chunk), size):
                group, following = chunk[start : start + size], chunk[start + size :][:size]
                try:
                    outcomes = self._hand_over_batch(channel, lookahead, gated, group, following)
                except TransportError as error:
                    return WorkerReport(settled, [*released, *chunk[start:]], error)
                finally:
                    self._gate.note_outcome_known()
                known = list(zip(group, outcomes, strict=True))
                if requests is not None:  # only a batch in several requests can end half-way
                    released += [message for message, outcome in known if outcome is ENDED]
                    known = [pair for pair in known if pair[1] is not ENDED]
                settled += known
                self._breaker.count_outcomes(outcome for outcome in outcomes if outcome is not ENDED)
                self._watch.note_outcomes(known)
                if self._is_stopping() or self._chunk_takes_too_long(began):
                    following = []
                if requests is not None:
                    requests.note_outcomes(known)
                else:
                    # The outcomes of these and the begin of the next are one write to the journal.
                    self._journal.note_outcomes(
                        ((message.subscriber_id, message.attempt, o) for message, o in known),
                        begun=[message.key for message in following],
                    )
                if not following:
                    break
        except OSError as error:
            done = len(settled) + len(released)
            return WorkerReport(settled, [*released, *chunk[done:]], _journal_error(error))
        return WorkerReport(settled, [*released, *chunk[len(settled) + len(released) :]])

    def _chunk_takes_too_long(self, started_at: float) -> bool:
        """Returns whether a chunk, begun at this monotonic time, has taken so long that it must be cut short,
        so that a waiting run gets the permit."""
        return self._share.has_waiting_workers() and time.monotonic() - started_at > _LONG_CHUNK_SECONDS

    def _hand_over_batch(
        self,
        channel: Channel,
        lookahead: LookaheadChannel | None,
        is_gated: bool,
        batch: Sequence[Message],
        next_batch: Sequence[Message],
    ) -> list[Outcome]:
        """Hands over the messages of a batch whose readers have not left. Returns one outcome for each
        message.

        The channel may send the first commands for `next_batch` together with the end of this batch.
        `is_gated` is True if the channel asks the gate before a hand-over.
        """
        gone = self._leavers_among(batch)
        staying = [message for message in batch if message.subscriber_id not in gone] if gone else batch
        if not staying:
            return [Outcome(OutcomeKind.SKIPPED, reason=gone[message.subscriber_id]) for message in batch]
        if lookahead is not None and next_batch and not self._leavers_among(next_batch[:1]):
            lookahead.set_next_message(next_batch[0])
        if is_gated:
            self._gate.note_waiting_messages(message.key for message in staying)
        outcomes = channel.send(staying)
        if not gone:
            return outcomes
        known = iter(outcomes)
        return [
            Outcome(OutcomeKind.SKIPPED, reason=gone[message.subscriber_id])
            if message.subscriber_id in gone
            else next(known)
            for message in batch
        ]

    def _leavers_among(self, messages: Sequence[OutgoingMessage]) -> dict[int, str]:
        """Returns which readers of these messages have left: the reason by subscriber id."""
        if not self._leavers:
            return {}
        found = ((message.subscriber_id, self._leavers.get(message.subscriber_id)) for message in messages)
        return {number: reason for number, reason in found if reason is not None}

    def _preview_gate_answer(self, messages: Sequence[OutgoingMessage]) -> GateAnswer:
        """Returns what the gate would answer for these messages now, without counting them as handed over."""
        return GateAnswer(not self._is_stopping(), self._leavers_among(messages))

    def _request_hand_over(self, messages: Sequence[OutgoingMessage]) -> GateAnswer:
        return self._gate.request_hand_over([message.subscriber_id for message in messages])


def _journal_error(error: OSError) -> TransportError:
    return TransportError(
        f"the journal cannot be written ({error.strerror}), so nothing more is sent; "
        "free some disk space and run this command again"
    )

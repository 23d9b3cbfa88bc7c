"""Runs a thread for each connection, which hands over chunks of messages and reports their outcomes.

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
from mailer.delivery.workers.requests import Requests
from mailer.delivery.workers.threads import NO_THREAD, start_thread
from mailer.errors import TransportError
from mailer.message.message import Message
from mailer.spool.journal import Journal
from mailer.transports.base import (
    ENDED,
    AnnouncingChannel,
    Channel,
    GateAnswer,
    GatedChannel,
    Outcome,
    Outgoing,
    Result,
    SplittingChannel,
    Transport,
)
from mailer.transports.gate import Gate
from mailer.transports.refusal.watch import RefusalWatch

__all__ = ["Report", "Supervision", "Workers"]

#: A worker without a chunk checks this often whether another run waits for its permit (seconds).
_POLL_SECONDS = 0.25
#: After this time without a chunk it passes the permit to any waiting run (seconds). It is more than the time
#: between two messages of a slow pace, because a new connection costs several round trips.
_IDLE_SECONDS = 2.0
#: After this time a chunk is cut short where another run waits for a permit (seconds).
_LONG_CHUNK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    """Holds a worker's report: outcomes, released messages, and the error that ended it, if any.

    `fatal` says that the error is a defect of this program; then the journal has the outcomes of the worker's
    chunk.
    """

    settled: list[tuple[Message, Outcome]]
    released: list[Message]
    error: TransportError | None = None
    ended: bool = False
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Supervision:
    """Holds what every worker of a run notifies of outcomes, and how it learns that the run is stopping.

    `breaker` counts outcomes in a row. `watch` gets each outcome before it is reported.
    """

    breaker: CircuitBreaker
    stopping: Callable[[], bool]
    watch: RefusalWatch = field(default_factory=lambda: RefusalWatch(accepted=True))


class Workers:
    """Runs the worker threads of one run. `reports` holds their reports; their reader maintains `alive`.

    `pool` limits the open channels of all runs that share it; without it, `count` is the limit. `left` maps
    people who have left to the reason. There are fewer threads where the system allows only some. Raises
    TransportError where it allows none.
    """

    def __init__(
        self,
        transport: Transport,
        journal: Journal,
        supervision: Supervision,
        count: int,
        pool: ConnectionPool | None = None,
        left: Mapping[int, str] | None = None,
    ) -> None:
        self._transport = transport
        self._journal = journal
        self._breaker = supervision.breaker
        self._watch = supervision.watch
        self._stopping = supervision.stopping
        self._left = {} if left is None else left
        self._gate: Gate[tuple[int, int]] = Gate(self._left)
        self._chunks: queue.SimpleQueue[list[Message] | None] = queue.SimpleQueue()
        self._share = (pool or ConnectionPool(count)).share(lambda: not self._chunks.empty())
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.alive = 0
        for number in range(count):
            if start_thread(self._work, f"send-{number}") is None:
                break  # the threads that were started do the work
            self.alive += 1
        if not self.alive:
            raise TransportError(NO_THREAD)

    def submit(self, chunk: list[Message]) -> None:
        """Queues a chunk for the next free worker."""
        self._chunks.put(chunk)

    def end(self) -> None:
        """Makes every worker end after its current chunk."""
        for _ in range(self.alive):
            self._chunks.put(None)

    def close_gate(self) -> set[tuple[int, int]]:
        """Forbids all further hand-overs. Returns the (subscriber id, attempt) that were certainly not handed
        over."""
        return self._gate.close()

    def _work(self) -> None:
        error: TransportError | None = None
        fatal = False
        try:
            more = True
            while more and error is None:
                if not self._share.acquire(self._stopping):
                    self._return_chunks()
                    break
                try:
                    more, error = self._use_channel()
                finally:
                    self._share.release()
        except TransportError as reason:
            error = reason
        except Exception as surprise:  # a defect must end the run, not leave it waiting for ever
            error = TransportError(f"the transport failed unexpectedly: {surprise!r}")
            fatal = True
        self.reports.put(Report([], [], error, ended=True, fatal=fatal))

    def _use_channel(self) -> tuple[bool, TransportError | None]:
        """Sends chunks over one channel. Returns whether there may be more chunks for another channel, and
        the error, if any.

        Ends when there are no more chunks, at the first error, and where another run gets the permit.
        """
        channel = self._transport.channel()
        requests = None
        if isinstance(channel, SplittingChannel):
            requests = Requests(channel, self._journal, self._passes, self._look)
        elif isinstance(channel, GatedChannel):
            channel.gate = self._passes
        try:
            busy_at = time.monotonic()
            while True:
                try:
                    chunk = self._chunks.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    if self._share.must_release(idle=time.monotonic() - busy_at >= _IDLE_SECONDS):
                        return True, None
                    continue
                if chunk is None:
                    return False, None
                report = self._send(channel, chunk, requests)
                self.reports.put(report)
                if report.error is not None or self._share.must_release():
                    return True, report.error
                busy_at = time.monotonic()
        finally:
            channel.close()

    def _return_chunks(self) -> None:
        """Releases every chunk until the end, because the run is stopping and there is no channel."""
        while (chunk := self._chunks.get()) is not None:
            self.reports.put(Report([], chunk))

    def _send(self, channel: Channel, chunk: list[Message], requests: Requests | None) -> Report:
        settled: list[tuple[Message, Outcome]] = []
        released: list[Message] = []
        size = self._transport.batch
        announcing = channel if isinstance(channel, AnnouncingChannel) else None
        gated = isinstance(channel, GatedChannel)
        if self._stopping():
            return Report(settled, chunk)
        began = time.monotonic()
        try:
            if requests is None:
                self._journal.note_begun([message.key for message in chunk[:size]])
            for start in range(0, len(chunk), size):
                group, following = chunk[start : start + size], chunk[start + size :][:size]
                try:
                    outcomes = self._hand_over(channel, announcing, gated, group, following)
                except TransportError as error:
                    return Report(settled, [*released, *chunk[start:]], error)
                finally:
                    self._gate.leave()
                known = list(zip(group, outcomes, strict=True))
                if requests is not None:  # only a batch in several requests can end half-way
                    released += [message for message, outcome in known if outcome is ENDED]
                    known = [pair for pair in known if pair[1] is not ENDED]
                settled += known
                self._breaker.note(outcome for outcome in outcomes if outcome is not ENDED)
                self._watch.note(known)
                if self._stopping() or self._takes_long(began):
                    following = []
                if requests is not None:
                    requests.finish(known)
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
            return Report(settled, [*released, *chunk[done:]], _no_journal(error))
        return Report(settled, [*released, *chunk[len(settled) + len(released) :]])

    def _takes_long(self, began: float) -> bool:
        """Returns whether a chunk has taken so long that its permit must go to a waiting run."""
        return self._share.is_waited_for() and time.monotonic() - began > _LONG_CHUNK_SECONDS

    def _hand_over(
        self,
        channel: Channel,
        announcing: AnnouncingChannel | None,
        gated: bool,
        group: Sequence[Message],
        following: Sequence[Message],
    ) -> list[Outcome]:
        """Hands over the messages of a group whose readers have not left. Returns an outcome for each
        message."""
        gone = self._gone(group)
        staying = [message for message in group if message.subscriber_id not in gone] if gone else group
        if not staying:
            return [Outcome(Result.SKIPPED, reason=gone[message.subscriber_id]) for message in group]
        if announcing is not None and following and not self._gone(following[:1]):
            announcing.expect(following[0])
        if gated:
            self._gate.approach(message.key for message in staying)
        outcomes = channel.send(staying)
        if not gone:
            return outcomes
        known = iter(outcomes)
        return [
            Outcome(Result.SKIPPED, reason=gone[message.subscriber_id])
            if message.subscriber_id in gone
            else next(known)
            for message in group
        ]

    def _gone(self, messages: Sequence[Outgoing]) -> dict[int, str]:
        """Returns the readers of these messages who have left: the reason by subscriber id."""
        if not self._left:
            return {}
        found = ((message.subscriber_id, self._left.get(message.subscriber_id)) for message in messages)
        return {number: reason for number, reason in found if reason is not None}

    def _look(self, messages: Sequence[Outgoing]) -> GateAnswer:
        """Returns what the gate would answer now, without passing it."""
        return GateAnswer(not self._stopping(), self._gone(messages))

    def _passes(self, messages: Sequence[Outgoing]) -> GateAnswer:
        return self._gate.passes([message.subscriber_id for message in messages])


def _no_journal(error: OSError) -> TransportError:
    return TransportError(
        f"the journal cannot be written ({error.strerror}), so nothing more is sent; "
        "free some room and run this again"
    )

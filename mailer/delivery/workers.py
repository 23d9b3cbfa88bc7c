"""A thread for each connection: takes chunks of messages, hands them over, reports what became of them.

Workers touch no database. Each message is noted in the journal right before it is handed over and right
after, which is what bounds the doubt after a kill to what was on the wire.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from mailer.delivery.brake import Brake
from mailer.delivery.gate import Gate
from mailer.delivery.journal import Journal
from mailer.delivery.message import Message
from mailer.delivery.transports.base import Channel, Foreseeing, Gated, Outcome, Transport
from mailer.errors import TransportError

__all__ = ["Report", "Workers"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells: outcomes, what it gives back, and the error that ended it, if one did.

    `fatal`: the error is a defect of ours, and what became of the worker's chunk is for the journal to tell.
    """

    settled: list[tuple[Message, Outcome]]
    released: list[Message]
    error: TransportError | None = None
    ended: bool = False
    fatal: bool = False


class Workers:
    """The threads of one run. `reports` is what they tell, `alive` is kept by whoever reads it.

    Where the system allows only some of them, there are fewer. Raises TransportError where it allows none.
    """

    def __init__(
        self,
        transport: Transport,
        journal: Journal,
        brake: Brake,
        stopping: Callable[[], bool],
        count: int,
    ) -> None:
        self._transport = transport
        self._journal = journal
        self._brake = brake
        self._stopping = stopping
        self._gate: Gate[tuple[int, int]] = Gate()
        self._chunks: queue.SimpleQueue[list[Message] | None] = queue.SimpleQueue()
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.alive = 0
        for number in range(count):
            try:
                threading.Thread(target=self._work, daemon=True, name=f"send-{number}").start()
            except (RuntimeError, MemoryError):
                break  # the threads that could be started do the work
            self.alive += 1
        if not self.alive:
            raise TransportError(
                "the system gives this process no thread to send with; end other programs, or raise the "
                "limit of processes (ulimit -u) or of memory, and run this again"
            )

    def give(self, chunk: list[Message]) -> None:
        """Hands a chunk to whoever is free."""
        self._chunks.put(chunk)

    def end(self) -> None:
        """Lets every worker end after what it has."""
        for _ in range(self.alive):
            self._chunks.put(None)

    def close_gate(self) -> set[tuple[int, int]]:
        """From here on nothing is handed over. Gives the (subscriber id, attempt) that surely never were."""
        return self._gate.close()

    def _work(self) -> None:
        error: TransportError | None = None
        fatal = False
        try:
            channel = self._transport.channel()
            if isinstance(channel, Gated):
                channel.gate = self._gate.passes
            try:
                while error is None and (chunk := self._chunks.get()) is not None:
                    report = self._send(channel, chunk)
                    error = report.error
                    self.reports.put(report)
            finally:
                channel.close()
        except TransportError as reason:
            error = reason
        except Exception as surprise:  # a defect of ours must end the run, not leave it waiting for ever
            error = TransportError(f"the transport failed in a way nobody foresaw: {surprise!r}")
            fatal = True
        self.reports.put(Report([], [], error, ended=True, fatal=fatal))

    def _send(self, channel: Channel, chunk: list[Message]) -> Report:
        settled: list[tuple[Message, Outcome]] = []
        size = self._transport.batch
        foreseeing = channel if isinstance(channel, Foreseeing) else None
        gated = isinstance(channel, Gated)
        if self._stopping():
            return Report(settled, chunk)
        try:
            self._journal.begin([message.key for message in chunk[:size]])
            for start in range(0, len(chunk), size):
                group, following = chunk[start : start + size], chunk[start + size :][:size]
                if following and foreseeing is not None:
                    foreseeing.expect(following[0])
                try:
                    if gated:
                        self._gate.approach(message.key for message in group)
                    outcomes = channel.send(group)
                except TransportError as error:
                    return Report(settled, chunk[start:], error)
                finally:
                    self._gate.leave()
                settled += zip(group, outcomes, strict=True)
                self._brake.note(outcomes)
                if self._stopping():
                    following = []
                # The end of these and the beginning of the next is one line to write.
                self._journal.finish(
                    (
                        (message.subscriber_id, message.attempt, o)
                        for message, o in zip(group, outcomes, strict=True)
                    ),
                    begin=[message.key for message in following],
                )
                if not following:
                    break
        except OSError as error:
            return Report(settled, chunk[len(settled) :], _no_journal(error))
        return Report(settled, chunk[len(settled) :])


def _no_journal(error: OSError) -> TransportError:
    return TransportError(
        f"the journal cannot be written ({error.strerror}), so nothing more is sent; "
        "free some room and run this again"
    )

"""The delivery loop: claims deliveries, hands them to a transport, writes down what became of them.

One thread (the caller's) owns the spool; a worker a connection waits on the transport. At most one window of
claims is open at a time, so that even a power cut leaves no more than that in doubt; the journal
narrows it to what was on the wire. `docs/delivery.md` tells what is on disk at each step.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailer.delivery.brake import DOUBTS_IN_A_ROW, REFUSALS_IN_A_ROW, Brake
from mailer.delivery.journal import Journal
from mailer.delivery.message import Message, Template
from mailer.delivery.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.spool import Spool
from mailer.delivery.stop import Stop
from mailer.delivery.transports.base import Outcome, Result, Transport
from mailer.delivery.workers import Report, Workers
from mailer.errors import BrakeError, TransportError

__all__ = ["NEVER", "RETRY_AFTER", "deliver"]

#: Seconds until a deferred delivery is tried again, by attempt; after the last it waits for the operator.
RETRY_AFTER = (5.0, 30.0, 120.0)
#: A due time that no run reaches by itself.
NEVER = "9999-12-31T23:59:59.999999Z"
#: How long a stop waits for what is on the wire.
GRACE_SECONDS = 5.0
_WINDOW = 1000
_CHUNK = 20
_SETTLE_SECONDS = 0.5
_LOOK_SECONDS = 0.25
#: Under a pace, no more is claimed than may leave in this time, so that an unsubscribe is not overlooked.
_AHEAD_SECONDS = 2.0
#: A journal of this size is emptied at the next moment when nothing is on the wire (bytes).
_JOURNAL_BYTES = 8_000_000


def deliver(
    spool: Spool,
    templates: Mapping[int, Template],
    transport: Transport,
    *,
    journal: Path,
    pacer: Pacer,
    connections: int,
    stop: Stop,
    observe: Callable[[Progress], None] = lambda _: None,
    retry_after: tuple[float, ...] = RETRY_AFTER,
) -> Progress:
    """Delivers until nothing is left to send now, `stop` is set, or the campaign is paused or cancelled.

    Raises TransportError when nothing can be handed over any more; what was claimed is given back first.
    However it ends, the spool is left such that the next call goes on where this one stopped.
    """
    opened = Journal(journal)
    try:
        delivery = _Delivery(
            spool, templates, transport, opened, pacer, stop, connections, observe, retry_after
        )
        try:
            delivery.run()
        finally:
            delivery.finish(journal)
        if delivery.error is not None:
            raise delivery.error
        return delivery.progress
    finally:
        opened.close()


class _Delivery:
    """One run over a spool."""

    def __init__(
        self,
        spool: Spool,
        templates: Mapping[int, Template],
        transport: Transport,
        journal: Journal,
        pacer: Pacer,
        stop: Stop,
        connections: int,
        observe: Callable[[Progress], None],
        retry_after: tuple[float, ...],
    ) -> None:
        count = max(1, min(connections, transport.concurrency))
        self._spool = spool
        self._journal = journal
        self._templates = templates
        self._pacer = pacer
        self._asked_to_stop = stop
        self._observe = observe
        self._retry_after = retry_after
        self._window = max(_WINDOW, 2 * transport.batch * count)
        self._chunk = 1 if pacer else max(_CHUNK, transport.batch)
        self._stop = threading.Event()
        self._brake = Brake(
            {
                Result.UNCERTAIN: max(DOUBTS_IN_A_ROW, 2 * transport.batch),
                Result.REJECTED: max(REFUSALS_IN_A_ROW, 2 * transport.batch),
            }
        )
        self._workers = Workers(transport, journal, self._brake, self._is_stopping, count)
        self._outstanding: set[tuple[int, int]] = set()
        self._waiting: deque[tuple[Message, str]] = deque()
        self._settled: list[tuple[int, int, Outcome, str]] = []
        self._released: list[tuple[int, int]] = []
        self._deferrals: Counter[int] = Counter()
        self._full: set[str] = set()
        self._claim_again = 0.0
        self._started = self._settled_at = self._looked_at = time.monotonic()
        self.progress = Progress()
        self.error: TransportError | None = None

    def _is_stopping(self) -> bool:
        return self._stop.is_set() or self._asked_to_stop.is_set() or bool(self._brake.sentence)

    def run(self) -> None:
        """Until nothing is left or something stops it."""
        exhausted = False
        while not self._stop.is_set():
            if not exhausted and self._may_claim():
                exhausted = not self._claim()
            pause = self._dispatch()
            self._collect(pause if self._outstanding else 0.0)
            if self._released:
                exhausted = False
            self._write_down()
            if self._brake.sentence:
                self.error = BrakeError(self._brake.sentence)
                return
            self._look_around()
            if exhausted and not self._outstanding:
                self._write_down(now=True)
                if not self._await_deferred():
                    return
                exhausted = False

    def finish(self, journal: Path) -> None:
        """Ends the workers, takes in what they still report, and settles every open claim."""
        self._stop.set()
        self._released += [(message.subscriber_id, message.attempt) for message, _ in self._waiting]
        self._outstanding -= set(self._released)
        self._waiting.clear()
        self._workers.end()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._workers.alive and (left := deadline - time.monotonic()) > 0:
            self._collect(min(left, 0.1))
        self._journal.seal()
        self._collect(0.0)
        self._write_down(now=True)
        if self._outstanding:
            # Somebody is still waiting on the wire, or failed in a way nobody foresaw. The journal knows who.
            for state, number in self._spool.recover(journal).items():
                if state != "pending":
                    self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + number
        self.progress.seconds = time.monotonic() - self._started

    def _room(self) -> int:
        """How many more may be claimed now. What is known but not written down is still open on disk."""
        room = self._window - len(self._outstanding) - len(self._settled) - len(self._released)
        ahead = self._pacer.ahead(_AHEAD_SECONDS)
        return room if ahead is None else min(room, ahead - len(self._waiting))

    def _may_claim(self) -> bool:
        if self._journal.size > _JOURNAL_BYTES:
            if not self._outstanding:
                self._write_down(now=True)
                self._journal.clear()
            return False
        if self._claim_again > time.monotonic():
            return False
        return self._room() >= (1 if self._pacer else self._window // 2)

    def _claim(self) -> bool:
        """Claims what may leave soon. False where there is nothing left to claim."""
        full = sorted(self._full)
        claims = self._spool.claim(self._room(), without=full)
        if claims is None:
            # What is left are people at domains whose turn it is not.
            self._claim_again = time.monotonic() + _LOOK_SECONDS
            return bool(full)
        for claim in claims:
            message = Message(self._templates[claim.variant], claim.person, claim.attempt)
            self._outstanding.add((message.subscriber_id, message.attempt))
            self._waiting.append((message, claim.domain))
        if self._pacer:
            self._give_back_too_many()
        return True

    def _give_back_too_many(self) -> None:
        """A slow domain may not fill the window: of each, no more waits than may leave soon."""
        waiting: Counter[str] = Counter()
        kept: deque[tuple[Message, str]] = deque()
        for message, domain in self._waiting:
            ahead = self._pacer.ahead(_AHEAD_SECONDS, domain) if domain else None
            waiting[domain] += 1
            if ahead is None or waiting[domain] <= ahead:
                kept.append((message, domain))
                continue
            self._full.add(domain)
            key = (message.subscriber_id, message.attempt)
            self._outstanding.discard(key)
            self._released.append(key)
        if len(kept) < len(self._waiting):
            self._waiting = kept
            self._write_down(now=True)

    def _dispatch(self) -> float:
        """Hands out what may leave now; gives the seconds until more may, at most 0.1."""
        if not self._pacer:
            while self._waiting:
                size = min(self._chunk, len(self._waiting))
                self._workers.give([self._waiting.popleft()[0] for _ in range(size)])
            return 0.1
        pause = 0.1
        kept: deque[tuple[Message, str]] = deque()
        now = time.monotonic()
        for message, domain in self._waiting:
            wait = self._pacer.take(domain, now)
            if wait > 0:
                pause = min(pause, wait)
                kept.append((message, domain))
            else:
                self._workers.give([message])
        self._waiting = kept
        self._full &= {domain for _, domain in kept}
        return pause

    def _collect(self, seconds: float) -> None:
        """Takes in what the workers report, waiting up to `seconds` for the first report."""
        try:
            self._take_in(self._workers.reports.get(timeout=seconds) if seconds else self._next())
            while True:
                self._take_in(self._next())
        except queue.Empty:
            return

    def _next(self) -> Report:
        return self._workers.reports.get_nowait()

    def _take_in(self, report: Report) -> None:
        for message, outcome in report.settled:
            key = (message.subscriber_id, message.attempt)
            self._settled.append((*key, outcome, self._due(outcome, message.subscriber_id)))
            self._outstanding.discard(key)
            state = outcome.result.value
            self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + 1
        for message in report.released:
            key = (message.subscriber_id, message.attempt)
            self._released.append(key)
            self._outstanding.discard(key)
        if report.ended:
            # A connection less is no reason to stop; none at all is, and so is a defect of ours.
            self._workers.alive -= 1
            if report.error is not None and (report.fatal or not self._workers.alive):
                self.error = report.error
                self._stop.set()

    def _due(self, outcome: Outcome, subscriber_id: int) -> str:
        """When a deferred delivery is tried again: later each time, and not all of them at once."""
        if outcome.result is not Result.DEFERRED:
            return ""
        self._deferrals[subscriber_id] += 1
        attempt = self._deferrals[subscriber_id]
        if attempt > len(self._retry_after):
            return NEVER
        seconds = self._retry_after[attempt - 1] * random.uniform(0.75, 1.25)  # noqa: S311
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _write_down(self, *, now: bool = False) -> None:
        """Commits outcomes: twice a second, or as soon as half a window is known."""
        waited = time.monotonic() - self._settled_at
        if not (now or waited > _SETTLE_SECONDS or len(self._settled) >= self._window // 2):
            return
        if self._settled or self._released:
            self._spool.settle(self._settled)
            self._settled = []
            self._spool.release(self._released)
            self._released = []
        self._settled_at = time.monotonic()

    def _look_around(self) -> None:
        """Has somebody asked this run to end: a signal here, or a command elsewhere?"""
        if self._asked_to_stop.is_set():
            self.progress.stopped_by = "signal"
            self._stop.set()
        now = time.monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        self.progress.seconds = now - self._started
        self._observe(self.progress)
        status = self._spool.status()
        if status in ("paused", "cancelled"):
            self.progress.stopped_by = status
            self._stop.set()

    def _await_deferred(self) -> bool:
        """Waits for the next deferred delivery to be due. False where this run has none, or was stopped."""
        due = self._spool.next_due()
        if due is None or due >= NEVER:
            return False
        while not self._stop.is_set():
            if datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") >= due:
                return True
            self._asked_to_stop.wait(0.1)
            self._look_around()
        return False

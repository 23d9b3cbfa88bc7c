"""The delivery loop: claims deliveries, hands them to a transport, writes down what became of them.

One thread (the caller's) owns the spool; a worker a connection waits on the transport. At most one window of
claims is open at a time, so that even a power cut leaves no more than that in doubt; the journal
narrows it to what was on the wire. `docs/delivery.md` tells what is on disk at each step.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from mailer.delivery.circuit_breaker import DOUBTS_IN_A_ROW, REFUSALS_IN_A_ROW, Brake, refused_too_often
from mailer.delivery.gc_pause import rare_collections
from mailer.delivery.leavers import Leavers, following_leavers
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.pacing.queues import AHEAD_SECONDS, Lines
from mailer.delivery.progress import Progress
from mailer.delivery.retry import USUAL, Backoff
from mailer.delivery.run_claims import Book
from mailer.delivery.workers.connections import ConnectionPool
from mailer.delivery.workers.workers import Report, Workers
from mailer.errors import BrakeError, TransportError
from mailer.message.message import Message, Template
from mailer.spool.erased_words import clear_journal
from mailer.spool.journal import Journal
from mailer.spool.sqlite.campaign_health import refusals_note
from mailer.spool.sqlite.deliveries import ENDED, Spool
from mailer.spool.sqlite.last_run import last_run
from mailer.spool.sqlite.parking import next_turn, park
from mailer.store.database import now, utc_text
from mailer.transports.base import Result, Transport
from mailer.transports.refusal.watch import RefusalWatch, everybody_sentence
from mailer.transports.stop import Stop

__all__ = ["deliver"]

#: How long a stop waits for what is on the wire.
GRACE_SECONDS = 5.0
_WINDOW = 1000
_CHUNK = 20
_SETTLE_SECONDS = 0.5
_LOOK_SECONDS = 0.25
_NAP_SECONDS = 0.02
#: A run waits for so long for a limit that is used up; where it takes longer, it ends (seconds).
_PATIENCE = 120.0
#: A journal of this size is emptied (bytes); it takes a few seconds to read. Nothing may be on the wire
#: while that is done, so it is done seldom.
_JOURNAL_BYTES = 64_000_000


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
    backoff: Backoff = USUAL,
    rejects: float = 1.0,
    clock: Callable[[], float] = lambda: now().timestamp(),
    pool: ConnectionPool | None = None,
) -> Progress:
    """Delivers until nothing is left to send now, `stop` is set, or the campaign is paused or cancelled.

    Sets `stop` itself when it ends, so that a transport that waits with it does not wait on.
    It pauses the campaign itself where more than the share `rejects` is refused, or where a refusal is
    about us by its own words. Where everybody is refused in the same words, nobody counts as refused,
    and BrakeError is raised. It ends where a limit of the pace is used up for longer than it would wait.
    `clock` gives seconds since 1970, for the pace. What is deferred is tried again by `backoff`: in this
    run where it is due before the run ends, else in a later.
    `pool` bounds the connections of all runs that are given the same one.
    Raises TransportError when nothing can be handed over any more; what was claimed is given back first.
    However it ends, the spool is left such that the next call goes on where this one stopped.
    """
    known = last_run(spool.database)
    opened = Journal(journal, known.token if known else "")
    watch = ExitStack()
    delivery: _Delivery | None = None
    try:
        leavers = watch.enter_context(following_leavers(spool.database, spool.campaign.edition))
        delivery = _Delivery(
            spool,
            templates,
            transport,
            opened,
            pacer,
            stop,
            connections,
            observe,
            backoff,
            rejects,
            clock,
            leavers,
            pool,
        )
        try:
            with rare_collections():
                delivery.run()
        finally:
            delivery.finish(journal)
        if delivery.error is not None:
            raise delivery.error
        return delivery.progress
    finally:
        watch.close()
        opened.close()
        if delivery is not None and delivery.is_journal_unclear:
            with suppress(OSError, sqlite3.Error):  # the next command that looks at the campaign does it
                clear_journal(spool.database, journal)


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
        backoff: Backoff,
        rejects: float,
        clock: Callable[[], float],
        leavers: Leavers,
        pool: ConnectionPool | None,
    ) -> None:
        count = max(1, min(connections, transport.concurrency))
        self._spool = spool
        self._journal = journal
        self._templates = templates
        self._pacer = pacer
        self._asked_to_stop = stop
        self._observe = observe
        self._leavers = leavers
        self._server = str(getattr(transport, "server", ""))
        self._watch = RefusalWatch(ever=spool.was_accepted())
        self._book = Book(spool, backoff, self._watch)
        self._watch.was_deferred = self._book.was_deferred
        self._window = max(_WINDOW, transport.batch * (count + 2))
        #: So many at once are worth a transaction, and keep the workers fed.
        self._portion = max(_WINDOW // 2, transport.batch)
        self._chunk = transport.batch if pacer else max(_CHUNK, transport.batch)
        self._rejects = rejects
        self._clock = clock
        self._lines = Lines(pacer, clock) if pacer else None
        self._on_the_wire = 2 * count * transport.batch
        self._parked: set[str] = set()
        self._used_up = "", ""
        self._stop = threading.Event()
        self._brake = Brake(
            {
                Result.UNCERTAIN: max(DOUBTS_IN_A_ROW, 2 * transport.batch),
                Result.REJECTED: max(REFUSALS_IN_A_ROW, 2 * transport.batch),
            }
        )
        self._workers = Workers(
            transport,
            journal,
            self._brake,
            self._is_stopping,
            count,
            left=leavers.left,
            pool=pool,
            watch=self._watch,
        )
        self._waiting: deque[Message] = deque()
        self._claim_again = 0.0
        #: So many of those who were erased in this run are in the journal no more.
        self._forgotten = 0
        self._started = self._settled_at = self._looked_at = time.monotonic()
        self.progress = Progress(self._book.outcomes)
        self.error: TransportError | None = None

    def _is_stopping(self) -> bool:
        ended = self._stop.is_set() or self._asked_to_stop.is_set()
        return ended or bool(self._brake.sentence) or self._watch.stops

    @property
    def is_journal_unclear(self) -> bool:
        """Whether the journal may tell of somebody who was erased during the run."""
        return self._leavers.erased > self._forgotten

    def run(self) -> None:
        """Until nothing is left or something stops it."""
        exhausted = False
        while not self._stop.is_set():
            if not exhausted and self._may_claim():
                exhausted = not self._claim()
            pause = self._dispatch()
            self._collect(pause if self._book.open else 0.0)
            if self._lines is not None:
                self._mind_the_pace(self._lines)
            if self._book.released:
                exhausted = False
            self._write_down()
            if self._watch.stops:
                return  # `finish` says why
            if self._brake.sentence:
                self.error = BrakeError(self._brake.sentence)
                return
            if refused_too_often(self.progress.outcomes, self._rejects):
                self._pause_itself()
                return
            self._look_around()
            if exhausted and not self._book.open:
                self._write_down(now=True)
                if self.is_journal_unclear:
                    self._empty_journal()
                if self._stop.is_set() or not self._await_due():
                    return
                exhausted = False

    def finish(self, journal: Path) -> None:
        """Ends the workers, takes in what they still report, and settles every open claim."""
        self._stop.set()
        self._asked_to_stop.set()
        self._give_back()
        self._workers.end()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._workers.alive and (left := deadline - time.monotonic()) > 0:
            self._collect(min(left, 0.1))
        nothing = self._workers.close_gate()
        self._journal.seal()
        self._collect(0.0)
        self._book.give_back_keys(nothing & self._book.open)
        self._judge_refusals()
        self._write_down(now=True)
        if self._book.open:
            # Somebody is still waiting on the wire, or failed in a way nobody foresaw. The journal knows who.
            for state, number in self._spool.recover(journal).items():
                if state != "pending":
                    self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + number
        if self._lines is not None:
            self._pacer.close()
        if self.progress.stopped_by == "pace":
            left = sum(self._spool.counts()[state] for state in ("pending", "deferred"))
            limit, at = self._used_up
            self.progress.note = (
                f"{limit} is used up; {left:,} {'is' if left == 1 else 'are'} left; "
                f"`mailer send {self._spool.campaign.issue}` goes on after {at}"
            )
        self.progress.seconds = time.monotonic() - self._started

    def _judge_refusals(self) -> None:
        """Decides, when all is known, whether what was held back counts, and says what is refused of us."""
        everybody = self._watch.end()
        if not everybody:
            self._book.believe()
        else:
            self._book.return_held()
            self.error = BrakeError(
                everybody_sentence(everybody, source=self._spool.source, server=self._server)
            )
        if self._watch.remedy and self.error is None:
            self._pause(self._watch.remedy)

    def _give_back(self) -> None:
        """Nobody who was not handed over stays claimed."""
        waiting = self._waiting if self._lines is None else self._lines.clear()
        self._book.give_back(waiting)
        self._waiting.clear()

    def _room(self) -> int:
        """How many more may be claimed now. What is known is written down in the same transaction."""
        return self._window - len(self._book.open)

    def _may_claim(self) -> bool:
        if self._journal.size > _JOURNAL_BYTES or self.is_journal_unclear:
            self._empty_journal()
            return False
        if self._claim_again > time.monotonic():
            return False
        return self._room() >= self._portion

    def _empty_journal(self) -> None:
        """Empties the journal once nobody is on the wire: it is long, or tells of somebody who was erased."""
        erased = self._leavers.erased
        if not self._book.open:
            self._write_down(now=True)
            self._journal.clear()
            self._forgotten = erased

    def _claim(self) -> bool:
        """Claims what may leave soon. False where there is nothing left to claim."""
        room = self._room()
        ahead = None if self._lines is None else self._lines.ahead()
        if self._lines is not None and ahead is not None:
            room = min(room, ahead - len(self._lines))
            if room < max(1, min(ahead, self._portion) // 2):
                return True
        claims = self._book.claim(room)
        self._settled_at = time.monotonic()
        if claims is None:
            # What is parked may have its turn soon, while others are on the wire. Or somebody has ended it.
            self._claim_again = time.monotonic() + _LOOK_SECONDS
            self._looked_at = 0.0
            return bool(self._parked and self._book.open)
        early: list[tuple[int, int, float]] = []
        for claim in claims:
            if self._lines is not None and (place := self._lines.turn(claim.domain)) is not None:
                self._parked.add(place[0])
                early.append((claim.person.subscriber_id, claim.attempt, place[1]))
                continue
            message = Message(self._templates[claim.variant], claim.person, claim.attempt)
            self._book.open.add(message.key)
            if self._lines is None:
                self._waiting.append(message)
            else:
                self._lines.add(message, claim.domain)
        if early:
            park(self._spool, early)
        return True

    def _mind_the_pace(self, lines: Lines) -> None:
        """Gives back who would stay claimed for too long, and ends the run where a limit is used up."""
        early = lines.too_many()
        if early:
            self._parked |= {name for name, _, _ in early}
            park(self._spool, [(*message.key, turn) for _, message, turn in early])
            self._book.open.difference_update(message.key for _, message, _ in early)
        moment = self._clock()
        wait, limit = lines.closed("", moment)
        if wait > AHEAD_SECONDS:
            self._give_back()
            self._write_down(now=True)
            self._claim_again = time.monotonic() + min(wait - AHEAD_SECONDS, _LOOK_SECONDS)
        if limit and wait > _PATIENCE and not self._book.open:
            self._end_for(limit, round(moment + wait, 3))
        elif not self._book.open and not self._stop.is_set():
            self._asked_to_stop.wait(_NAP_SECONDS)

    def _end_for(self, limit: str, goes_on: float) -> None:
        """A limit is used up for longer than a run waits."""
        self.progress.stopped_by = "pace"
        self.progress.goes_on_at = utc_text(datetime.fromtimestamp(goes_on, UTC))
        self._used_up = limit, self._pacer.clock_time(goes_on, self._clock())
        self._stop.set()

    def _pause_itself(self) -> None:
        """Too many are refused: every further message would cost the sender its name."""
        if not self._watch.end():
            self._book.believe()
            self._write_down(now=True)
            self._pause(refusals_note(self._spool, self.progress.outcomes, self._rejects))
        self._stop.set()

    def _pause(self, note: str) -> None:
        """Pauses the campaign, with a sentence that says why."""
        self.progress.stopped_by = "paused"
        self.progress.note = note
        self._spool.set_status("paused", note, only_from=("ready", "sending"))

    def _dispatch(self) -> float:
        """Hands out what may leave now; gives the seconds until more may, at most 0.1."""
        if self._lines is None:
            while self._waiting:
                size = min(self._chunk, len(self._waiting))
                self._workers.give([self._waiting.popleft() for _ in range(size)])
            return 0.1
        # No more than the connections can take: what leaves counts for the hour that it leaves in.
        room = self._on_the_wire - (len(self._book.open) - len(self._lines))
        leaving, pause = self._lines.leave(room)
        for start in range(0, len(leaving), self._chunk):
            self._workers.give(leaving[start : start + self._chunk])
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
        self._book.take_in(report)
        if self._lines is not None:
            for message, outcome in report.settled:
                self._lines.ended(message.key, handed_over=outcome.result is not Result.SKIPPED)
            for message in report.released:
                self._lines.ended(message.key, handed_over=False)
        if report.ended:
            # A connection less is no reason to stop; none at all is, and so is a defect of ours.
            self._workers.alive -= 1
            if report.error is not None and (report.fatal or not self._workers.alive):
                self.error = report.error
                self._stop.set()

    def _write_down(self, *, now: bool = False) -> None:
        """Commits outcomes, twice a second at least. Most are written with the next claim, synced once."""
        waited = time.monotonic() - self._settled_at
        if not (now or waited > _SETTLE_SECONDS or len(self._book.settled) >= 2 * self._portion):
            return
        self._book.write_down()
        self._settled_at = time.monotonic()

    def _look_around(self) -> None:
        """Whether somebody asked this run to end: a signal here, or a command elsewhere."""
        if self._asked_to_stop.is_set():
            self.progress.stopped_by = "signal"
            self._stop.set()
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        self._leavers.check()
        self.progress.seconds = now - self._started
        self._observe(self.progress)
        status = self._spool.status()
        if status in ENDED:
            self.progress.stopped_by = status
            self._stop.set()

    def _await_due(self) -> bool:
        """Waits for the turn of what is parked, not for what is deferred. False where nothing is due soon."""
        due = self._spool.next_due_here()
        again = datetime.fromisoformat(due).timestamp() if due is not None else None
        if again is not None and again <= self._clock():
            return True
        turn = next_turn(self._spool) if self._parked else None
        if turn is None:
            return False
        first = turn if again is None else min(turn, again)
        if first - self._clock() > _PATIENCE:
            limits = [
                limit for wait, limit in map(self._lines_closed, sorted(self._parked)) if limit and wait
            ]
            if limits:
                self._end_for(limits[0], turn)
            return False
        while not self._stop.is_set():
            if self._clock() >= first:
                return True
            self._asked_to_stop.wait(min(0.1, max(0.001, first - self._clock())))
            self._look_around()
            if self.is_journal_unclear:
                self._empty_journal()
        return False

    def _lines_closed(self, name: str) -> tuple[float, str]:
        return self._lines.closed(name, self._clock()) if self._lines is not None else (0.0, "")

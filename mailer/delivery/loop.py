"""The delivery loop of one run: the caller's thread owns the spool, a worker waits on each connection."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from mailer.audience.recipients import Recipients, addresses_of
from mailer.campaign.delivery_state import State
from mailer.campaign.status import ENDED, Event
from mailer.delivery.circuit_breaker import (
    DOUBTS_IN_A_ROW,
    REFUSALS_IN_A_ROW,
    Brake,
    refusals_note,
    refused_too_often,
)
from mailer.delivery.intake import LOOK_SECONDS, PATIENCE, Intake, UsedUp, pace_note
from mailer.delivery.leavers import Leavers
from mailer.delivery.options import Run
from mailer.delivery.progress import Progress
from mailer.delivery.record_refusals import RefusalRecorder
from mailer.delivery.run_claims import RunClaims
from mailer.delivery.workers.workers import Report, Supervision, Workers
from mailer.errors import CircuitBreakerError, TransportError
from mailer.spool.journal import Journal, read_journal
from mailer.spool.recover import recover
from mailer.store.database import utc_text
from mailer.transports.base import Result
from mailer.transports.refusal.watch import RefusalWatch, everybody_sentence

__all__ = ["GRACE_SECONDS", "Loop"]

#: How long a stop waits for what is on the wire.
GRACE_SECONDS = 5.0
_SETTLE_SECONDS = 0.5
_NAP_SECONDS = 0.02
#: A journal of this size is emptied (bytes); it takes a few seconds to read. Nothing may be on the wire
#: while that is done, so it is done seldom.
_JOURNAL_BYTES = 64_000_000


class Loop:
    """One run over a spool."""

    def __init__(self, run: Run, journal: Journal, leavers: Leavers) -> None:
        connections = max(1, min(run.connections, run.transport.concurrency))
        batch = run.transport.batch
        self._run = run
        self._spool = run.spool
        self._journal = journal
        self._leavers = leavers
        self._stop = threading.Event()
        self._watch = RefusalWatch(ever=run.spool.was_accepted())
        recipients = Recipients(run.db, run.spool.campaign.edition)
        self._note_refused = RefusalRecorder(run.db, run.spools, run.spool, run.source).note
        self._claims = RunClaims(
            run.spool, recipients, run.backoff, self._watch, note_refused=self._note_refused, only=run.only
        )
        self._watch.was_deferred = self._claims.was_deferred
        self._breaker = Brake(
            {
                Result.UNCERTAIN: max(DOUBTS_IN_A_ROW, 2 * batch),
                Result.REJECTED: max(REFUSALS_IN_A_ROW, 2 * batch),
            }
        )
        self._workers = Workers(
            run.transport,
            journal,
            Supervision(self._breaker, self._is_stopping, self._watch),
            connections,
            pool=run.pool,
            left=leavers.left,
        )
        self._intake = Intake(run, self._claims, recipients, self._workers, connections)
        self._used_up = "", ""
        #: So many of those who were erased in this run are in the journal no more.
        self._forgotten = 0
        self._started = self._settled_at = self._looked_at = time.monotonic()
        self.progress = Progress(self._claims.outcomes)
        self.error: TransportError | None = None

    def _is_stopping(self) -> bool:
        ended = self._stop.is_set() or self._run.stop.is_set()
        return ended or bool(self._breaker.sentence) or self._watch.stops

    @property
    def is_journal_unclear(self) -> bool:
        """Whether the journal may tell of somebody who was erased during the run."""
        return self._leavers.erased > self._forgotten

    def run(self) -> None:
        """Runs until nothing is left or something stops it."""
        exhausted = False
        while not self._stop.is_set():
            if not exhausted and self._may_claim():
                exhausted = not self._claim()
            pause = self._intake.dispatch()
            self._collect(pause if self._claims.open else 0.0)
            self._mind_pace()
            if self._claims.released:
                exhausted = False
            self._write_down()
            if self._must_end():
                return
            self._look_around()
            if exhausted and not self._claims.open:
                self._write_down(now=True)
                if self.is_journal_unclear:
                    self._empty_journal()
                if self._stop.is_set() or not self._await_due():
                    return
                exhausted = False

    def _must_end(self) -> bool:
        """Whether refusals or doubts end the run; a campaign of which too much is refused is paused."""
        if self._watch.stops:
            return True  # `finish` says why
        if self._breaker.sentence:
            self.error = CircuitBreakerError(self._breaker.sentence)
            return True
        if refused_too_often(self.progress.outcomes, self._run.rejects):
            self._pause_itself()
            return True
        return False

    def finish(self) -> None:
        """Ends the workers, takes in what they still report, and settles every open claim."""
        self._stop.set()
        self._run.stop.set()
        self._intake.give_back()
        self._workers.end()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._workers.alive and (left := deadline - time.monotonic()) > 0:
            self._collect(min(left, 0.1))
        nothing = self._workers.close_gate()
        self._journal.seal()
        self._collect(0.0)
        self._claims.give_back_keys(nothing & self._claims.open)
        self._judge_refusals()
        self._write_down(now=True)
        if self._claims.open:
            self._recover()
        if self._intake.is_paced:
            self._run.pacer.close()
        if self.progress.stopped_by == "pace":
            self.progress.note = pace_note(self._spool, *self._used_up)
        self.progress.seconds = time.monotonic() - self._started

    def _recover(self) -> None:
        """Settles by the journal what still waits on the wire, or failed in a way nobody foresaw."""
        recovered = recover(
            self._spool,
            partial(read_journal, self._run.journal),
            partial(addresses_of, self._run.db),
            self._note_refused,
        )
        for state, number in recovered.items():
            if state != State.PENDING:
                self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + number

    def _judge_refusals(self) -> None:
        """Decides, when all is known, whether what was held back counts, and says what is refused of us."""
        everybody = self._watch.end()
        if not everybody:
            self._claims.believe()
        else:
            self._claims.return_held()
            server = str(getattr(self._run.transport, "server", ""))
            self.error = CircuitBreakerError(
                everybody_sentence(everybody, source=self._run.source, server=server)
            )
        if self._watch.remedy and self.error is None:
            self._pause(self._watch.remedy)

    def _may_claim(self) -> bool:
        if self._journal.size > _JOURNAL_BYTES or self.is_journal_unclear:
            self._empty_journal()
            return False
        return self._intake.has_room()

    def _empty_journal(self) -> None:
        """Empties the journal once nobody is on the wire: it is long, or tells of somebody who was erased."""
        erased = self._leavers.erased
        if not self._claims.open:
            self._write_down(now=True)
            self._journal.clear()
            self._forgotten = erased

    def _claim(self) -> bool:
        """Claims, and writes down what is known in the same transaction. False where nothing is left."""
        found = self._intake.claim()
        self._settled_at = time.monotonic()
        if not self._claims.has_more:
            self._looked_at = 0.0  # somebody may have ended the campaign
        return found

    def _mind_pace(self) -> None:
        """Ends the run where a limit is used up for long; naps where nobody may leave now."""
        if not self._intake.is_paced:
            return
        used_up = self._intake.mind_pace()
        if used_up is not None:
            self._end_for(used_up)
        elif not self._claims.open and not self._stop.is_set():
            self._run.stop.wait(_NAP_SECONDS)

    def _end_for(self, used_up: UsedUp) -> None:
        """Ends the run: a limit is used up for longer than a run waits."""
        self.progress.stopped_by = "pace"
        self.progress.goes_on_at = utc_text(datetime.fromtimestamp(used_up.goes_on, UTC))
        at = self._run.pacer.clock_time(used_up.goes_on, self._run.clock())
        self._used_up = used_up.limit, at
        self._stop.set()

    def _pause_itself(self) -> None:
        """Pauses the campaign, because each further message would cost the sender's reputation."""
        if not self._watch.end():
            self._claims.believe()
            self._write_down(now=True)
            self._pause(refusals_note(self._spool, self.progress.outcomes, self._run.rejects))
        self._stop.set()

    def _pause(self, note: str) -> None:
        self.progress.stopped_by = "paused"
        self.progress.note = note
        self._spool.apply(Event.BRAKE, note)

    def _collect(self, seconds: float) -> None:
        """Takes in what the workers report, waiting up to `seconds` for the first report."""
        reports = self._workers.reports
        with suppress(queue.Empty):
            self._take_in(reports.get(timeout=seconds) if seconds else reports.get_nowait())
            while True:
                self._take_in(reports.get_nowait())

    def _take_in(self, report: Report) -> None:
        self._claims.take_in(report)
        self._intake.note(report)
        if report.ended:
            # A connection less is no reason to stop; none at all is, and so is a defect of ours.
            self._workers.alive -= 1
            if report.error is not None and (report.fatal or not self._workers.alive):
                self.error = report.error
                self._stop.set()

    def _write_down(self, *, now: bool = False) -> None:
        """Commits outcomes, twice a second at least. Most are written with the next claim, synced once."""
        waited = time.monotonic() - self._settled_at
        many = len(self._claims.settled) >= 2 * self._intake.portion
        if now or many or waited > _SETTLE_SECONDS:
            self._claims.write_down()
            self._settled_at = time.monotonic()

    def _look_around(self) -> None:
        """Looks whether somebody asked this run to end: by a signal here, or by a command elsewhere."""
        if self._run.stop.is_set():
            self.progress.stopped_by = "signal"
            self._stop.set()
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._leavers.check()
        self.progress.seconds = now - self._started
        self._run.observe(self.progress)
        status = self._spool.status()
        if status in ENDED:
            self.progress.stopped_by = status.value
            self._stop.set()

    def _await_due(self) -> bool:
        """Waits for the turn of what is parked, not for what is deferred. False where nothing is due soon."""
        clock = self._run.clock
        due = self._spool.next_due(only=self._run.only)
        again = datetime.fromisoformat(due).timestamp() if due is not None else None
        if again is not None and again <= clock():
            return True
        turn = self._spool.next_turn() if self._intake.has_parked else None
        if turn is None:
            return False
        first = turn if again is None else min(turn, again)
        if first - clock() > PATIENCE:
            used_up = self._intake.limit_of_parked(turn)
            if used_up is not None:
                self._end_for(used_up)
            return False
        while not self._stop.is_set():
            if clock() >= first:
                return True
            self._run.stop.wait(min(0.1, max(0.001, first - clock())))
            self._look_around()
            if self.is_journal_unclear:
                self._empty_journal()
        return False

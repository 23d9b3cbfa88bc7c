"""Runs the delivery loop. The caller's thread uses the spool; each connection has a worker thread."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from mailer.audience.recipients import RecipientChecker, addresses_of
from mailer.campaign.delivery_state import State
from mailer.campaign.status import ENDED, Event
from mailer.clock import utc_text
from mailer.delivery.circuit_breaker import (
    DOUBTS_IN_A_ROW,
    REFUSALS_IN_A_ROW,
    CircuitBreaker,
    refusals_note,
    refused_too_often,
)
from mailer.delivery.intake import MAX_WAIT_SECONDS, POLL_SECONDS, ExhaustedLimit, Intake, pace_note
from mailer.delivery.leavers import Leavers
from mailer.delivery.options import Run
from mailer.delivery.progress import Progress
from mailer.delivery.record_refusals import RefusalRecorder
from mailer.delivery.run_claims import RunClaims
from mailer.delivery.workers.workers import Report, Supervision, Workers
from mailer.errors import CircuitBreakerError, TransportError
from mailer.spool.journal import Journal, read_journal
from mailer.spool.recover import recover
from mailer.transports.base import Result
from mailer.transports.refusal.watch import RefusalWatch, everybody_sentence

__all__ = ["GRACE_SECONDS", "Loop"]

#: How long a stop waits for messages in flight (seconds).
GRACE_SECONDS = 5.0
_SETTLE_SECONDS = 0.5
_NAP_SECONDS = 0.02
#: A journal of this size (bytes) is emptied; it takes a few seconds to read. No message may be in flight
#: meanwhile, so it is done rarely.
_JOURNAL_BYTES = 64_000_000


class Loop:
    """Runs one campaign: claims, dispatches, settles, and decides when the run ends."""

    def __init__(self, run: Run, journal: Journal, leavers: Leavers) -> None:
        connections = max(1, min(run.connections, run.transport.concurrency))
        batch = run.transport.batch
        self._run = run
        self._spool = run.spool
        self._journal = journal
        self._leavers = leavers
        self._stop = threading.Event()
        self._watch = RefusalWatch(ever=run.spool.was_accepted())
        recipients = RecipientChecker(run.db, run.spool.campaign.edition)
        self._note_refused = RefusalRecorder(run.db, run.spools, run.spool, run.source).note
        self._claims = RunClaims(
            run.spool, recipients, run.backoff, self._watch, note_refused=self._note_refused, only=run.only
        )
        self._watch.was_deferred = self._claims.was_deferred
        self._breaker = CircuitBreaker(
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
        #: The number of people erased in this run whose text is no longer in the journal.
        self._forgotten = 0
        self._started = self._settled_at = self._looked_at = time.monotonic()
        self.progress = Progress(self._claims.outcomes)
        self.error: TransportError | None = None

    def _is_stopping(self) -> bool:
        ended = self._stop.is_set() or self._run.stop.is_set()
        return ended or bool(self._breaker.sentence) or self._watch.stops

    @property
    def journal_has_erased(self) -> bool:
        """Returns whether the journal may have text about somebody who was erased during the run."""
        return self._leavers.erased > self._forgotten

    def run(self) -> None:
        """Runs until nothing is left to send or something stops it."""
        exhausted = False
        while not self._stop.is_set():
            if not exhausted and self._may_claim():
                exhausted = not self._claim()
            pause = self._intake.dispatch()
            self._collect(pause if self._claims.open else 0.0)
            self._check_pace()
            if self._claims.released:
                exhausted = False
            self._write_down()
            if self._must_end():
                return
            self._check_for_stop()
            if exhausted and not self._claims.open:
                self._write_down(now=True)
                if self.journal_has_erased:
                    self._empty_journal()
                if self._stop.is_set() or not self._await_due():
                    return
                exhausted = False

    def _must_end(self) -> bool:
        """Returns whether refusals or doubts end the run. Pauses the campaign at too many refusals."""
        if self._watch.stops:
            return True  # `finish` says why
        if self._breaker.sentence:
            self.error = CircuitBreakerError(self._breaker.sentence)
            return True
        if refused_too_often(self.progress.outcomes, self._run.rejects):
            self._pause_for_refusals()
            return True
        return False

    def finish(self) -> None:
        """Stops the workers, records their last reports, and settles every open claim."""
        self._stop.set()
        self._run.stop.set()
        self._intake.release_waiting()
        self._workers.end()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._workers.alive and (left := deadline - time.monotonic()) > 0:
            self._collect(min(left, 0.1))
        nothing = self._workers.close_gate()
        self._journal.seal()
        self._collect(0.0)
        self._claims.release_keys(nothing & self._claims.open)
        self._settle_held_refusals()
        self._write_down(now=True)
        if self._claims.open:
            self._recover()
        if self._intake.is_paced:
            self._run.pacer.close()
        if self.progress.stopped_by == "pace":
            self.progress.note = pace_note(self._spool, *self._used_up)
        self.progress.seconds = time.monotonic() - self._started

    def _recover(self) -> None:
        """Settles by the journal the claims that are still in flight or failed because of a defect."""
        recovered = recover(
            self._spool,
            partial(read_journal, self._run.journal),
            partial(addresses_of, self._run.db),
            self._note_refused,
            claims=sorted(self._claims.open),
        )
        for state, number in recovered.items():
            if state != State.PENDING:
                self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + number

    def _settle_held_refusals(self) -> None:
        """Decides whether held refusals count. Pauses the campaign where one concerns the sender."""
        everybody = self._watch.end()
        if not everybody:
            self._claims.confirm_held()
        else:
            self._claims.discard_held()
            server = str(getattr(self._run.transport, "server", ""))
            self.error = CircuitBreakerError(
                everybody_sentence(everybody, source=self._run.source, server=server)
            )
        if self._watch.remedy and self.error is None:
            self._pause(self._watch.remedy)

    def _may_claim(self) -> bool:
        if self._journal.size > _JOURNAL_BYTES or self.journal_has_erased:
            self._empty_journal()
            return False
        return self._intake.has_room()

    def _empty_journal(self) -> None:
        """Empties a journal that is long or has text about an erased person, once no claim is open."""
        erased = self._leavers.erased
        if not self._claims.open:
            self._write_down(now=True)
            self._journal.clear()
            self._forgotten = erased

    def _claim(self) -> bool:
        """Claims deliveries and commits outcomes in one transaction. Returns False where none is left."""
        found = self._intake.claim()
        self._settled_at = time.monotonic()
        if not self._claims.has_more:
            self._looked_at = 0.0  # the campaign may have been paused or cancelled
        return found

    def _check_pace(self) -> None:
        """Ends the run where a limit is used up for long; sleeps briefly where nothing may be sent now."""
        if not self._intake.is_paced:
            return
        used_up = self._intake.check_pace()
        if used_up is not None:
            self._end_for(used_up)
        elif not self._claims.open and not self._stop.is_set():
            self._run.stop.wait(_NAP_SECONDS)

    def _end_for(self, used_up: ExhaustedLimit) -> None:
        """Ends the run because a limit is used up for longer than a run waits."""
        self.progress.stopped_by = "pace"
        self.progress.resumes_at = utc_text(datetime.fromtimestamp(used_up.resumes_at, UTC))
        at = self._run.pacer.clock_time(used_up.resumes_at, self._run.clock())
        self._used_up = used_up.limit, at
        self._stop.set()

    def _pause_for_refusals(self) -> None:
        """Pauses the campaign, because each further message would cost the sender's reputation."""
        if not self._watch.end():
            self._claims.confirm_held()
            self._write_down(now=True)
            self._pause(refusals_note(self._spool, self.progress.outcomes, self._run.rejects))
        self._stop.set()

    def _pause(self, note: str) -> None:
        self.progress.stopped_by = "paused"
        self.progress.note = note
        self._spool.apply(Event.TRIP_BREAKER, note)

    def _collect(self, seconds: float) -> None:
        """Records the reports of the workers, waiting up to `seconds` for the first one."""
        reports = self._workers.reports
        with suppress(queue.Empty):
            self._note_report(reports.get(timeout=seconds) if seconds else reports.get_nowait())
            while True:
                self._note_report(reports.get_nowait())

    def _note_report(self, report: Report) -> None:
        self._claims.note_report(report)
        self._intake.note(report)
        if report.ended:
            # Losing one connection does not stop the run; losing all does, and so does a defect.
            self._workers.alive -= 1
            if report.error is not None and (report.fatal or not self._workers.alive):
                self.error = report.error
                self._stop.set()

    def _write_down(self, *, now: bool = False) -> None:
        """Commits outcomes at least twice a second. Most are committed together with the next claim."""
        waited = time.monotonic() - self._settled_at
        many = len(self._claims.settled) >= 2 * self._intake.portion
        if now or many or waited > _SETTLE_SECONDS:
            self._claims.write_down()
            self._settled_at = time.monotonic()

    def _check_for_stop(self) -> None:
        """Checks whether a signal, or a command that pauses or cancels the campaign, ends this run."""
        if self._run.stop.is_set():
            self.progress.stopped_by = "signal"
            self._stop.set()
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < POLL_SECONDS:
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
        """Waits for parked, not for deferred deliveries. Returns False where none is due soon."""
        clock = self._run.clock
        due = self._spool.next_due(only=self._run.only)
        again = datetime.fromisoformat(due).timestamp() if due is not None else None
        if again is not None and again <= clock():
            return True
        parked_until = self._spool.next_pending_due() if self._intake.has_parked else None
        if parked_until is None:
            return False
        first = parked_until if again is None else min(parked_until, again)
        if first - clock() > MAX_WAIT_SECONDS:
            used_up = self._intake.limit_of_parked(parked_until)
            if used_up is not None:
                self._end_for(used_up)
            return False
        while not self._stop.is_set():
            if clock() >= first:
                return True
            self._run.stop.wait(min(0.1, max(0.001, first - clock())))
            self._check_for_stop()
            if self.journal_has_erased:
                self._empty_journal()
        return False

"""Implements the delivery loop. The caller's thread uses the spool; each connection has a worker thread."""

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
    are_too_many_refused,
    too_many_refusals_sentence,
)
from mailer.delivery.intake import (
    MAX_WAIT_SECONDS,
    POLL_SECONDS,
    DeliveryIntake,
    ExhaustedLimit,
    exhausted_limit_sentence,
)
from mailer.delivery.leavers import Leavers
from mailer.delivery.options import RunParameters
from mailer.delivery.progress import Progress
from mailer.delivery.record_refusals import RefusalRecorder
from mailer.delivery.run_claims import RunClaims
from mailer.delivery.workers.workers import WorkerReport, Workers, WorkerSupervision
from mailer.errors import CircuitBreakerError, TransportError
from mailer.spool.journal import Journal, read_journal
from mailer.spool.recover import settle_claims
from mailer.transports.base import OutcomeKind
from mailer.transports.refusal.watch import RefusalWatch, all_readers_refused_message

__all__ = ["GRACE_SECONDS", "DeliveryLoop"]

#: How long a stop waits for messages in flight (seconds).
GRACE_SECONDS = 5.0
_SETTLE_SECONDS = 0.5
_NAP_SECONDS = 0.02
#: A journal of this size (bytes) is emptied; it takes a few seconds to read. No message may be in flight
#: meanwhile, so it is done rarely.
_JOURNAL_BYTES = 64_000_000


class DeliveryLoop:
    """Runs one campaign: claims deliveries, gives them to the workers, records outcomes, and ends the run."""

    def __init__(self, run: RunParameters, journal: Journal, leavers: Leavers) -> None:
        connections = max(1, min(run.connections, run.transport.concurrency))
        batch = run.transport.batch_size
        self._run = run
        self._spool = run.spool
        self._journal, self._leavers = journal, leavers
        self._stop = threading.Event()
        self._watch = RefusalWatch(accepted_before=run.spool.transport_has_accepted_message())
        recipients = RecipientChecker(run.db, run.spool.campaign.edition)
        recorder = self._recorder = RefusalRecorder(run.db, run.spools, run.spool, run.source)
        self._claims = RunClaims(
            run.spool,
            recipients,
            run.backoff,
            self._watch,
            record_refusals=recorder.record_bounces,
            only_person=run.only_person,
        )
        self._watch.was_deferred = self._claims.was_deferred
        doubts, refusals = (max(number, 2 * batch) for number in (DOUBTS_IN_A_ROW, REFUSALS_IN_A_ROW))
        self._breaker = CircuitBreaker({OutcomeKind.UNCERTAIN: doubts, OutcomeKind.REJECTED: refusals})
        self._workers = Workers(
            run.transport,
            journal,
            WorkerSupervision(self._breaker, self._is_stopping, self._watch),
            connections,
            pool=run.pool,
            leavers=leavers.reasons_by_subscriber_id,
        )
        self._intake = DeliveryIntake(run, self._claims, recipients, self._workers, connections)
        self._used_up = "", ""
        #: The number of people erased in this run whose text is no longer in the journal.
        self._forgotten = 0
        self._started = self._settled_at = self._looked_at = time.monotonic()
        self.progress = Progress(self._claims.outcomes)
        self.error: TransportError | None = None

    def _is_stopping(self) -> bool:
        ended = self._stop.is_set() or self._run.stop.is_set()
        return ended or bool(self._breaker.sentence) or self._watch.must_stop

    @property
    def journal_has_text_about_erased_people(self) -> bool:
        """Returns whether the journal may have text about a person who was erased during the run."""
        return self._leavers.erased > self._forgotten

    def run(self) -> None:
        """Runs until nothing is left to send or something stops the run."""
        exhausted = False
        while not self._stop.is_set():
            if not exhausted and self._may_claim_deliveries():
                exhausted = not self._claim_deliveries()
            pause = self._intake.dispatch_ready_messages()
            self._collect_reports(pause if self._claims.open else 0.0)
            self._check_rate_limits()
            if self._claims.released:
                exhausted = False
            self._commit_outcomes()
            if self._run_must_end():
                return
            self._check_for_stop()
            if exhausted and not self._claims.open:
                self._commit_outcomes(at_once=True)
                if self.journal_has_text_about_erased_people:
                    self._empty_journal()
                if self._stop.is_set() or not self._wait_for_parked_delivery():
                    return
                exhausted = False

    def _run_must_end(self) -> bool:
        """Returns whether refusals or uncertain outcomes end the run. May pause the campaign."""
        if self._watch.must_stop:
            return True  # `finish` says why
        if self._breaker.sentence:
            self.error = CircuitBreakerError(self._breaker.sentence)
            return True
        if are_too_many_refused(self.progress.outcomes, self._run.rejects):
            self._pause_for_refusals()
            return True
        return False

    def finish(self) -> None:
        """Stops the workers, records their last reports, and settles every open claim."""
        self._stop.set()
        self._run.stop.set()
        self._intake.release_waiting_claims()
        self._workers.end_after_current_chunk()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._workers.alive and (left := deadline - time.monotonic()) > 0:
            self._collect_reports(min(left, 0.1))
        nothing = self._workers.forbid_hand_overs()
        self._journal.refuse_writes()
        self._collect_reports(0.0)
        self._claims.release_claims(nothing & self._claims.open)
        self._settle_held_refusals()
        self._commit_outcomes(at_once=True)
        if self._claims.open:
            self._settle_open_claims()
        if self._intake.is_paced:
            self._run.pacer.close()
        if self.progress.stopped_by == "pace":
            self.progress.note = exhausted_limit_sentence(self._spool, *self._used_up)
        self.progress.seconds = time.monotonic() - self._started

    def _settle_open_claims(self) -> None:
        """Settles the claims that are still open as the journal says: their outcome was not reported."""
        read, addresses = partial(read_journal, self._run.journal), partial(addresses_of, self._run.db)
        claims = sorted(self._claims.open)
        recovered = settle_claims(self._spool, read, addresses, self._recorder.record_bounces, claims=claims)
        for state, number in recovered.items():
            if state != State.PENDING:
                self.progress.outcomes[state] = self.progress.outcomes.get(state, 0) + number

    def _settle_held_refusals(self) -> None:
        """Records the refusals that were kept back, or discards them. May pause the campaign."""
        if not (everybody := self._watch.refusal_text_of_all_readers()):
            self._claims.confirm_held_refusals()
        else:
            self._claims.discard_held_refusals()
            server = str(getattr(self._run.transport, "server", ""))
            sentence = all_readers_refused_message(everybody, source=self._run.source, server=server)
            self.error = CircuitBreakerError(sentence)
        if self._watch.remedy and self.error is None:
            self._pause_campaign(self._watch.remedy)

    def _may_claim_deliveries(self) -> bool:
        if self._journal.size > _JOURNAL_BYTES or self.journal_has_text_about_erased_people:
            self._empty_journal()
            return False
        return self._intake.has_room_for_claims()

    def _empty_journal(self) -> None:
        """Empties a journal that is long or has text about an erased person, if no claim is open."""
        erased = self._leavers.erased
        if not self._claims.open:
            self._commit_outcomes(at_once=True)
            self._journal.clear()
            self._forgotten = erased

    def _claim_deliveries(self) -> bool:
        """Claims deliveries and commits known outcomes. Returns False if nothing is left to claim."""
        found = self._intake.claim_deliveries()
        self._settled_at = time.monotonic()
        if not self._claims.has_more:
            self._looked_at = 0.0  # the campaign may have been paused or cancelled
        return found

    def _check_rate_limits(self) -> None:
        """Ends the run if a rate limit is used up for long; sleeps briefly if nothing may be sent now."""
        if not self._intake.is_paced:
            return
        used_up = self._intake.check_rate_limits()
        if used_up is not None:
            self._end_run_at_limit(used_up)
        elif not self._claims.open and not self._stop.is_set():
            self._run.stop.wait(_NAP_SECONDS)

    def _end_run_at_limit(self, exhausted: ExhaustedLimit) -> None:
        """Ends the run because this limit is used up for longer than a run waits."""
        self.progress.stopped_by = "pace"
        self.progress.resumes_at = utc_text(datetime.fromtimestamp(exhausted.resumes_at, UTC))
        at = self._run.pacer.format_clock_time(exhausted.resumes_at, self._run.clock())
        self._used_up = exhausted.limit, at
        self._stop.set()

    def _pause_for_refusals(self) -> None:
        """Pauses the campaign, because each further message would cost the sender's reputation."""
        if not self._watch.refusal_text_of_all_readers():
            self._claims.confirm_held_refusals()
            self._commit_outcomes(at_once=True)
            sentence = too_many_refusals_sentence(self._spool, self.progress.outcomes, self._run.rejects)
            self._pause_campaign(sentence)
        self._stop.set()

    def _pause_campaign(self, note: str) -> None:
        self.progress.stopped_by = "paused"
        self.progress.note = note
        self._spool.apply_event(Event.TRIP_BREAKER, note)

    def _collect_reports(self, max_wait: float) -> None:
        """Records the reports of the workers, waiting up to `max_wait` seconds for the first report."""
        reports = self._workers.reports
        with suppress(queue.Empty):
            self._handle_report(reports.get(timeout=max_wait) if max_wait else reports.get_nowait())
            while True:
                self._handle_report(reports.get_nowait())

    def _handle_report(self, report: WorkerReport) -> None:
        self._claims.record_report(report)
        self._intake.refund_messages_not_handed_over(report)
        if report.ended:
            # Losing one connection does not stop the run; losing all does, and so does a defect.
            self._workers.alive -= 1
            if report.error is not None and (report.fatal or not self._workers.alive):
                self.error = report.error
                self._stop.set()

    def _commit_outcomes(self, *, at_once: bool = False) -> None:
        """Commits outcomes twice a second, or when many are known, or now if `at_once` is True."""
        waited = time.monotonic() - self._settled_at
        many = len(self._claims.settled) >= 2 * self._intake.portion
        if at_once or many or waited > _SETTLE_SECONDS:
            self._claims.commit_outcomes()
            self._settled_at = time.monotonic()

    def _check_for_stop(self) -> None:
        """Ends the run after a signal, or after a command that pauses or cancels the campaign."""
        if self._run.stop.is_set():
            self.progress.stopped_by = "signal"
            self._stop.set()
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < POLL_SECONDS:
            return
        self._looked_at = now
        self._leavers.raise_lasting_error()
        self.progress.seconds = now - self._started
        self._run.observe(self.progress)
        if (status := self._spool.status()) in ENDED:
            self.progress.stopped_by = status.value
            self._stop.set()

    def _wait_for_parked_delivery(self) -> bool:
        """Waits until a parked delivery is due. Returns False if no delivery is due soon."""
        clock = self._run.clock
        due = self._spool.next_deferred_due_time(only_person=self._run.only_person)
        again = datetime.fromisoformat(due).timestamp() if due is not None else None
        if again is not None and again <= clock():
            return True
        parked_until = self._spool.first_pending_due_time() if self._intake.has_parked_deliveries else None
        if parked_until is None:
            return False
        first = parked_until if again is None else min(parked_until, again)
        if first - clock() > MAX_WAIT_SECONDS:
            used_up = self._intake.exhausted_limit_of_parked_deliveries(parked_until)
            if used_up is not None:
                self._end_run_at_limit(used_up)
            return False
        while not self._stop.is_set():
            if clock() >= first:
                return True
            self._run.stop.wait(min(0.1, max(0.001, first - clock())))
            self._check_for_stop()
            if self.journal_has_text_about_erased_people:
                self._empty_journal()
        return False

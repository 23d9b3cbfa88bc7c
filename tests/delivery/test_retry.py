"""Deferred mail is tried again later each time, and a last time when its time is over."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.retry import USUAL, Backoff
from mailer.delivery.run_claims import RunClaims
from mailer.delivery.workers.workers import WorkerReport
from mailer.message.envelope import Person
from mailer.message.message import Message, MessageTemplate
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.watch import RefusalWatch

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def minutes_of_tries(backoff: Backoff) -> list[float]:
    """When a delivery that is always deferred is tried, in minutes since the first time."""
    moment, tries = START, [0.0]
    while (again := backoff.next_attempt_time(START, moment)) is not None:
        moment = again
        tries.append((moment - START).total_seconds() / 60)
    return tries


def test_the_waits_double_from_a_minute_to_four_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)
    assert minutes_of_tries(USUAL) == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 496, 736, 976, 1216, 1440]


def test_not_all_are_due_at_the_same_time() -> None:
    assert len({USUAL.next_attempt_time(START, START) for _ in range(20)}) > 10


def test_those_of_one_variation_are_due_together() -> None:
    assert USUAL.next_attempt_time(START, START, 0.75) == START + timedelta(seconds=45)
    assert USUAL.next_attempt_time(START, START, 1.25) == START + timedelta(seconds=75)


def test_a_first_wait_may_be_shorter_than_a_second() -> None:
    backoff = Backoff(first=0.5, longest=10.0)
    assert backoff.next_attempt_time(START, START, 1.0) == START + timedelta(seconds=0.5)


@given(
    waited=st.floats(0, 86_400 * 3),
    give_up=st.floats(1, 864_000),
    first=st.floats(0.1, 600),
    longest=st.floats(600, 86_400),
)
def test_a_next_attempt_is_later_never_too_late_and_never_after_the_end(
    waited: float, give_up: float, first: float, longest: float
) -> None:
    backoff = Backoff(first, longest, give_up)
    now = START + timedelta(seconds=waited)
    again = backoff.next_attempt_time(START, now)
    end = START + timedelta(seconds=give_up)
    if again is None:
        assert now >= end
        return
    assert now < again <= end
    assert again <= backoff.latest_attempt_time(now)


def test_a_clock_that_was_set_back_since_the_first_refusal_waits_for_a_minute_again() -> None:
    again = USUAL.next_attempt_time(START, START - 5 * HOUR)
    assert again is not None
    assert again <= START - 5 * HOUR + timedelta(seconds=76)


# -- people, not attempts -------------------------------------------------------------------


def claims_of(backoff: Backoff) -> RunClaims:
    """The claims of a run; the spool's part in it is elsewhere."""
    watch = RefusalWatch(accepted=True)
    return RunClaims(None, None, backoff, watch, record_refusals=print)  # type: ignore[arg-type]


def report(result: OutcomeKind, *, attempt: int) -> WorkerReport:
    message = Message(MessageTemplate.__new__(MessageTemplate), Person(1, "a@example.org"), attempt)
    return WorkerReport([(message, Outcome(result, reason="451 later", cause=Cause.MAILBOX))], [])


def test_a_person_counts_once_by_the_newest_outcome() -> None:
    book = claims_of(USUAL)
    for attempt in (1, 2, 3):
        book.record_report(report(OutcomeKind.DEFERRED, attempt=attempt))
        assert book.outcomes == {"deferred": 1}
    book.record_report(report(OutcomeKind.ACCEPTED, attempt=4))
    assert book.outcomes == {"deferred": 0, "accepted": 1}


def test_after_its_time_a_deferral_is_a_rejection_for_which_nobody_is_blamed() -> None:
    book = claims_of(Backoff(give_up=0.0))
    book.record_report(report(OutcomeKind.DEFERRED, attempt=1))
    ((_, _, outcome, due),) = book.settled
    assert (outcome.result, outcome.reason, outcome.cause, due) == (
        OutcomeKind.REJECTED,
        "451 later",
        Cause.THEM,
        "",
    )
    assert book.outcomes == {"rejected": 1}

"""When deliveries are due, whoever implements the spool."""

from __future__ import annotations

import pytest
from sqlite_utils import Database

from mailer.campaign.status import Event
from mailer.spool.base import Spool, Spools
from mailer.spool.open import spools_of
from mailer.spool.values import ParkedClaim, PlannedDelivery, SettledClaim
from tests.clock import Clock
from tests.spool.conformance import BUSY, EARLIER, LATER, OK, campaign, everybody, taken
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept
from tests.spooled import add_readers

NOW = "2026-11-21T12:00:00.000000Z"
SOON = "2026-11-21T13:00:00.000000Z"


@pytest.fixture(params=["sqlite", "memory"])
def spools(request: pytest.FixtureRequest, clock: Clock) -> Spools:
    """No campaign yet, people 1 to 9, and a clock that stands at NOW."""
    if request.param == "memory":
        return MemorySpools(Kept())
    db: Database = request.getfixturevalue("db")
    add_readers(db, 9)
    return spools_of(db)


def freeze(spools: Spools, *rows: PlannedDelivery, local_time: str = "") -> Spool:
    """A campaign that is being sent, beside another whose deliveries are all due or deferred."""
    other = spools.freeze(
        campaign("other", issue="o", issue_hash="o"), [PlannedDelivery(n, 0) for n in (1, 2)]
    )
    other.claim(1, everybody)
    other.settle([SettledClaim(1, 1, BUSY, EARLIER)])
    spool = spools.freeze(campaign(), rows)
    spool.set_due_time("", local_time)
    spool.apply_event(Event.BEGIN)
    return spools.open(spools.find("a"))


def deferred(spool: Spool, person: int, due: str, *, again: bool = False) -> None:
    """Lets the delivery be deferred until then; `again`: it was claimed once more, and given back."""
    (claim,) = spool.claim(1, everybody, only_person=person) or []
    spool.settle([SettledClaim(person, claim.attempt, BUSY, EARLIER if again else due)])
    if again:
        spool.claim(1, everybody, only_person=person)
        if due:
            spool.park([ParkedClaim(person, claim.attempt + 1, 4e9)])
        else:
            spool.settle([SettledClaim(person, claim.attempt + 1, BUSY, "")])
            spool.claim(1, everybody, only_person=person)
            spool.release([(person, claim.attempt + 2)])


def due(spool: Spool) -> list[tuple[str | None, bool]]:
    return [(one.due_at, one.held) for one in spool.list_deliveries()]


PARKED = "2096-10-02T07:06:40.000000Z"


@pytest.mark.parametrize(
    ("once", "again", "expected"),
    [
        ([], [], None),
        ([LATER], [], LATER),
        ([], [PARKED], PARKED),
        ([LATER], [PARKED], PARKED),
        ([SOON], [PARKED], SOON),
        ([""], [], NOW),
        ([], [""], NOW),
        ([LATER], [""], NOW),
        ([""], [PARKED], NOW),
        ([LATER, SOON], [], SOON),
    ],
)
def test_the_next_retry_is_the_earliest_of_whoever_was_deferred(
    spools: Spools, once: list[str], again: list[str], expected: str | None
) -> None:
    spool = freeze(spools, *(PlannedDelivery(n, 0) for n in range(1, 5)))
    for person, time in enumerate(once, 1):
        deferred(spool, person, time)
    for person, time in enumerate(again, len(once) + 1):
        deferred(spool, person, time, again=True)
    assert spool.next_retry_time() == expected
    assert spool.next_deferred_due_time() == (min(once) or NOW if once else None)
    for person, time in enumerate(once, 1):
        assert spool.next_deferred_due_time(only_person=person) == (time or NOW)
    assert spool.next_deferred_due_time(only_person=4) is None


def test_who_was_deferred_has_not_missed_the_time_and_was_tried(spools: Spools) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0), PlannedDelivery(2, 0), PlannedDelivery(3, 0, EARLIER))
    deferred(spool, 1, "", again=True)
    assert spool.count_never_tried_deliveries() == 2
    assert spool.hold_missed_deliveries(NOW) == 2
    assert due(spool) == [(None, False), (None, True), (None, True)]
    assert (spool.count_held_deliveries(), spool.count_never_tried_deliveries()) == (2, 0)
    assert spool.hold_missed_deliveries(LATER) == 0


def test_a_time_is_missed_only_before_it(spools: Spools) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0, SOON))
    assert spool.hold_missed_deliveries(SOON) == 0
    assert spool.hold_missed_deliveries(LATER) == 1


def test_what_is_held_with_a_time_of_its_own_keeps_both(spools: Spools) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0, LATER, held=True), PlannedDelivery(2, 0, EARLIER, held=True))
    spool.make_parked_deliveries_due()
    assert spool.hold_missed_deliveries(LATER) == 0
    assert due(spool) == [(LATER, True), (EARLIER, True)]
    assert (spool.first_pending_due_time(), spool.claim(9, everybody)) == (None, None)
    assert spool.count_overdue_deliveries(NOW) == 2
    spool.release_held_deliveries()
    assert due(spool) == [(None, False), (None, False)]


def test_what_waits_is_sent_now(spools: Spools) -> None:
    rows = [PlannedDelivery(1, 0, LATER), PlannedDelivery(2, 0, SOON, held=True), PlannedDelivery(3, 0)]
    spool = freeze(spools, *rows)
    spool.release_waiting_deliveries(include_scheduled=False)
    assert due(spool) == [(LATER, False), (None, False), (None, False)]
    spool.release_waiting_deliveries(include_scheduled=True)
    assert due(spool) == [(None, False)] * 3


@pytest.mark.parametrize("local_time", ["", "08:00"])
def test_the_next_time_of_readers_is_that_of_pending_deliveries(spools: Spools, local_time: str) -> None:
    rows = [
        PlannedDelivery(1, 0, EARLIER),
        PlannedDelivery(2, 0, EARLIER, held=True),
        PlannedDelivery(3, 0, LATER),
        PlannedDelivery(4, 0, SOON),
        PlannedDelivery(5, 0),
    ]
    spool = freeze(spools, *rows, local_time=local_time)
    assert spool.next_scheduled_time() == (EARLIER if local_time else None)
    assert taken(spool.claim(9, everybody)) == [(5, 1), (1, 1)]
    spool.settle([SettledClaim(1, 1, BUSY, EARLIER), SettledClaim(5, 1, OK)])
    assert spool.next_scheduled_time() == (SOON if local_time else None)
    assert spool.first_pending_due_time() == 1795266000.0
    spool.make_parked_deliveries_due()
    assert spool.next_scheduled_time() == (SOON if local_time else None)
    assert spool.first_pending_due_time() == (1795266000.0 if local_time else 0.0)


def test_what_was_adopted_as_deferred_has_no_first_refusal_that_is_too_old(spools: Spools) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0))
    spool.adopt_lost_outcomes([SettledClaim(1, 1, BUSY)])
    assert spool.reject_expired_deliveries(LATER) == 0
    assert spool.next_retry_time() == NOW


def test_what_is_given_up_is_no_longer_due(spools: Spools, clock: Clock) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0), PlannedDelivery(2, 0))
    deferred(spool, 1, LATER)
    clock.forward(hours=1)
    deferred(spool, 2, LATER)
    assert spool.reject_expired_deliveries(NOW) == 0
    assert spool.reject_expired_deliveries(SOON) == 1
    first, second = spool.list_deliveries()
    assert (first.state, first.cause, first.reason, first.at, first.due_at) == (
        "rejected", "them", BUSY.reason, SOON, None,
    )  # fmt: skip
    assert (second.state, second.due_at) == ("deferred", LATER)
    assert spool.next_deferred_due_time(only_person=1) is None


def test_the_last_sign_of_a_run(spools: Spools, clock: Clock) -> None:
    spool = freeze(spools, PlannedDelivery(1, 0), PlannedDelivery(2, 0))
    assert spool.last_activity_time() == ""
    spool.claim(1, everybody)
    assert spool.last_activity_time() == NOW
    clock.forward(hours=1)
    spool.settle([SettledClaim(1, 1, OK)])
    assert spool.last_activity_time() == SOON
    clock.forward(hours=1)
    spool.claim(1, everybody)
    assert spool.last_activity_time() == "2026-11-21T14:00:00.000000Z"


def test_a_campaign_to_nobody_has_no_times(spools: Spools) -> None:
    spool = freeze(spools, local_time="08:00")
    assert spool.last_activity_time() == ""
    assert (spool.first_pending_due_time(), spool.next_deferred_due_time()) == (None, None)
    assert (spool.next_retry_time(), spool.next_scheduled_time()) == (None, None)


def test_what_was_given_back_to_come_last_comes_last_in_the_next_run_too(spools: Spools) -> None:
    spool = freeze(spools, *(PlannedDelivery(n, 0) for n in (1, 2, 3)))
    spool.claim(9, everybody)
    spool.release([(1, 1)], lowest_priority=True)
    spool.release([(2, 1), (3, 1)])
    spool.make_parked_deliveries_due()
    assert taken(spool.claim(9, everybody)) == [(2, 2), (3, 2), (1, 2)]

"""What every implementation of the spool does to a delivery in each state, and to no other campaign.

Beside the campaign that a test changes there is another one, of another issue, with the same people in the
same states: nothing that is done to the one may be seen in the other.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailer.campaign.canary import make_canary
from mailer.campaign.status import Event
from mailer.spool.base import Spool, Spools
from mailer.spool.values import ListedDelivery, ParkedClaim, PlannedDelivery, RefusedClaim, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from tests.clock import Clock
from tests.spool.conformance import BUSY, EARLIER, FULL, LATER, LOST, NO, OK, campaign, everybody, taken

PLANNED, CLAIMED, SETTLED = "2026-11-21T08:00", "2026-11-21T08:10", "2026-11-21T08:20"
NOW = "2026-11-21T09:00"

#: The people of both campaigns, by the state of their delivery.
AT_ONCE, TIMED, HELD, OPEN, ACCEPTED, REJECTED, DEFERRED, UNCERTAIN, SKIPPED = range(1, 10)
START = {
    AT_ONCE: "pending", TIMED: "pending", HELD: "pending held", OPEN: "sending", ACCEPTED: "accepted",
    REJECTED: "rejected", DEFERRED: "deferred", UNCERTAIN: "uncertain", SKIPPED: "skipped",
}  # fmt: skip
#: Each of them is claim 1, but for those who were never claimed.
KEYS = [(person, 1) for person in START]


def text(minutes: str) -> str:
    """The time as the spool stores it."""
    return f"{minutes}:00.000000Z"


def in_every_state(spools: Spools, slug: str, *, transport: str = "smtp://mx.example.org") -> Spool:
    """A campaign, being sent by the run `one`, with a person for each state. The clock then stands at NOW."""
    clock = Clock(PLANNED)
    spool = spools.freeze(
        campaign(slug, issue=slug, issue_hash=slug, transport=transport),
        [
            PlannedDelivery(AT_ONCE, 0),
            PlannedDelivery(TIMED, 1, LATER),
            PlannedDelivery(HELD, 0, held=True),
            *(PlannedDelivery(person, 0) for person in range(OPEN, SKIPPED)),
            PlannedDelivery(SKIPPED, 0, reason="unsubscribed"),
        ],
    )
    spool.apply_event(Event.BEGIN)
    spool = spools.open(spools.find(slug), owner="one")
    clock.set(CLAIMED)
    spool.claim(9, everybody)
    spool.release([(AT_ONCE, 1)])
    clock.set(SETTLED)
    spool.settle(
        [
            SettledClaim(ACCEPTED, 1, OK),
            SettledClaim(REJECTED, 1, FULL),
            SettledClaim(DEFERRED, 1, BUSY, LATER),
            SettledClaim(UNCERTAIN, 1, LOST),
        ]
    )
    clock.set(NOW)
    assert shown(spool) == START
    return spool


def shown(spool: Spool) -> dict[int, str]:
    """The state of each delivery, and whether it is held."""
    return {one.person: f"{one.state}{' held' * one.held}" for one in spool.list_deliveries()}


def listed(spool: Spool, person: int) -> ListedDelivery:
    """One delivery."""
    (found,) = spool.list_deliveries(only_person=person)
    return found


def changed(spool: Spool) -> dict[int, str]:
    """The states that are others than at the start."""
    return {person: state for person, state in shown(spool).items() if state != START[person]}


def due(spool: Spool) -> dict[int, str]:
    """The due times that there are."""
    return {one.person: one.due_at for one in spool.list_deliveries() if one.due_at is not None}


BOTH = {TIMED: LATER, DEFERRED: LATER}
ANEW = Outcome(OutcomeKind.REJECTED, "id-2", "550 5.1.1 unknown", NO.cause)
EVERYBODY_SETTLED = [SettledClaim(person, 1, ANEW) for person in START]
RUN_TWO = [SettledClaim(person, 2, ANEW) for person in START]

Change = tuple[Callable[[Spool], object], dict[int, str], dict[int, str]]
#: What each operation changes: the states that are others afterwards, and all due times.
CHANGES: dict[str, Change] = {
    "claim": (lambda s: s.claim(9, everybody), {AT_ONCE: "sending"}, BOTH),
    "claim of one": (lambda s: s.claim(9, everybody, only_person=AT_ONCE), {AT_ONCE: "sending"}, BOTH),
    "claim of one who waits": (lambda s: s.claim(9, everybody, only_person=TIMED), {}, BOTH),
    "claim of one who is held": (lambda s: s.claim(9, everybody, only_person=HELD), {}, BOTH),
    "claim and skip": (
        lambda s: s.claim(9, lambda people: dict.fromkeys(people, "erased")), {AT_ONCE: "skipped"}, BOTH,
    ),
    "settle": (lambda s: s.settle(EVERYBODY_SETTLED), {OPEN: "rejected"}, BOTH),
    "settle alike": (lambda s: s.settle(EVERYBODY_SETTLED * 16), {OPEN: "rejected"}, BOTH),
    "settle the next attempt": (lambda s: s.settle(RUN_TWO), {}, BOTH),
    "settle the next attempt alike": (lambda s: s.settle(RUN_TWO * 16), {}, BOTH),
    "settle as deferred": (
        lambda s: s.settle([SettledClaim(person, 1, BUSY, EARLIER) for person in START]),
        {OPEN: "deferred"}, {**BOTH, OPEN: EARLIER},
    ),
    "settle one": (lambda s: s.settle([SettledClaim(OPEN, 1, OK)]), {OPEN: "accepted"}, BOTH),
    "release": (lambda s: s.release(KEYS), {OPEN: "pending"}, BOTH),
    "release the next attempt": (lambda s: s.release([(person, 2) for person in START]), {}, BOTH),
    "release to the end": (
        lambda s: s.release(KEYS, lowest_priority=True), {OPEN: "pending"}, {**BOTH, OPEN: text(NOW)},
    ),
    "park": (
        lambda s: s.park([ParkedClaim(person, 1, 4e9) for person in START]),
        {OPEN: "pending"}, {**BOTH, OPEN: "2096-10-02T07:06:40.000000Z"},
    ),
    "park the next attempt": (lambda s: s.park([ParkedClaim(person, 2, 4e9) for person in START]), {}, BOTH),
    "clear causes": (lambda s: s.clear_refusal_causes([(REJECTED, 1)]), {}, BOTH),
    "take over": (lambda s: s.take_over_claims(), {}, BOTH),
    "adopt the same attempt": (
        lambda s: s.adopt_lost_outcomes(EVERYBODY_SETTLED),
        {TIMED: "rejected", HELD: "rejected", SKIPPED: "rejected"}, {DEFERRED: LATER},
    ),
    "adopt the next attempt": (
        lambda s: s.adopt_lost_outcomes([SettledClaim(person, 2, LOST) for person in START]),
        dict.fromkeys((AT_ONCE, TIMED, HELD, OPEN, REJECTED, DEFERRED, SKIPPED), "uncertain"), {},
    ),
    "adopt of one": (
        lambda s: s.adopt_lost_outcomes([SettledClaim(DEFERRED, 2, OK)]),
        {DEFERRED: "accepted"}, {TIMED: LATER},
    ),
    "adopt of one who has it": (
        lambda s: s.adopt_lost_outcomes([SettledClaim(ACCEPTED, 2, LOST)]), {}, BOTH,
    ),
    "make parked due": (lambda s: s.make_parked_deliveries_due(), {}, {DEFERRED: LATER}),
    "hold missed": (
        lambda s: s.hold_missed_deliveries(LATER), {AT_ONCE: "pending held"}, BOTH,
    ),
    "hold missed later": (
        lambda s: s.hold_missed_deliveries("2999-01-01T00:00:00.000001Z"),
        {AT_ONCE: "pending held", TIMED: "pending held"}, {DEFERRED: LATER},
    ),
    "release waiting": (
        lambda s: s.release_waiting_deliveries(include_scheduled=False), {HELD: "pending"}, BOTH,
    ),
    "release waiting and scheduled": (
        lambda s: s.release_waiting_deliveries(include_scheduled=True), {HELD: "pending"}, {DEFERRED: LATER},
    ),
    "release held": (lambda s: s.release_held_deliveries(), {HELD: "pending"}, BOTH),
    "make deferred due": (lambda s: s.make_deferred_deliveries_due(), {}, {TIMED: LATER}),
    "make deferred due after": (
        lambda s: s.make_deferred_deliveries_due(due_after=EARLIER), {}, {TIMED: LATER},
    ),
    "make deferred due after that": (
        lambda s: s.make_deferred_deliveries_due(due_after=LATER), {}, BOTH,
    ),
    "reject expired": (lambda s: s.reject_expired_deliveries(LATER), {DEFERRED: "rejected"}, {TIMED: LATER}),
    "reject expired before": (lambda s: s.reject_expired_deliveries(text(SETTLED)), {}, BOTH),
    "resolve to send": (
        lambda s: s.resolve_uncertain_deliveries(resend=True), {UNCERTAIN: "pending"}, BOTH,
    ),
    "resolve as sent": (
        lambda s: s.resolve_uncertain_deliveries(resend=False), {UNCERTAIN: "accepted"}, BOTH,
    ),
    "resolve another": (
        lambda s: s.resolve_uncertain_deliveries(resend=True, only_person=OPEN), {}, BOTH,
    ),
    "retry": (
        lambda s: s.retry_refused_deliveries(lambda _: set()),
        {REJECTED: "pending", DEFERRED: "pending"}, {TIMED: LATER},
    ),
    "retry of one": (
        lambda s: s.retry_refused_deliveries(lambda _: set(), only_person=REJECTED),
        {REJECTED: "pending"}, BOTH,
    ),
    "retry but for one": (
        lambda s: s.retry_refused_deliveries(lambda _: {REJECTED, DEFERRED}),
        {DEFERRED: "pending"}, {TIMED: LATER},
    ),
    "reopen copies": (lambda s: s.reopen_folder_copies(), {SKIPPED: "pending"}, BOTH),
    "doubt": (
        lambda s: s.make_unaccepted_deliveries_uncertain(),
        dict.fromkeys((AT_ONCE, TIMED, HELD, OPEN, REJECTED, DEFERRED), "uncertain"), {},
    ),
    "pause": (lambda s: s.apply_event(Event.PAUSE, "why"), {}, BOTH),
    "cancel": (lambda s: s.apply_event(Event.CANCEL, "why"), {}, BOTH),
    "set the due time": (lambda s: s.set_due_time(EARLIER, "08:00"), {}, BOTH),
    "set the resume time": (lambda s: s.set_resume_time(EARLIER), {}, BOTH),
    "set the canary": (lambda s: s.set_canary(make_canary(0.5, 60.0, 3)), {}, BOTH),
    "set the transport": (lambda s: s.set_transport("smtp://other.example.org"), {}, BOTH),
    "record an accepted message": (lambda s: s.record_accepted_message(), {}, BOTH),
}  # fmt: skip


def read(spool: Spool) -> dict[str, object]:
    """What the spool says about a campaign."""
    people = list(START)
    return {
        "listed": list(spool.list_deliveries()),
        "ids": list(spool.subscriber_ids()),
        "counts": spool.delivery_counts_by_state(),
        "campaign": spool.current_campaign(),
        "status": spool.status(),
        "accepted": spool.transport_has_accepted_message(),
        "open": spool.has_open_claims(),
        "claimed": [spool.delivery_is_claimed(person) for person in people],
        "unknown": [spool.count_unknown_claims([(person, n)]) for person in people for n in (1, 2)],
        "first": spool.first_pending_due_time(),
        "deferred": spool.next_deferred_due_time(),
        "deferred of one": [spool.next_deferred_due_time(only_person=person) for person in people],
        "retry": spool.next_retry_time(),
        "scheduled": spool.next_scheduled_time(),
        "activity": spool.last_activity_time(),
        "copies": spool.count_folder_copies(),
        "nobody": [spool.reached_nobody(including_folder_copies=copies) for copies in (True, False)],
        "never tried": spool.count_never_tried_deliveries(),
        "overdue": [spool.count_overdue_deliveries(moment) for moment in (EARLIER, text(NOW), LATER)],
        "held": spool.count_held_deliveries(),
        "reasons": spool.non_delivery_reasons(),
        "commonest": spool.commonest_refusal_text(),
        "times": spool.acceptance_times(people),
    }


class EveryState:
    """The suite. A subclass gives the fixture `spools`: no campaign yet, and people 1 to 9."""

    @pytest.mark.parametrize("name", CHANGES)
    def test_an_operation_changes_these_states_of_its_own_campaign_alone(
        self, spools: Spools, name: str
    ) -> None:
        before, spool, after = (in_every_state(spools, slug) for slug in "abc")
        known = [read(other) for other in (before, after)]
        operation, states, times = CHANGES[name]
        operation(spool)
        assert changed(spool) == states
        assert due(spool) == times
        assert [read(other) for other in (before, after)] == known
        for other in (before, after):  # and it still owns its claim
            other.settle([SettledClaim(OPEN, 1, OK)])
            assert changed(other) == {OPEN: "accepted"}

    def test_nothing_is_read_of_another_campaign(self, spools: Spools) -> None:
        one = [PlannedDelivery(AT_ONCE, 0)]
        for slug in ("before", "after"):
            spools.freeze(campaign(slug, issue=slug, issue_hash=slug), one)
            in_every_state(spools, f"every {slug}")
        spool = spools.open(spools.find("after"))
        row = listed(spool, AT_ONCE)
        assert (row.state, row.attempts, row.at, row.due_at, row.held) == ("pending", 0, None, None, False)
        found = read(spool)
        counts = found.pop("counts")
        assert isinstance(counts, dict)
        assert {state: number for state, number in counts.items() if number} == {"pending": 1}
        assert found == {
            "listed": [row], "ids": [1], "campaign": spools.find("after"), "status": "ready",
            "accepted": False, "open": False, "claimed": [False] * 9, "unknown": [1] * 18, "first": 0.0,
            "deferred": None, "deferred of one": [None] * 9, "retry": None, "scheduled": None, "activity": "",
            "copies": 0, "nobody": [True, True], "never tried": 1, "overdue": [1, 1, 1], "held": 0,
            "reasons": (), "commonest": "", "times": {},
        }  # fmt: skip

    def test_each_state_is_read_as_it_is(self, spools: Spools) -> None:
        spool = in_every_state(spools, "a")
        found = read(spool)
        for name in ("listed", "campaign", "reasons"):
            del found[name]
        assert found == {
            "ids": list(START),
            "counts": {"pending": 3, **dict.fromkeys(
                ("sending", "accepted", "rejected", "deferred", "uncertain", "skipped"), 1)},
            "status": "sending", "accepted": False, "open": True,
            "claimed": [person == OPEN for person in START],
            "unknown": [
                number for person in START
                for number in (int(person in (TIMED, HELD, SKIPPED)), 1)
            ],
            "first": 0.0, "deferred": LATER,
            "deferred of one": [LATER if person == DEFERRED else None for person in START],
            "retry": LATER, "scheduled": None, "activity": text(SETTLED), "copies": 0,
            "nobody": [False, False], "never tried": 2, "overdue": [2, 2, 3], "held": 1,
            "commonest": FULL.reason, "times": {ACCEPTED: text(SETTLED)},
        }  # fmt: skip
        assert [(one.person, one.state, one.cause, one.reason, one.attempts, one.at, one.due_at, one.held,
                 one.provider_id, one.in_folder) for one in spool.list_deliveries()] == [
            (AT_ONCE, "pending", "", "", 1, None, None, False, "", False),
            (TIMED, "pending", "", "", 0, None, LATER, False, "", False),
            (HELD, "pending", "", "", 0, None, None, True, "", False),
            (OPEN, "sending", "", "", 1, text(CLAIMED), None, False, "", False),
            (ACCEPTED, "accepted", "", "", 1, text(SETTLED), None, False, OK.provider_id, False),
            (REJECTED, "rejected", "mailbox", FULL.reason, 1, text(SETTLED), None, False, "", False),
            (DEFERRED, "deferred", "them", BUSY.reason, 1, text(SETTLED), LATER, False, "", False),
            (UNCERTAIN, "uncertain", "", LOST.reason, 1, text(SETTLED), None, False, "", False),
            (SKIPPED, "skipped", "", "unsubscribed", 0, text(PLANNED), None, False, "", False),
        ]  # fmt: skip
        assert [
            (one.state, one.cause, one.number, [words.text for words in one.words])
            for one in spool.non_delivery_reasons()
        ] == [
            ("deferred", "them", 1, [BUSY.reason]), ("rejected", "mailbox", 1, [FULL.reason]),
            ("skipped", "", 1, ["unsubscribed"]), ("uncertain", "", 1, [LOST.reason]),
        ]  # fmt: skip
        assert [one.person for one in spool.list_deliveries(state="pending")] == [AT_ONCE, TIMED, HELD]
        assert list(spool.list_deliveries(state="pending", only_person=OPEN)) == []
        assert spool.acceptance_times([OPEN, REJECTED]) == {}

    # -- what is stored beside the state

    def test_a_claim_forgets_the_refusal_before(self, spools: Spools) -> None:
        spool = in_every_state(spools, "a")
        spool.make_deferred_deliveries_due()
        claims = sorted(spool.claim(9, everybody) or [])
        assert taken(claims) == [(AT_ONCE, 2), (DEFERRED, 2)]
        assert [(one.variant, one.deferred_since) for one in claims] == [(0, ""), (0, text(SETTLED))]
        row = listed(spool, DEFERRED)
        assert (row.cause, row.reason, row.attempts, row.at) == ("", "", 2, text(NOW))

    def test_a_skipped_delivery_says_why_and_when_and_blames_nobody(self, spools: Spools) -> None:
        spool = in_every_state(spools, "a")
        spool.make_deferred_deliveries_due()
        spool.claim(9, lambda people: {DEFERRED: "unsubscribed"})
        row = listed(spool, DEFERRED)
        assert (row.state, row.cause, row.reason, row.attempts, row.at) == (
            "skipped", "", "unsubscribed", 1, text(NOW),
        )  # fmt: skip
        assert changed(spool) == {AT_ONCE: "sending", DEFERRED: "skipped"}

    @pytest.mark.parametrize("times", [1, 16])
    @pytest.mark.parametrize(
        ("outcome", "given_due", "stored", "since"),
        [
            (OK, "", ("accepted", "", "", "250 ok", None), None),
            (NO, "", ("rejected", "address", NO.reason, "", None), ""),
            (BUSY, LATER, ("deferred", "them", BUSY.reason, "", LATER), text(NOW)),
            (BUSY, "", ("deferred", "them", BUSY.reason, "", None), text(NOW)),
            (LOST, "", ("uncertain", "", LOST.reason, "", None), ""),
        ],
    )
    def test_an_outcome_is_stored_whole(
        self,
        spools: Spools,
        times: int,
        outcome: Outcome,
        given_due: str,
        stored: tuple[str, str, str, str, str | None],
        since: str | None,
    ) -> None:
        spool = in_every_state(spools, "a")
        refused = spool.settle([SettledClaim(OPEN, 1, outcome, given_due)] * times)
        told = [RefusedClaim(OPEN, 1, outcome, text(CLAIMED), text(NOW))]
        assert refused == (told if outcome.cause else [])
        row = listed(spool, OPEN)
        assert (row.state, row.cause, row.reason, row.provider_id, row.due_at) == stored
        assert (row.attempts, row.at, row.held, row.in_folder) == (1, text(NOW), False, False)
        if since is not None:  # what is accepted is never claimed again
            assert deferred_since(spool, OPEN) == since

    @pytest.mark.parametrize("times", [1, 16])
    @pytest.mark.parametrize("outcome", [BUSY, LOST])
    def test_a_later_outcome_keeps_the_time_of_the_first_refusal(
        self, spools: Spools, times: int, outcome: Outcome
    ) -> None:
        spool = in_every_state(spools, "a")
        spool.make_deferred_deliveries_due()
        assert spool.claim(9, everybody, only_person=DEFERRED)
        spool.settle([SettledClaim(DEFERRED, 2, outcome, "")] * times)
        assert deferred_since(spool, DEFERRED) == text(SETTLED)

    @pytest.mark.parametrize("times", [1, 16])
    def test_only_the_owner_settles(self, spools: Spools, times: int) -> None:
        spool = in_every_state(spools, "a")
        dead = spools.open(spool.campaign, owner="two")
        assert dead.settle([SettledClaim(OPEN, 1, NO)] * times) == []
        dead.release([(OPEN, 1)])
        dead.park([ParkedClaim(OPEN, 1, 4e9)])
        assert changed(spool) == {}
        assert dead.take_over_claims() == [(OPEN, 1)]
        assert spool.settle([SettledClaim(OPEN, 1, NO)] * times) == []
        assert changed(spool) == {}
        assert len(dead.settle([SettledClaim(OPEN, 1, NO)] * times)) == 1
        assert changed(spool) == {OPEN: "rejected"}

    def test_the_cause_is_cleared_of_this_refusal_alone(self, spools: Spools) -> None:
        spool = in_every_state(spools, "a")
        spool.clear_refusal_causes([(DEFERRED, 2), (ACCEPTED, 1)])
        assert [listed(spool, person).cause for person in (REJECTED, DEFERRED)] == ["mailbox", "them"]
        spool.clear_refusal_causes([(DEFERRED, 1)])
        assert [listed(spool, person).cause for person in (REJECTED, DEFERRED)] == ["mailbox", ""]

    def test_an_adopted_outcome_is_stored_as_a_settled_one(self, spools: Spools) -> None:
        spool = in_every_state(spools, "a")
        ok = Outcome(OutcomeKind.ACCEPTED, "id", "250 ok")
        spool.adopt_lost_outcomes([SettledClaim(HELD, 3, ok), SettledClaim(TIMED, 1, LOST)])
        rows = [listed(spool, person) for person in (TIMED, HELD)]
        assert [(one.state, one.attempts, one.provider_id, one.reason, one.at, one.due_at, one.held)
                for one in rows] == [
            ("uncertain", 1, "", LOST.reason, text(NOW), None, False),
            ("accepted", 3, "id", "250 ok", text(NOW), None, False),
        ]  # fmt: skip


def deferred_since(spool: Spool, person: int) -> str:
    """The time of the first refusal, which the next claim tells."""
    spool.make_unaccepted_deliveries_uncertain()
    spool.adopt_lost_outcomes([SettledClaim(person, 8, LOST)])
    assert spool.resolve_uncertain_deliveries(resend=True, only_person=person) == 1
    (claim,) = spool.claim(1, everybody, only_person=person) or []
    return claim.deferred_since

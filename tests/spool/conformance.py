"""What every implementation of the spool must do, by subject.

An implementation runs all of it with one class:

    class TestMine(Conformance):
        def spools(self, ...) -> Spools: ...

The people of a campaign are numbers; nobody asks who they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailer.campaign.campaign import NewCampaign
from mailer.campaign.canary import make_canary
from mailer.campaign.status import Event, Status, source_statuses, target_status
from mailer.errors import CampaignError
from mailer.spool.base import Spool, Spools
from mailer.spool.values import ClaimedDelivery, ParkedClaim, PlannedDelivery, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.campaign.stored import PLANNED

LATER = "2999-01-01T00:00:00.000000Z"
EARLIER = "2000-01-01T00:00:00.000000Z"
OK = Outcome(OutcomeKind.ACCEPTED, "250 ok")
NO = Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user", Cause.ADDRESS)
FULL = Outcome(OutcomeKind.REJECTED, "", "552 5.2.2 over quota", Cause.MAILBOX)
BUSY = Outcome(OutcomeKind.DEFERRED, "", "451 later", Cause.THEM)
LOST = Outcome(OutcomeKind.UNCERTAIN, "", "the connection was lost")


def everybody(people: Sequence[int]) -> dict[int, str]:
    """Nobody has a reason not to be written to."""
    return {}


def campaign(slug: str = "a", **other: object) -> NewCampaign:
    """A campaign by SMTP."""
    values = {"slug": slug, "plan": {"recipients": 3}, "transport": "smtp://mx.example.org"}
    return NewCampaign(**{**PLANNED, **values, **other})


def states(spool: Spool) -> dict[str, int]:
    """The states there are."""
    return {state: number for state, number in spool.delivery_counts_by_state().items() if number}


def taken(claims: list[ClaimedDelivery] | None) -> list[tuple[int, int]]:
    """(person, attempt) of what was claimed."""
    return [(claim.person, claim.attempt) for claim in claims or ()]


class Conformance:
    """The suite. A subclass gives the fixture `spools`: no campaign yet, and people 1 to 9."""

    @pytest.fixture
    def spool(self, spools: Spools) -> Spool:
        """A campaign of three people that is being sent by the run `one`."""
        made = spools.freeze(campaign(), [PlannedDelivery(person, 0) for person in (1, 2, 3)])
        made.apply_event(Event.BEGIN)
        return spools.open(spools.find("a"), owner="one")

    # -- freeze

    def test_freeze_writes_what_was_planned(self, spools: Spools) -> None:
        rows = [
            PlannedDelivery(1, 0),
            PlannedDelivery(2, 3, LATER),
            PlannedDelivery(3, 0, held=True),
            PlannedDelivery(4, 0, reason="unsubscribed"),
        ]
        spool = spools.freeze(campaign(), iter(rows))
        assert spool.campaign.status is Status.READY
        assert spool.campaign.plan == {"recipients": 3}
        assert states(spool) == {"pending": 3, "skipped": 1}
        assert [(one.person, one.due_at, one.held) for one in spool.list_deliveries(state="pending")] == [
            (1, None, False), (2, LATER, False), (3, None, True),
        ]  # fmt: skip
        assert list(spool.subscriber_ids()) == [1, 2, 3, 4]
        assert [found.slug for found in spools.campaigns()] == ["a"]
        assert spools.slugs_by_id() == {spool.campaign.id: "a"}

    def test_freeze_makes_no_second_campaign_of_a_name(self, spools: Spools) -> None:
        spools.freeze(campaign(), [PlannedDelivery(1, 0)])
        with pytest.raises(CampaignError, match="there is no campaign"):
            spools.find("b")

    # -- claim

    def test_claim_takes_each_delivery_once(self, spool: Spool) -> None:
        assert taken(spool.claim(2, everybody)) == [(1, 1), (2, 1)]
        assert taken(spool.claim(9, everybody)) == [(3, 1)]
        assert spool.claim(9, everybody) is None
        assert states(spool) == {"sending": 3}
        assert spool.has_open_claims()
        assert spool.delivery_is_claimed(1)

    def test_claim_skips_whoever_may_not_be_written_to(self, spool: Spool) -> None:
        asked: list[int] = []

        def find_excluded(people: Sequence[int]) -> dict[int, str]:
            asked.extend(people)
            return {1: "unsubscribed", 3: "erased"}

        assert taken(spool.claim(9, find_excluded)) == [(2, 1)]
        assert asked == [1, 2, 3]
        assert states(spool) == {"sending": 1, "skipped": 2}
        texts = {(reason.state, text) for reason in spool.non_delivery_reasons() for text, *_ in reason.words}
        assert texts == {("skipped", "unsubscribed"), ("skipped", "erased")}

    def test_claim_of_the_skipped_alone_is_empty_and_not_the_end(self, spool: Spool) -> None:
        assert spool.claim(2, lambda people: dict.fromkeys(people, "unsubscribed")) == []
        assert taken(spool.claim(2, everybody)) == [(3, 1)]

    def test_claim_of_one_person(self, spool: Spool) -> None:
        assert taken(spool.claim(9, everybody, only_person=2)) == [(2, 1)]
        assert spool.claim(9, everybody, only_person=2) is None

    def test_claim_waits_for_the_time_and_for_a_decision(self, spools: Spools) -> None:
        rows = [
            PlannedDelivery(1, 0, LATER),
            PlannedDelivery(2, 0, held=True),
            PlannedDelivery(3, 0, EARLIER),
            PlannedDelivery(4, 0),
        ]
        spool = spools.freeze(campaign(), rows)
        assert taken(spool.claim(9, everybody)) == [(4, 1), (3, 1)]
        assert spool.claim(9, everybody) is None
        assert (spool.count_held_deliveries(), spool.count_never_tried_deliveries()) == (1, 1)
        spool.release_held_deliveries()
        assert taken(spool.claim(9, everybody)) == [(2, 1)]

    @pytest.mark.parametrize(("limit", "expected"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4)])
    def test_claim_takes_no_more_than_it_may(self, spools: Spools, limit: int, expected: int) -> None:
        times = [EARLIER, None, EARLIER, None]
        spool = spools.freeze(campaign(), [PlannedDelivery(n, 0, due) for n, due in enumerate(times, 1)])
        people = [person for person, _ in taken(spool.claim(limit, everybody))]
        assert len(people) == expected
        assert people[:2] == [2, 4][:limit]

    @pytest.mark.parametrize("event", [Event.PAUSE, Event.CANCEL])
    def test_claim_takes_nobody_of_a_campaign_that_was_ended(self, spool: Spool, event: Event) -> None:
        assert len(spool.claim(1, everybody) or ()) == 1
        assert spool.apply_event(event)
        assert spool.claim(9, everybody) is None

    def test_claim_leaves_out_whoever_has_the_issue_by_another_campaign(self, spools: Spools) -> None:
        first = spools.freeze(
            campaign(), [PlannedDelivery(1, 0), PlannedDelivery(2, 0), PlannedDelivery(3, 0)]
        )
        first.apply_event(Event.BEGIN)
        first.claim(1, everybody)
        first.settle([SettledClaim(1, 1, OK)])
        first.claim(1, everybody)
        second = spools.freeze(
            campaign("b"), [PlannedDelivery(1, 0), PlannedDelivery(2, 0), PlannedDelivery(3, 0)]
        )
        assert taken(second.claim(9, everybody)) == [(3, 1)]
        assert states(second) == {"sending": 1, "skipped": 2}

    def test_claim_does_not_count_copies_in_a_folder(self, spools: Spools) -> None:
        first = spools.freeze(campaign(transport="outbox:outbox"), [PlannedDelivery(1, 0)])
        first.apply_event(Event.BEGIN)
        first.claim(9, everybody)
        first.settle([SettledClaim(1, 1, OK)])
        second = spools.freeze(campaign("b"), [PlannedDelivery(1, 0)])
        assert taken(second.claim(9, everybody)) == [(1, 1)]

    # -- settle

    def test_settle_records_what_became_of_each(self, spool: Spool) -> None:
        spool.claim(9, everybody)
        refused = spool.settle(
            [SettledClaim(1, 1, OK), SettledClaim(2, 1, NO), SettledClaim(3, 1, BUSY, LATER)]
        )
        assert [(one.person, one.attempt, one.outcome) for one in refused] == [(2, 1, NO), (3, 1, BUSY)]
        assert all(one.claimed_at <= one.settled_at for one in refused)
        rows = {one.person: one for one in spool.list_deliveries()}
        assert (rows[1].state, rows[1].provider_id, rows[1].cause) == ("accepted", "250 ok", "")
        assert (rows[2].state, rows[2].reason, rows[2].cause) == ("rejected", NO.reason, "address")
        assert (rows[3].state, rows[3].due_at, rows[3].cause) == ("deferred", LATER, "them")
        assert spool.next_deferred_due_time() == LATER
        assert spool.acceptance_times([1, 2, 9]).keys() == {1}

    def test_settle_is_idempotent(self, spool: Spool) -> None:
        spool.claim(1, everybody)
        assert len(spool.settle([SettledClaim(1, 1, NO)])) == 1
        assert spool.settle([SettledClaim(1, 1, NO)]) == []
        assert spool.settle([SettledClaim(1, 1, OK)]) == []
        assert states(spool) == {"rejected": 1, "pending": 2}

    def test_settle_many_alike(self, spool: Spool) -> None:
        spool.claim(9, everybody)
        spool.settle([SettledClaim(person, 1, OK) for person in (1, 2, 3)] * 16)
        assert states(spool) == {"accepted": 3}

    def test_settle_is_fenced_by_the_attempt(self, spool: Spool) -> None:
        spool.claim(1, everybody)
        spool.release([(1, 1)])
        assert taken(spool.claim(1, everybody)) == [(1, 2)]
        spool.settle([SettledClaim(1, 1, OK)])
        spool.release([(1, 1)])
        assert states(spool) == {"sending": 1, "pending": 2}
        spool.settle([SettledClaim(1, 2, OK)])
        assert states(spool) == {"accepted": 1, "pending": 2}

    def test_settle_is_fenced_by_the_owner(self, spools: Spools, spool: Spool) -> None:
        spool.claim(9, everybody)
        other = spools.open(spool.campaign, owner="two")
        assert other.settle([SettledClaim(1, 1, NO)]) == []
        other.release([(2, 1)])
        other.park([ParkedClaim(3, 1, 4e9)])
        assert states(spool) == {"sending": 3}

    def test_settle_keeps_the_time_of_the_first_refusal(self, spool: Spool) -> None:
        spool.claim(1, everybody)
        spool.settle([SettledClaim(1, 1, BUSY, EARLIER)])
        (first,) = spool.claim(9, everybody, only_person=1) or []
        assert first.deferred_since
        spool.settle([SettledClaim(1, 2, BUSY, EARLIER)])
        (second,) = spool.claim(9, everybody, only_person=1) or []
        assert second.deferred_since == first.deferred_since

    def test_settle_takes_back_a_cause(self, spool: Spool) -> None:
        spool.claim(1, everybody)
        spool.settle([SettledClaim(1, 1, NO)])
        spool.clear_refusal_causes([(1, 2)])
        assert [one.cause for one in spool.list_deliveries(only_person=1)] == ["address"]
        spool.clear_refusal_causes([(1, 1)])
        assert [one.cause for one in spool.list_deliveries(only_person=1)] == [""]

    # -- release and park

    def test_release_makes_pending_again(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        spool.release([(1, 1)])
        spool.release([(2, 1)], lowest_priority=True)
        spool.release([])
        assert taken(spool.claim(9, everybody)) == [(1, 2), (3, 1), (2, 2)]

    def test_park_hides_from_claims_until_the_turn(self, spool: Spool) -> None:
        spool.claim(9, everybody)
        spool.park([ParkedClaim(1, 1, 4e9), ParkedClaim(2, 1, 4.1e9)])
        assert spool.claim(9, everybody) is None
        assert spool.first_pending_due_time() == 4e9
        spool.make_parked_deliveries_due()
        assert spool.first_pending_due_time() == 0.0
        assert taken(spool.claim(9, everybody)) == [(1, 2), (2, 2)]
        assert spool.first_pending_due_time() is None

    # -- recover

    def test_take_over_ends_the_run_before(self, spools: Spools, spool: Spool) -> None:
        spool.claim(2, everybody)
        later = spools.open(spool.campaign, owner="two")
        assert sorted(later.take_over_claims()) == [(1, 1), (2, 1)]
        assert spool.settle([SettledClaim(1, 1, NO)]) == []
        later.settle([SettledClaim(1, 1, OK)])
        later.release([(2, 1)])
        assert states(spool) == {"accepted": 1, "pending": 2}
        assert later.take_over_claims() == []

    def test_unknown_claims_are_counted(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        assert spool.count_unknown_claims([(1, 1), (2, 2), (3, 1), (9, 1)]) == 3

    def test_adopt_takes_outcomes_of_later_attempts(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        spool.settle([SettledClaim(1, 1, OK)])
        for _ in range(2):
            spool.adopt_lost_outcomes(
                [SettledClaim(1, 2, NO), SettledClaim(2, 2, LOST), SettledClaim(3, 1, OK)]
            )
            assert states(spool) == {"accepted": 2, "uncertain": 1}

    def test_doubt_leaves_what_is_known(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        spool.settle([SettledClaim(1, 1, OK)])
        assert spool.make_unaccepted_deliveries_uncertain() == 2
        assert states(spool) == {"accepted": 1, "uncertain": 2}

    # -- schedule

    def test_a_reader_who_missed_the_time_is_held(self, spools: Spools) -> None:
        spool = spools.freeze(campaign(), [PlannedDelivery(1, 0, EARLIER), PlannedDelivery(2, 0, LATER)])
        spool.set_due_time(EARLIER, "08:00")
        spool = spools.open(spools.find("a"))
        assert (spool.campaign.due_at, spool.campaign.local_time) == (EARLIER, "08:00")
        assert spool.next_scheduled_time() == EARLIER
        assert spool.count_overdue_deliveries("2026-01-01T00:00:00.000000Z") == 1
        assert spool.hold_missed_deliveries("2026-01-01T00:00:00.000000Z") == 1
        assert spool.next_scheduled_time() == LATER
        assert spool.count_overdue_deliveries(EARLIER) == 1
        assert spool.claim(9, everybody) is None
        spool.make_parked_deliveries_due()
        assert spool.next_scheduled_time() == LATER  # it is the reader's own time
        spool.release_waiting_deliveries(include_scheduled=False)
        assert taken(spool.claim(9, everybody)) == [(1, 1)]
        spool.release_waiting_deliveries(include_scheduled=True)
        assert taken(spool.claim(9, everybody)) == [(2, 1)]

    def test_what_is_deferred_is_made_due_and_given_up(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        spool.settle(
            [SettledClaim(1, 1, BUSY, LATER), SettledClaim(2, 1, BUSY, "2500-01-01T00:00:00.000000Z")]
        )
        assert spool.next_deferred_due_time(only_person=1) == LATER
        assert spool.next_retry_time() == "2500-01-01T00:00:00.000000Z"
        spool.make_deferred_deliveries_due(due_after="2600-01-01T00:00:00.000000Z")
        assert taken(spool.claim(9, everybody, only_person=1)) == [(1, 2)]
        assert spool.reject_expired_deliveries(EARLIER) == 0
        assert spool.reject_expired_deliveries(LATER) == 1
        assert [one.cause for one in spool.list_deliveries(state="rejected")] == ["them"]
        spool.settle([SettledClaim(1, 2, BUSY, LATER)])
        spool.make_deferred_deliveries_due()
        assert taken(spool.claim(9, everybody, only_person=1)) == [(1, 3)]
        assert spool.last_activity_time() > EARLIER

    def test_the_next_try_is_now_where_anybody_is_due_at_once(self, spool: Spool) -> None:
        spool.claim(2, everybody)
        spool.settle([SettledClaim(1, 1, BUSY, EARLIER)])
        spool.claim(1, everybody, only_person=1)
        spool.release([(1, 2)])  # given back, and due since then
        assert spool.next_retry_time() == EARLIER
        spool.settle([SettledClaim(2, 1, BUSY, "")])
        assert (spool.next_retry_time() or "") > "2026-11"

    # -- decisions

    @pytest.mark.parametrize(("resend", "state"), [(True, "pending"), (False, "accepted")])
    def test_resolve_settles_what_is_uncertain(self, spool: Spool, resend: bool, state: str) -> None:
        spool.claim(2, everybody)
        spool.settle([SettledClaim(1, 1, LOST), SettledClaim(2, 1, LOST)])
        assert spool.resolve_uncertain_deliveries(resend=resend, only_person=1) == 1
        assert [one.state for one in spool.list_deliveries(only_person=1)] == [state]
        assert spool.resolve_uncertain_deliveries(resend=resend) == 1
        assert spool.resolve_uncertain_deliveries(resend=resend) == 0

    def test_retry_leaves_out_whoever_cannot_be_reached(self, spool: Spool) -> None:
        spool.claim(9, everybody)
        spool.settle([SettledClaim(1, 1, NO), SettledClaim(2, 1, FULL), SettledClaim(3, 1, BUSY, LATER)])
        asked: list[tuple[int, str]] = []

        def unreachable(refusals: Sequence[tuple[int, str]]) -> set[int]:
            asked.extend(refusals)
            return {1}

        assert spool.retry_refused_deliveries(unreachable) == 2
        assert sorted(asked) == [(1, "address"), (2, "mailbox")]
        assert states(spool) == {"rejected": 1, "pending": 2}
        assert [claim.deferred_since for claim in spool.claim(9, everybody) or ()] == ["", ""]
        assert spool.retry_refused_deliveries(lambda _: set(), only_person=2) == 0

    def test_copies_in_a_folder_reach_nobody(self, spools: Spools) -> None:
        made = spools.freeze(
            campaign(transport="outbox:x"), [PlannedDelivery(1, 0), PlannedDelivery(2, 0, reason="bounced")]
        )
        made.apply_event(Event.BEGIN)
        made.claim(9, everybody)
        made.settle([SettledClaim(1, 1, OK)])
        made.record_accepted_message()
        assert not made.transport_has_accepted_message()
        assert (
            made.count_folder_copies(),
            made.reached_nobody(),
            made.reached_nobody(including_folder_copies=True),
        ) == (
            1,
            True,
            False,
        )
        assert list(spools.people_reached([made.campaign.id], include_folder_copies=True)) == [1]
        assert list(spools.people_reached([made.campaign.id], include_folder_copies=False)) == []
        assert made.reopen_folder_copies() == 2
        assert states(made) == {"pending": 2}

    # -- the campaign

    @pytest.mark.parametrize("event", list(Event))
    @pytest.mark.parametrize("status", list(Status))
    def test_events_happen_where_the_table_says(self, spools: Spools, event: Event, status: Status) -> None:
        spool = spools.freeze(campaign(), [])
        self.put(spool, status)
        assert spool.apply_event(event, "why") is (status in source_statuses(event))
        now = spool.current_campaign()
        assert now.status is (target_status(event) if status in source_statuses(event) else status)
        if status in source_statuses(event):
            assert now.status_note == "why"
            assert (now.finished_at is not None) == (now.status in ("sent", "cancelled"))

    def put(self, spool: Spool, status: Status) -> None:
        """Brings a new campaign into a status by events."""
        way = {
            Status.READY: [],
            Status.SCHEDULED: [Event.SCHEDULE],
            Status.SENDING: [Event.BEGIN],
            Status.HELD: [Event.BEGIN, Event.HOLD],
            Status.MISSED: [Event.SCHEDULE, Event.MISS],
            Status.PAUSED: [Event.PAUSE],
            Status.STOPPED: [Event.BEGIN, Event.STOP],
            Status.SENT: [Event.COMPLETE],
            Status.CANCELLED: [Event.CANCEL],
        }[status]
        for event in way:
            assert spool.apply_event(event)
        assert spool.status() is status

    def test_a_campaign_keeps_when_it_began(self, spool: Spool) -> None:
        started = spool.current_campaign().started_at
        assert started
        spool.apply_event(Event.STOP)
        spool.apply_event(Event.BEGIN)
        assert spool.current_campaign().started_at == started

    def test_a_campaign_keeps_what_it_is_told(self, spool: Spool) -> None:
        spool.set_resume_time(LATER)
        spool.set_canary(make_canary(0.5, 60.0, 3), "held")
        spool.set_transport("smtp://other.example.org")
        now = spool.current_campaign()
        assert (now.held_until, now.transport) == (LATER, "smtp://other.example.org")
        assert '"phase": "held"' in now.canary

    def test_acceptance_belongs_to_a_transport(self, spool: Spool) -> None:
        assert not spool.transport_has_accepted_message()
        spool.record_accepted_message()
        assert spool.transport_has_accepted_message()
        spool.set_transport("smtp://other.example.org")
        assert not spool.transport_has_accepted_message()

    # -- reading across campaigns

    def test_deliveries_of_one_person(self, spools: Spools, spool: Spool) -> None:
        spool.claim(1, everybody)
        spool.settle([SettledClaim(1, 1, OK)])
        other = spools.freeze(
            campaign("b", issue_date="2026-11-22"), [PlannedDelivery(1, 0), PlannedDelivery(4, 0)]
        )
        found = spools.deliveries_of(1, spools.campaigns())
        assert [(one.slug, one.state) for one in found] == [("a", "accepted"), ("b", "pending")]
        assert spools.deliveries_of(4, [spool.campaign]) == []
        assert list(
            spools.people_reached([spool.campaign.id, other.campaign.id], include_folder_copies=True)
        ) == [1, 2, 3, 4]
        other.apply_event(Event.CANCEL)
        assert list(spools.people_reached([other.campaign.id], include_folder_copies=True)) == []
        assert list(spools.people_reached([], include_folder_copies=True)) == []

    def test_refusals_of_a_mailbox_count_since_it_last_took_something(self, spools: Spools) -> None:
        numbers = []
        for slug in ("a", "b", "c"):
            spool = spools.freeze(campaign(slug, issue=slug, issue_hash=slug), [PlannedDelivery(1, 0)])
            spool.claim(9, everybody)
            spool.settle([SettledClaim(1, 1, FULL)])
            numbers.append(spool.campaign.id)
        number, first = spools.count_mailbox_refusals(1, since="", excluded_campaign=numbers[2])
        assert (number, first > EARLIER) == (2, True)
        assert spools.count_mailbox_refusals(1, since=LATER, excluded_campaign=numbers[2]) == (0, "")
        spool = spools.freeze(campaign("d", issue="d", issue_hash="d"), [PlannedDelivery(1, 0)])
        spool.claim(9, everybody)
        spool.settle([SettledClaim(1, 1, OK)])
        assert spools.count_mailbox_refusals(1, since="", excluded_campaign=0) == (0, "")

    def test_reasons_are_gathered_without_addresses(self, spool: Spool) -> None:
        spool.claim(9, everybody)
        spool.settle(
            [
                SettledClaim(
                    1, 1, Outcome(OutcomeKind.REJECTED, "", "550 <a@example.org> unknown", Cause.ADDRESS)
                ),
                SettledClaim(
                    2, 1, Outcome(OutcomeKind.REJECTED, "", "550 <b@example.org> unknown", Cause.ADDRESS)
                ),
                SettledClaim(3, 1, LOST),
            ]
        )
        first, second = spool.non_delivery_reasons()
        assert (first.state, first.cause, first.number) == ("rejected", "address", 2)
        assert [(words.number, words.varies) for words in first.words] == [(2, True)]
        assert (second.state, second.number) == ("uncertain", 1)
        assert spool.commonest_refusal_text() == "550 <the address> unknown"

    # -- pace

    def test_the_ledger_is_shared(self, spools: Spools) -> None:
        spools.rate_limit_ledger().update_entry("/h", lambda entry: (entry[0] + 3600.0, entry[1] + 5))
        seen = []
        spools.rate_limit_ledger().update_entry("/h", lambda entry: seen.append(entry) or entry)  # type: ignore[func-returns-value]
        assert seen == [(3600.0, 5)]

"""Who has an issue or may get it, what an operator decides, and what is told of it, by every spool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlite_utils import Database

from mailer.campaign.campaign import PersonDelivery
from mailer.campaign.canary import make_canary
from mailer.campaign.delivery_state import State
from mailer.campaign.status import Event, Status
from mailer.spool.base import Spool, Spools
from mailer.spool.open import spools_of
from mailer.spool.values import PlannedDelivery, ReplyText, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.clock import Clock
from tests.spool.conformance import BUSY, EARLIER, FULL, LATER, LOST, NO, OK, campaign, everybody
from tests.spool.every_state import (
    ACCEPTED,
    AT_ONCE,
    DEFERRED,
    HELD,
    NOW,
    OPEN,
    PLANNED,
    REJECTED,
    SETTLED,
    SKIPPED,
    START,
    TIMED,
    UNCERTAIN,
    changed,
    in_every_state,
    listed,
    text,
)
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept
from tests.spooled import add_readers

FOLDER = "outbox:outbox"
SMTP = "smtp://mx.example.org"


@pytest.fixture(params=["sqlite", "memory"])
def spools(request: pytest.FixtureRequest) -> Spools:
    """No campaign yet, and people 1 to 9."""
    if request.param == "memory":
        return MemorySpools(Kept())
    db: Database = request.getfixturevalue("db")
    add_readers(db, 9)
    return spools_of(db)


# -- who has it ----------------------------------------------------------------------------------

SENT = (ACCEPTED, REJECTED, DEFERRED, UNCERTAIN)
ALL = [person for person in START if person != SKIPPED]
MAY_HAVE_IT = [OPEN, ACCEPTED, UNCERTAIN]


@pytest.mark.parametrize(
    ("settled_by", "transport", "cancelled", "with_copies", "without"),
    [
        (SMTP, SMTP, False, ALL, ALL),
        (SMTP, SMTP, True, MAY_HAVE_IT, MAY_HAVE_IT),
        (FOLDER, FOLDER, False, ALL, []),
        (FOLDER, FOLDER, True, MAY_HAVE_IT, []),
        (SMTP, FOLDER, False, ALL, [ACCEPTED, UNCERTAIN]),
        (SMTP, FOLDER, True, MAY_HAVE_IT, [ACCEPTED, UNCERTAIN]),
        (FOLDER, SMTP, False, ALL, [AT_ONCE, TIMED, HELD, OPEN]),
        (FOLDER, SMTP, True, MAY_HAVE_IT, [OPEN]),
    ],
)
def test_whom_a_campaign_reaches(
    spools: Spools,
    settled_by: str,
    transport: str,
    cancelled: bool,
    with_copies: list[int],
    without: list[int],
) -> None:
    in_every_state(spools, "before", transport=FOLDER)
    spool = in_every_state(spools, "a", transport=settled_by)
    spool.set_transport(transport)
    in_every_state(spools, "after")
    if cancelled:
        spool.apply_event(Event.CANCEL)
    number = spool.campaign.id
    assert list(spools.people_reached([number], include_folder_copies=True)) == with_copies
    assert list(spools.people_reached([number], include_folder_copies=False)) == without


def test_people_of_several_campaigns_come_once_and_in_their_order(spools: Spools) -> None:
    ids = [
        spools.freeze(campaign(slug), [PlannedDelivery(n, 0) for n in people]).campaign.id
        for slug, people in (("a", (5, 9)), ("b", (1, 5)), ("c", (2,)))
    ]
    assert list(spools.people_reached(ids[:2], include_folder_copies=False)) == [1, 5, 9]
    assert list(spools.people_reached(ids[2:], include_folder_copies=False)) == [2]


@pytest.mark.parametrize("into_folder", [False, True])
@pytest.mark.parametrize(
    ("outcome", "reached"),
    [(OK, True), (LOST, True), (NO, False), (BUSY, False), (Outcome(OutcomeKind.SKIPPED, reason="x"), False)],
)
def test_whether_anybody_was_reached_and_by_files(
    spools: Spools, outcome: Outcome, reached: bool, into_folder: bool
) -> None:
    in_every_state(spools, "before", transport=FOLDER)
    made = spools.freeze(campaign(), [PlannedDelivery(1, 0), PlannedDelivery(2, 0, reason="left")])
    spool = spools.open(made.campaign, owner="one", into_folder=into_folder)
    assert spool.reached_nobody(including_folder_copies=True)
    spool.claim(9, everybody)
    assert not spool.reached_nobody()
    spool.settle([SettledClaim(1, 1, outcome)])
    assert spool.reached_nobody() is (not reached or into_folder)
    assert spool.reached_nobody(including_folder_copies=True) is (not reached)
    assert spool.count_folder_copies() == (reached and into_folder)
    assert listed(spool, 1).in_folder is into_folder


def test_the_transport_says_whether_it_writes_files_unless_the_caller_does(spools: Spools) -> None:
    for url, folder in ((FOLDER, True), (SMTP, False)):
        made = spools.freeze(campaign(f"by {url}", transport=url), [PlannedDelivery(1, 0)])
        assert (made.into_folder, made.owner) == (folder, "")
        assert spools.open(made.campaign).into_folder is folder
        for told in (True, False):
            assert spools.open(made.campaign, into_folder=told).into_folder is told


def test_the_deliveries_of_one_person_are_told_whole(spools: Spools) -> None:
    in_every_state(spools, "a", transport=FOLDER)
    in_every_state(spools, "b")
    every = spools.campaigns()
    assert [one.slug for one in every] == ["b", "a"]
    assert spools.deliveries_of(ACCEPTED, every) == [
        PersonDelivery("a", State.ACCEPTED, "", text(SETTLED), True),
        PersonDelivery("b", State.ACCEPTED, "", text(SETTLED), False),
    ]
    assert spools.deliveries_of(SKIPPED, every[:1]) == [
        PersonDelivery("b", State.SKIPPED, "unsubscribed", text(PLANNED), False)
    ]
    assert spools.deliveries_of(HELD, every[1:]) == [PersonDelivery("a", State.PENDING, "", None, False)]


# -- a mailbox that takes nothing ------------------------------------------------------------------


def answered(spools: Spools, clock: Clock, *rows: tuple[str, int, Outcome]) -> None:
    """Campaigns to one person each: the day of November, the person, and what became of it."""
    for number, (day, person, outcome) in enumerate(rows, 1):
        clock.set(f"2026-11-{day}T12:00")
        slug = f"c{number}"
        spool = spools.freeze(campaign(slug, issue=slug, issue_hash=slug), [PlannedDelivery(person, 0)])
        spool.claim(9, everybody)
        spool.settle([SettledClaim(person, 1, outcome)])


def noon(day: str) -> str:
    return f"2026-11-{day}T12:00:00.000000Z"


SPARED = Outcome(OutcomeKind.DEFERRED, "", "452 4.2.2 over quota", Cause.MAILBOX)


@pytest.mark.parametrize(
    ("rows", "since", "expected"),
    [
        ([], "", (0, "")),
        ([("03", 1, FULL)], "", (1, noon("03"))),
        ([("05", 1, FULL), ("03", 1, FULL)], "", (2, noon("03"))),
        ([("03", 1, FULL), ("05", 1, FULL)], noon("03"), (1, noon("05"))),
        ([("03", 1, FULL), ("04", 1, OK), ("05", 1, FULL), ("06", 1, FULL)], "", (2, noon("05"))),
        ([("03", 1, FULL), ("04", 1, OK), ("05", 1, FULL)], noon("05"), (0, "")),
        ([("03", 1, OK), ("04", 1, FULL), ("05", 1, OK), ("06", 1, FULL)], "", (1, noon("06"))),
        ([("03", 1, FULL), ("03", 1, OK)], "", (0, "")),
        ([("03", 1, FULL), ("04", 2, OK), ("05", 2, FULL)], "", (1, noon("03"))),
        ([("03", 1, NO), ("04", 1, SPARED), ("05", 1, LOST), ("06", 1, BUSY)], "", (0, "")),
    ],
)
def test_the_refusals_of_a_mailbox_in_a_row(
    spools: Spools, clock: Clock, rows: list[tuple[str, int, Outcome]], since: str, expected: tuple[int, str]
) -> None:
    answered(spools, clock, *rows)
    assert spools.count_mailbox_refusals(1, since=since, excluded_campaign=0) == expected


def test_a_campaign_may_be_left_out_of_the_refusals_of_a_mailbox(spools: Spools, clock: Clock) -> None:
    answered(spools, clock, ("03", 1, FULL), ("05", 1, FULL))
    numbers = {slug: number for number, slug in spools.slugs_by_id().items()}
    for slug, day in (("c1", "05"), ("c2", "03")):
        found = spools.count_mailbox_refusals(1, since="", excluded_campaign=numbers[slug])
        assert found == (1, noon(day))


# -- decisions ---------------------------------------------------------------------------------------


def test_whoever_asks_for_a_retry_hears_of_the_rejected_of_this_campaign(spools: Spools) -> None:
    asked: list[list[tuple[int, str]]] = []

    def unreachable(refusals: Sequence[tuple[int, str]]) -> set[int]:
        asked.append(list(refusals))
        return {person for person, _ in refusals}

    in_every_state(spools, "before").settle([SettledClaim(OPEN, 1, NO)])
    spool = in_every_state(spools, "a")
    for person in (REJECTED, OPEN, DEFERRED):
        assert spool.retry_refused_deliveries(unreachable, only_person=person) == (person == DEFERRED)
    assert asked == [[(REJECTED, "mailbox")], [], []]
    assert changed(spool) == {DEFERRED: "pending"}
    assert spool.retry_refused_deliveries(unreachable) == 0
    assert asked[3:] == [[(REJECTED, "mailbox")]]


def test_a_retry_begins_anew(spools: Spools) -> None:
    spool = in_every_state(spools, "a")
    assert spool.retry_refused_deliveries(lambda _: set()) == 2
    row = listed(spool, DEFERRED)
    assert (row.state, row.attempts, row.due_at, row.held) == ("pending", 1, None, False)
    claims = spool.claim(9, everybody) or []
    assert {claim.person: claim.deferred_since for claim in claims} == {
        AT_ONCE: "",
        REJECTED: "",
        DEFERRED: "",
    }


@pytest.mark.parametrize("resend", [True, False])
def test_what_was_uncertain_says_who_settled_it(spools: Spools, resend: bool) -> None:
    spool = in_every_state(spools, "a")
    assert spool.resolve_uncertain_deliveries(resend=resend) == 1
    row = listed(spool, UNCERTAIN)
    marked = "the outcome was uncertain; the operator marked the message as sent"
    assert (row.state, row.reason, row.at, row.due_at) == (
        ("pending", "", text(SETTLED), None) if resend else ("accepted", marked, text(SETTLED), None)
    )


def test_files_and_whoever_was_skipped_begin_anew(spools: Spools) -> None:
    spool = in_every_state(spools, "a", transport=FOLDER)
    copies = in_every_state(spools, "b", transport=FOLDER)
    assert spool.reopen_folder_copies() == 3
    assert changed(spool) == {ACCEPTED: "pending", UNCERTAIN: "pending", SKIPPED: "pending"}
    for person, attempts, claimed in ((ACCEPTED, 1, True), (UNCERTAIN, 1, True), (SKIPPED, 0, False)):
        row = listed(spool, person)
        assert (row.reason, row.provider_id, row.attempts, row.in_folder) == ("", "", attempts, False)
        assert (row.at is not None, row.due_at, row.held) == (claimed, None, False)
        assert row.at != text(SETTLED)
    assert (spool.count_folder_copies(), copies.count_folder_copies()) == (0, 2)
    assert (listed(spool, REJECTED).in_folder, listed(spool, REJECTED).reason) == (True, FULL.reason)


def test_what_is_doubted_says_why_and_since_when(spools: Spools) -> None:
    spool = in_every_state(spools, "a")
    assert spool.make_unaccepted_deliveries_uncertain() == 6
    for person in (AT_ONCE, TIMED, HELD, OPEN, REJECTED, DEFERRED):
        row = listed(spool, person)
        assert row.reason == (
            "this database is older than the campaign's last run, which may have handed over this message"
        )
        assert (row.at, row.due_at, row.held) == (text(NOW), None, False)
    assert listed(spool, UNCERTAIN).reason == LOST.reason
    assert listed(spool, SKIPPED).reason == "unsubscribed"


# -- what is told -----------------------------------------------------------------------------------


def said(kind: OutcomeKind, words: str, cause: Cause | None = None) -> Outcome:
    return Outcome(kind, "", words, cause)


def test_the_largest_group_of_reasons_comes_first_and_in_it_the_commonest_words(spools: Spools) -> None:
    rejected, uncertain = OutcomeKind.REJECTED, OutcomeKind.UNCERTAIN
    outcomes = [
        said(uncertain, "b"), said(uncertain, "a"), said(uncertain, "c"), said(uncertain, "c"),
        said(rejected, "no", Cause.US), said(rejected, "no", Cause.THEM), said(rejected, "", Cause.THEM),
        said(OutcomeKind.ACCEPTED, "fine"), said(rejected, "", Cause.THEM),
    ]  # fmt: skip
    spool = spools.freeze(campaign(), [PlannedDelivery(n, 0) for n in range(1, 10)])
    spool.claim(9, everybody)
    spool.settle([SettledClaim(n, 1, outcome) for n, outcome in enumerate(outcomes, 1)])
    assert [(one.state, one.cause, one.number, one.words) for one in spool.non_delivery_reasons()] == [
        ("uncertain", "", 4, (ReplyText("c", 2), ReplyText("a", 1), ReplyText("b", 1))),
        ("rejected", "them", 3, (ReplyText("", 2), ReplyText("no", 1))),
        ("rejected", "us", 1, (ReplyText("no", 1),)),
    ]
    assert spool.commonest_refusal_text() == "no"


@pytest.mark.parametrize(
    ("words", "expected"), [(["b", "a", "b"], "b"), (["b", "a"], "a"), (["", "", "z"], "z"), ([""], "")]
)
def test_the_commonest_refusal(spools: Spools, words: list[str], expected: str) -> None:
    spool = spools.freeze(campaign(), [PlannedDelivery(n, 0) for n in range(1, 10)])
    spool.claim(9, everybody)
    for other in range(5, 8):
        spool.settle([SettledClaim(other, 1, said(OutcomeKind.DEFERRED, "later"))])
    spool.settle([SettledClaim(n, 1, said(OutcomeKind.REJECTED, one)) for n, one in enumerate(words, 1)])
    assert spool.commonest_refusal_text() == expected


# -- the campaign ---------------------------------------------------------------------------------


def test_a_campaign_is_stored_whole(spools: Spools, clock: Clock) -> None:
    new = campaign(
        "x", issue="i", issue_hash="h", edition="e", issue_date="2026-11-22", segment="s", plan_hash="p",
        plan={"words": "«é»", "n": [1]}, subject="Fog", transport=FOLDER,
    )  # fmt: skip
    made = spools.freeze(new, []).campaign
    assert {name: getattr(made, name) for name in type(new).__dataclass_fields__} == {
        name: getattr(new, name) for name in type(new).__dataclass_fields__
    }
    assert (made.status, made.status_note, made.created_at) == (Status.READY, "", noon("21"))
    assert (made.started_at, made.finished_at, made.stable_ids) == (None, None, 1)
    assert (made.due_at, made.local_time, made.canary, made.held_until) == ("", "", "", "")
    assert spools.find("x") == made


def test_a_campaign_changes_by_what_it_is_told_alone(spools: Spools, clock: Clock) -> None:
    other = spools.freeze(campaign("other"), []).campaign
    spool = spools.freeze(campaign(), [])
    known = spool.campaign
    assert spool.apply_event(Event.BEGIN, "begun")
    known = replace(known, status=Status.SENDING, status_note="begun", started_at=noon("21"))
    assert spool.current_campaign() == known
    clock.forward(days=1)
    assert spool.apply_event(Event.COMPLETE)
    assert spool.current_campaign() == replace(
        known, status=Status.SENT, status_note="", finished_at=noon("22")
    )
    assert spool.apply_event(Event.BEGIN)
    known = replace(known, status_note="")
    assert spool.current_campaign() == known
    spool.set_due_time(EARLIER, "08:00")
    spool.set_due_time(LATER)
    known = replace(known, due_at=LATER, local_time="08:00")
    assert spool.current_campaign() == known
    spool.set_due_time("", "")
    spool.set_resume_time(LATER)
    spool.set_transport(FOLDER)
    canary = make_canary(0.5, 60.0, 3)
    spool.set_canary(canary)
    now = spool.current_campaign()
    assert now == replace(
        known, due_at="", local_time="", held_until=LATER, transport=FOLDER, canary=now.canary
    )
    assert f'"phase": "{canary.phase}"' in now.canary
    assert not spool.apply_event(Event.RESUME, "not now")
    assert (spool.current_campaign(), spools.find("other")) == (now, other)


def test_an_accepted_message_is_of_this_campaign_and_no_file(spools: Spools) -> None:
    other = spools.freeze(campaign("other"), [])
    spool = spools.freeze(campaign(), [])
    spools.open(spool.campaign, into_folder=True).record_accepted_message()
    assert not spool.transport_has_accepted_message()
    spool.record_accepted_message()
    assert (spool.transport_has_accepted_message(), other.transport_has_accepted_message()) == (True, False)


def test_acceptance_is_told_of_those_who_were_asked_for(spools: Spools) -> None:
    spool: Spool = in_every_state(spools, "a")
    in_every_state(spools, "b").settle([SettledClaim(OPEN, 1, OK)])
    assert spool.acceptance_times([ACCEPTED, OPEN]) == {ACCEPTED: text(SETTLED)}
    spool.settle([SettledClaim(OPEN, 1, OK)])
    assert spool.acceptance_times([OPEN]) == {OPEN: text(NOW)}
    assert spool.acceptance_times([]) == {}

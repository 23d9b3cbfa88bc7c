"""What a dead run has left is settled by its journal; nobody is blamed where the sender may be refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest
from sqlite_utils import Database

from mailer.campaign.status import Event
from mailer.spool.base import Spool
from mailer.spool.journal import JournalContent
from mailer.spool.open import spools_of
from mailer.spool.recover import adopt_journal_outcomes, settle_claims
from mailer.spool.values import ClaimKey, PlannedDelivery, RefusedClaim, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.spool.conformance import BUSY, LATER, LOST, NO, OK, campaign, everybody, taken
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept
from tests.spooled import add_readers

#: Refusals that are about the sender, by their words.
SPF_LATER = Outcome(OutcomeKind.DEFERRED, "", "451 4.7.23 SPF validation failed", Cause.US)
SPF = Outcome(OutcomeKind.REJECTED, "", "550 5.7.23 SPF validation failed", Cause.US)
SKIPPED = Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")


def no(text: str = "550 Invalid recipient") -> Outcome:
    """A refusal whose words say nothing about the sender."""
    return Outcome(OutcomeKind.REJECTED, "", text, Cause.ADDRESS)


def open_spool(people: int = 4, *, transport: str = "smtp://mx.example.org") -> Spool:
    """A campaign in which the run `one` has claimed everybody, and that the run `two` has opened."""
    spools = MemorySpools(Kept())
    spools.freeze(campaign(transport=transport), [PlannedDelivery(n, 0) for n in range(1, people + 1)])
    spools.open(spools.find("a"), owner="one").claim(9, everybody)
    return spools.open(spools.find("a"), owner="two")


def content(
    outcomes: Mapping[int, Outcome],
    begun: Collection[int] = (),
    *,
    attempt: int = 1,
    complete: bool = True,
    accepted: bool = False,
) -> JournalContent:
    """A journal with these outcomes and hand-overs, by person."""
    return JournalContent(
        complete,
        frozenset((person, attempt) for person in {*begun, *outcomes}),
        {(person, attempt): outcome for person, outcome in outcomes.items()},
        accepted,
    )


def addresses(people: Sequence[int]) -> dict[int, str | None]:
    """Everybody has an address at a domain of their own."""
    return {person: f"reader{person}@domain{person}.test" for person in people}


def settled(spool: Spool, read: JournalContent) -> tuple[dict[str, int], list[RefusedClaim]]:
    """What settling by this journal gives, and the refusals that it told of."""
    refused: list[RefusedClaim] = []
    return settle_claims(spool, lambda _: read, addresses, refused.extend), refused


def states(spool: Spool) -> list[str]:
    return [one.state.value for one in spool.list_deliveries()]


def test_each_claim_becomes_what_the_journal_knows_of_it() -> None:
    spool = open_spool(7)
    asked: list[set[ClaimKey]] = []

    def read(claims: set[ClaimKey]) -> JournalContent:
        asked.append(claims)
        return content({1: OK, 2: NO, 3: LOST, 4: SKIPPED, 5: BUSY}, begun=[6], accepted=True)

    refused: list[RefusedClaim] = []
    assert settle_claims(spool, read, addresses, refused.extend) == {
        "accepted": 1, "rejected": 1, "uncertain": 2, "skipped": 1, "deferred": 1, "pending": 1,
    }  # fmt: skip
    assert asked == [{(person, 1) for person in range(1, 8)}]
    assert states(spool) == [
        "accepted", "rejected", "uncertain", "skipped", "deferred", "uncertain", "pending",
    ]  # fmt: skip
    assert [(one.person, one.attempt, one.outcome) for one in refused] == [(2, 1, NO), (5, 1, BUSY)]
    assert [one.reason for one in spool.list_deliveries(only_person=6)] == [
        "the program ended while this message was being handed over"
    ]
    assert settle_claims(spool, lambda _: content({}), addresses, refused.extend) == {}


def test_without_a_whole_journal_what_has_no_outcome_is_uncertain() -> None:
    spool = open_spool()
    assert settled(spool, content({1: OK}, begun=[2], complete=False, accepted=True))[0] == {
        "accepted": 1,
        "uncertain": 3,
    }


def test_a_run_settles_those_of_its_own_claims_that_it_names() -> None:
    spools = MemorySpools(Kept())
    spools.freeze(campaign(), [PlannedDelivery(n, 0) for n in range(1, 5)])
    one, two = (spools.open(spools.find("a"), owner=owner) for owner in ("one", "two"))
    one.claim(2, everybody)
    two.claim(9, everybody)
    read = content(dict.fromkeys(range(1, 5), OK), accepted=True)
    settle_claims(one, lambda _: read, addresses, lambda _: None, claims=[(1, 1), (3, 1)])
    assert states(one) == ["accepted", "sending", "sending", "sending"]
    two.settle([SettledClaim(4, 1, OK)])
    assert states(one) == ["accepted", "sending", "sending", "accepted"]
    assert settle_claims(one, lambda _: read, addresses, lambda _: None, claims=[]) == {}
    assert states(one) == ["accepted", "sending", "sending", "accepted"]


def test_what_cannot_be_recorded_is_not_settled(db: Database) -> None:
    add_readers(db, 2)
    spool = spools_of(db).freeze(campaign(), [PlannedDelivery(1, 0), PlannedDelivery(2, 0)])
    spool.claim(9, everybody)

    def fail(_: list[RefusedClaim]) -> None:
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        settle_claims(spool, lambda _: content({1: OK, 2: NO}, accepted=True), addresses, fail)
    assert (states(spool), spool.transport_has_accepted_message()) == (["sending", "sending"], False)


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_an_accepted_message_of_the_journal_is_remembered(accepted: bool, before: bool) -> None:
    spool = open_spool()
    if before:
        spool.record_accepted_message()
    settled(spool, content({1: LOST}, accepted=accepted))
    assert spool.transport_has_accepted_message() is (accepted or before)


# -- refusals of the sender --------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [SPF, SPF_LATER])
@pytest.mark.parametrize(
    ("attempt", "accepted", "before", "own_matter"),
    [
        (1, False, False, False),
        (1, True, False, False),
        (2, True, True, False),
        (3, False, False, False),
        (3, True, False, True),
        (3, False, True, True),
        (4, True, True, True),
    ],
)
def test_a_refusal_about_the_sender_is_tried_again_but_for_a_readers_own_matter(
    outcome: Outcome, attempt: int, accepted: bool, before: bool, own_matter: bool
) -> None:
    spool = open_spool()
    for number in range(1, attempt):
        spool.take_over_claims()
        spool.release([(person, number) for person in range(1, 5)])
        spool.claim(9, everybody)
    if before:
        spool.record_accepted_message()
    read = content({1: outcome, 2: LOST, 3: LOST, 4: LOST}, attempt=attempt, accepted=accepted)
    counts, refused = settled(spool, read)
    state = outcome.result.value if own_matter else "pending"
    assert counts == {state: 1, "uncertain": 3}
    assert states(spool)[0] == state
    assert [one.person for one in refused] == ([1] if own_matter else [])


def test_what_is_tried_again_because_of_the_sender_comes_last() -> None:
    spool = open_spool()
    assert settled(spool, content({1: SPF, 2: OK}, accepted=True))[0] == {"pending": 3, "accepted": 1}
    assert [person for person, _ in taken(spool.claim(9, everybody))] == [3, 4, 1]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({1: no(), 2: no()}, ["pending", "pending"]),
        ({1: no("550 no reader1 here"), 2: no("550 no reader2 here")}, ["pending", "pending"]),
        ({1: no("550 no reader2 here"), 2: no("550 no reader1 there")}, ["rejected", "rejected"]),
        ({1: no(), 2: no("552 full")}, ["rejected", "rejected"]),
        ({1: no()}, ["pending"]),
        ({1: no(), 2: LOST}, ["rejected", "uncertain"]),
        ({1: no(), 2: SKIPPED}, ["pending", "skipped"]),
        ({1: no(), 2: no(), 3: BUSY, 4: LOST}, ["pending", "pending", "deferred", "uncertain"]),
        ({1: SKIPPED, 2: SKIPPED}, ["skipped", "skipped"]),
    ],
)
def test_refusals_that_may_concern_everybody_are_tried_again(
    outcomes: dict[int, Outcome], expected: list[str]
) -> None:
    spool = open_spool(len(outcomes))
    counts, refused = settled(spool, content(outcomes))
    assert states(spool) == expected
    assert counts == {state: expected.count(state) for state in expected}
    assert {one.person for one in refused} == {
        person for person, state in enumerate(expected, 1) if state in ("rejected", "deferred")
    }


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({1: "anna@a.test", 2: "bert@b.test"}, "pending"),
        ({1: "anna@a.test", 2: None}, "rejected"),
        ({1: "bert@a.test", 2: "anna@b.test"}, "rejected"),
    ],
)
def test_refusals_that_differ_in_the_readers_name_are_alike(
    known: dict[int, str | None], expected: str
) -> None:
    spool = open_spool(2)
    read = content({1: no("550 no anna in this house"), 2: no("550 no bert in this house")})
    settle_claims(spool, lambda _: read, lambda _: known, lambda _: None)
    assert states(spool) == [expected, expected]


def test_who_has_no_outcome_is_settled_as_ever_where_the_sender_may_be_refused() -> None:
    spool = open_spool(4)
    counts, _ = settled(spool, content({1: no(), 2: no()}, begun=[3]))
    assert counts == {"pending": 3, "uncertain": 1}
    assert states(spool) == ["pending", "pending", "uncertain", "pending"]


def test_refusals_count_against_readers_where_the_run_had_a_message_accepted() -> None:
    spool = open_spool(2)
    settled(spool, content({1: no(), 2: no()}, accepted=True))
    assert states(spool) == ["rejected", "rejected"]


def test_an_earlier_run_says_nothing_about_these_refusals() -> None:
    spool = open_spool(2)
    spool.record_accepted_message()
    settled(spool, content({1: no(), 2: no()}))
    assert states(spool) == ["pending", "pending"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({1: None, 2: None}, ["pending", "pending"]),
        ({1: "reader1@a.test", 2: None}, ["pending", "pending"]),
        ({1: "reader1@a.test"}, ["pending", "pending"]),
        ({}, ["rejected", "rejected"]),
    ],
)
def test_people_who_were_erased_or_are_unknown(known: dict[int, str | None], expected: list[str]) -> None:
    spool = open_spool(2)
    read = content({1: no(), 2: no()})
    settle_claims(spool, lambda _: read, lambda _: known, lambda _: None)
    assert states(spool) == expected


# -- what a copy of the database does not know -------------------------------------------------


def test_what_the_journal_is_ahead_of_is_adopted_by_the_newest_attempt() -> None:
    spool = open_spool(4)
    spool.apply_event(Event.BEGIN)
    spool.take_over_claims()
    spool.settle([SettledClaim(1, 1, BUSY, LATER), SettledClaim(2, 1, BUSY, LATER)])
    adopt_journal_outcomes(
        spool,
        JournalContent(
            False,
            frozenset({(1, 3), (1, 2), (2, 2), (3, 1), (4, 2)}),
            {(1, 2): NO, (1, 3): OK, (2, 2): NO, (3, 1): OK, (4, 1): OK},
            True,
        ),
    )
    assert [(one.state, one.attempts, one.reason) for one in spool.list_deliveries()] == [
        ("accepted", 3, ""),
        ("rejected", 2, NO.reason),
        ("sending", 1, ""),
        (
            "uncertain",
            2,
            "the message was handed over, but this copy of the database has no record of it",
        ),
    ]

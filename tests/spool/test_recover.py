"""What becomes of the claims of a dead run, by what its journal says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailer.campaign.status import Event
from mailer.spool.base import Spool
from mailer.spool.journal import JournalContent
from mailer.spool.recover import adopt_journal_outcomes, settle_claims
from mailer.spool.values import ClaimKey, PlannedDelivery
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.spool.conformance import campaign, everybody, states, taken
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept

ADDRESSES = {1: "anna@example.org", 2: "ben@example.org", 3: "eve@example.org", 4: None}
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "id", "250 ok")
SKIPPED = Outcome(OutcomeKind.SKIPPED, "", "unsubscribed")
UNKNOWN = Outcome(OutcomeKind.REJECTED, "", "550 Invalid recipient", Cause.ADDRESS)
BUSY = Outcome(OutcomeKind.DEFERRED, "", "451 4.3.0 busy", Cause.THEM)
#: A temporary refusal whose text is about the sender.
ABOUT_US = Outcome(OutcomeKind.DEFERRED, "", "450 4.7.650 rate limited due to IP reputation", Cause.US)


@pytest.fixture
def spool() -> Spool:
    """A campaign of four people, all claimed by the run `one`."""
    spools = MemorySpools(Kept())
    spools.freeze(campaign(), [PlannedDelivery(person, 0) for person in ADDRESSES]).apply_event(Event.BEGIN)
    spool = spools.open(spools.find("a"), owner="one")
    spool.claim(9, everybody)
    return spool


def rejected(reason: str) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, "", reason, Cause.ADDRESS)


def find_addresses(people: Sequence[int]) -> dict[int, str | None]:
    return {person: ADDRESSES[person] for person in people}


def journal(outcomes: dict[ClaimKey, Outcome], *begun: ClaimKey, accepted: bool = False) -> JournalContent:
    return JournalContent(True, frozenset([*outcomes, *begun]), outcomes, accepted)


def recover(spool: Spool, content: JournalContent) -> dict[str, int]:
    return settle_claims(spool, lambda _: content, find_addresses, lambda _: None)


def at_attempt(spool: Spool, attempt: int) -> None:
    """Gives the claims back and takes them again until they have this attempt."""
    for number in range(1, attempt):
        spool.release([(person, number) for person in ADDRESSES])
        spool.claim(9, everybody)


def test_refusals_of_everybody_in_the_same_words_are_tried_again_after_all_others(spool: Spool) -> None:
    content = journal({(1, 1): UNKNOWN, (2, 1): UNKNOWN})
    assert recover(spool, content) == {"pending": 4}
    assert states(spool) == {"pending": 4}
    assert taken(spool.claim(2, everybody)) == [(3, 2), (4, 2)]
    assert taken(spool.claim(2, everybody)) == [(1, 2), (2, 2)]


def test_beside_them_other_outcomes_are_recorded(spool: Spool) -> None:
    outcomes = {(1, 1): UNKNOWN, (2, 1): UNKNOWN, (3, 1): BUSY}
    assert recover(spool, journal(outcomes, (4, 1))) == {"pending": 2, "deferred": 1, "uncertain": 1}


def test_where_a_message_was_accepted_refusals_concern_the_readers(spool: Spool) -> None:
    outcomes = {(1, 1): UNKNOWN, (2, 1): UNKNOWN, (3, 1): ACCEPTED}
    assert recover(spool, journal(outcomes, accepted=True)) == {"pending": 1, "rejected": 2, "accepted": 1}


@pytest.mark.parametrize("accepted", [True, False])
def test_it_is_kept_that_the_transport_has_accepted_a_message(spool: Spool, accepted: bool) -> None:
    assert not spool.transport_has_accepted_message()
    recover(spool, journal({}, accepted=accepted))
    assert spool.transport_has_accepted_message() is accepted


def test_different_refusals_concern_the_readers(spool: Spool) -> None:
    outcomes = {(1, 1): rejected("550 5.1.1 no such user"), (2, 1): rejected("552 5.2.2 over quota")}
    assert recover(spool, journal(outcomes)) == {"pending": 2, "rejected": 2}


def test_refusals_are_the_same_apart_from_the_names_in_them(spool: Spool) -> None:
    outcomes = {
        (1, 1): rejected("550 5.1.1 anna is not here"),
        (2, 1): rejected("550 5.1.1 ben is not here"),
        (3, 1): rejected("552 5.2.2 over quota"),
    }
    assert recover(spool, journal(outcomes)) == {"pending": 4}


def test_whoever_was_erased_meanwhile_counts_too(spool: Spool) -> None:
    assert recover(spool, journal({(1, 1): UNKNOWN, (4, 1): UNKNOWN})) == {"pending": 4}


def test_who_left_before_the_hand_over_is_no_refusal(spool: Spool) -> None:
    outcomes = {(1, 1): UNKNOWN, (2, 1): SKIPPED, (3, 1): SKIPPED}
    assert recover(spool, journal(outcomes)) == {"pending": 2, "skipped": 2}


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_refusal_of_the_sender_is_tried_again_even_where_others_were_accepted(
    spool: Spool, attempt: int
) -> None:
    at_attempt(spool, attempt)
    content = journal({(1, attempt): ABOUT_US, (2, attempt): ACCEPTED}, accepted=True)
    assert recover(spool, content) == {"pending": 3, "accepted": 1}
    assert taken(spool.claim(2, everybody)) == [(3, attempt + 1), (4, attempt + 1)]


@pytest.mark.parametrize("in_this_run", [True, False])
def test_from_the_third_attempt_on_it_concerns_the_reader_where_others_were_accepted(
    spool: Spool, in_this_run: bool
) -> None:
    at_attempt(spool, 3)
    if not in_this_run:
        spool.record_accepted_message()
    content = journal({(1, 3): ABOUT_US}, accepted=in_this_run)
    assert recover(spool, content) == {"pending": 3, "deferred": 1}


def test_at_the_third_attempt_it_is_tried_again_where_nobody_was_accepted(spool: Spool) -> None:
    at_attempt(spool, 3)
    assert recover(spool, journal({(1, 3): ABOUT_US})) == {"pending": 4}


def test_the_operator_reads_why_a_delivery_is_uncertain(spool: Spool) -> None:
    recover(spool, journal({}, (1, 1)))
    adopt_journal_outcomes(spool, journal({}, (2, 7)))
    assert [(one.person, one.reason) for one in spool.list_deliveries(state="uncertain")] == [
        (1, "the program ended while this message was being handed over"),
        (2, "the message was handed over, but this copy of the database has no record of it"),
    ]

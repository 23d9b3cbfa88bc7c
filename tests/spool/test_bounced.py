"""What a refusal does to a reader: once, in the transaction that settles it, and only for the address."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.consent.bounces import (
    Bounce,
    bounces_of,
    restore_bounced_subscriber,
    restore_subscribers_bounced_in_campaign,
)
from mailer.audience.consent.suppression import suppress
from mailer.audience.people import get
from mailer.audience.subscribers import erase, unsubscribe
from mailer.errors import AudienceError
from mailer.spool.journal import Journal
from mailer.spool.open import spools_of
from mailer.spool.values import ReasonGroup, ReplyText
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from mailer.transports.registry import event_source_of
from tests.spooled import DeskSpool, add_readers, freeze

GONE = Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user", Cause.ADDRESS)
FULL = Outcome(OutcomeKind.REJECTED, "", "552 5.2.2 over quota", Cause.MAILBOX)
POLICY = Outcome(OutcomeKind.REJECTED, "", "550 5.7.1 go away", Cause.US)
LATER = Outcome(OutcomeKind.DEFERRED, "", "451 later", Cause.THEM)
TAKEN = Outcome(OutcomeKind.ACCEPTED)


def status(db: Database, number: int) -> str:
    person = get(db, number)
    assert person is not None
    return person.status


def campaign(db: Database, number: int, reader: int, outcome: Outcome, days_ago: int) -> DeskSpool:
    """Another campaign to this reader, which ended so, so many days ago."""
    spool = freeze(db, f"campaign-{number}")
    assert spool.claim(9)
    spool.settle([(reader, 1, outcome, "")])
    db.conn.execute(
        "UPDATE deliveries SET settled_at = strftime('%Y-%m-%dT%H:%M:%f000Z', settled_at, ?) "
        "WHERE campaign_id = ? AND subscriber_id = ?",
        [f"-{days_ago} days", spool.campaign.id, reader],
    )
    return spool


def test_a_refused_address_marks_the_reader_once_with_the_servers_words(db: Database) -> None:
    a, b = add_readers(db, 2)
    spool = freeze(db)
    spool.source = "smtp"
    spool.claim(9)
    outcomes = [(a, 1, GONE, ""), (b, 1, TAKEN, "")]
    spool.settle(outcomes)
    spool.settle(outcomes)
    assert (status(db, a), status(db, b)) == ("bounced", "active")
    (bounce,) = bounces_of(db, a, spools_of(db).slugs_by_id())
    assert bounce == Bounce(bounce.at, spool.campaign.slug, "550 5.1.1 no such user", "smtp")
    assert bounces_of(db, b, spools_of(db).slugs_by_id()) == ()
    (settled,) = db.conn.execute("SELECT settled_at FROM deliveries WHERE subscriber_id = ?", [a]).fetchone()
    assert settled == bounce.at
    assert freeze(db, "next").delivery_counts_by_state()["pending"] == 1


@pytest.mark.parametrize(
    "outcome",
    [
        POLICY,
        LATER,
        TAKEN,
        FULL,
        Outcome(OutcomeKind.UNCERTAIN, "", "no answer"),
        Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 from a transport that names no cause"),
        Outcome(OutcomeKind.DEFERRED, "", "450 4.2.2 full", Cause.MAILBOX),
    ],
)
def test_what_is_not_the_address_leaves_the_reader_alone(db: Database, outcome: Outcome) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    spool.claim(9)
    spool.settle([(a, 1, outcome, "")])
    assert status(db, a) == "active"
    assert bounces_of(db, a, spools_of(db).slugs_by_id()) == ()


def test_an_older_claim_marks_nobody(db: Database) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    spool.claim(9)
    spool.release([(a, 1)])
    spool.claim(9)
    spool.settle([(a, 1, GONE, "")])
    assert status(db, a) == "active"
    assert bounces_of(db, a, spools_of(db).slugs_by_id()) == ()
    spool.settle([(a, 2, GONE, "")])
    assert status(db, a) == "bounced"


def test_what_the_journal_knows_is_done_once_after_a_crash(db: Database, journal: Path) -> None:
    a, b, c = add_readers(db, 3)
    spool = freeze(db)
    spool.claim(9)
    noted = Journal(journal)
    noted.note_begun_deliveries([(a, 1), (b, 1), (c, 1)])
    noted.note_outcomes([(a, 1, GONE), (b, 1, POLICY)])
    noted.close()
    assert spool.recover(journal) == {"rejected": 2, "uncertain": 1}
    spool.recover(journal)
    assert [status(db, number) for number in (a, b, c)] == ["bounced", "active", "active"]
    assert [bounce.words for bounce in bounces_of(db, a, spools_of(db).slugs_by_id())] == [
        "550 5.1.1 no such user"
    ]
    assert {(r.state, r.cause) for r in spool.non_delivery_reasons()} == {
        ("rejected", "address"),
        ("rejected", "us"),
        ("uncertain", ""),
    }


def test_a_settling_that_fails_leaves_neither_half(db: Database) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    spool.claim(9)
    db.conn.execute(
        "CREATE TEMP TRIGGER broken BEFORE UPDATE OF settled_at ON deliveries WHEN NEW.state = 'rejected' "
        "BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="the disk is gone"):
        spool.settle([(a, 1, GONE, "")])
    assert (status(db, a), bounces_of(db, a, spools_of(db).slugs_by_id())) == ("active", ())
    assert spool.delivery_counts_by_state()["sending"] == 1
    db.conn.execute("DROP TRIGGER broken")
    spool.settle([(a, 1, GONE, "")])
    assert (status(db, a), len(bounces_of(db, a, spools_of(db).slugs_by_id()))) == ("bounced", 1)


def test_who_left_meanwhile_stays_as_they_are_and_who_is_erased_leaves_no_words(db: Database) -> None:
    a, b = add_readers(db, 2)
    spool = freeze(db)
    spool.claim(9)
    unsubscribe(db, a)
    erase(db, b)
    spool.settle([(a, 1, GONE, ""), (b, 1, GONE, "")])
    assert (status(db, a), status(db, b)) == ("unsubscribed", "erased")
    assert [bounce.words for bounce in bounces_of(db, a, spools_of(db).slugs_by_id())] == [
        "550 5.1.1 no such user"
    ]
    assert [bounce.words for bounce in bounces_of(db, b, spools_of(db).slugs_by_id())] == [""]


# -- a mailbox that takes nothing -------------------------------------------------------------


def test_a_mailbox_is_given_up_after_three_campaigns_over_a_week(db: Database) -> None:
    (a,) = add_readers(db, 1)
    campaign(db, 1, a, FULL, 8)
    campaign(db, 2, a, FULL, 4)
    assert status(db, a) == "active"
    campaign(db, 3, a, FULL, 0)
    assert status(db, a) == "bounced"
    (bounce,) = bounces_of(db, a, spools_of(db).slugs_by_id())
    assert (bounce.campaign, bounce.words) == ("campaign-3", "552 5.2.2 over quota")


def test_many_campaigns_within_days_are_no_week(db: Database) -> None:
    (a,) = add_readers(db, 1)
    for number in range(6):
        campaign(db, number, a, FULL, 6)
    assert status(db, a) == "active"


def test_a_long_time_with_two_refusals_is_not_three(db: Database) -> None:
    (a,) = add_readers(db, 1)
    campaign(db, 1, a, FULL, 90)
    spool = campaign(db, 2, a, FULL, 0)
    for attempt in (2, 3, 4):  # the same campaign counts once, however often it is retried
        spool.retry_all()
        spool.claim(9)
        spool.settle([(a, attempt, FULL, "")])
    assert status(db, a) == "active"


@pytest.mark.parametrize(
    ("between", "expected"), [(TAKEN, "active"), (POLICY, "bounced"), (LATER, "bounced")]
)
def test_only_what_was_taken_ends_the_row(db: Database, between: Outcome, expected: str) -> None:
    (a,) = add_readers(db, 1)
    campaign(db, 1, a, FULL, 20)
    campaign(db, 2, a, FULL, 15)
    campaign(db, 3, a, between, 10)
    campaign(db, 4, a, FULL, 0)
    assert status(db, a) == expected


def test_who_came_back_begins_anew(db: Database) -> None:
    (a,) = add_readers(db, 1)
    for number, days in ((1, 9), (2, 8), (3, 0)):
        campaign(db, number, a, FULL, days)
    person = get(db, a)
    assert person is not None
    restore_bounced_subscriber(db, person, reason="they emptied it")
    campaign(db, 4, a, FULL, 0)
    assert status(db, a) == "active"


# -- again, and back ----------------------------------------------------------------------------


def test_a_retry_leaves_out_who_cannot_be_reached_and_takes_who_was_restored(db: Database) -> None:
    a, b, c, d = add_readers(db, 4)
    spool = freeze(db)
    spool.claim(9)
    spool.settle([(a, 1, GONE, ""), (b, 1, GONE, ""), (c, 1, POLICY, ""), (d, 1, LATER, "9999")])
    person = get(db, b)
    assert person is not None
    restore_bounced_subscriber(db, person, reason="a mistake of theirs")
    assert spool.retry_all() == (3, 1)
    assert sorted(claim.person for claim in spool.claim(9) or ()) == [b, c, d]
    spool.settle([(b, 2, TAKEN, ""), (c, 2, TAKEN, ""), (d, 2, TAKEN, "")])
    assert spool.non_delivery_reasons() == (
        ReasonGroup("rejected", "address", 1, (ReplyText("550 5.1.1 no such user", 1),)),
    )
    assert db.conn.execute("SELECT DISTINCT cause FROM deliveries WHERE state = 'accepted'").fetchall() == [
        ("",)
    ]


def test_a_retry_leaves_out_a_refused_address_whose_reader_has_left_since(db: Database) -> None:
    a, b = add_readers(db, 2)
    spool = freeze(db)
    spool.claim(9)
    spool.settle([(a, 1, GONE, ""), (b, 1, POLICY, "")])
    for number in (a, b):
        assert unsubscribe(db, number, source="page")
    assert status(db, a) == "unsubscribed"  # and bounced no more
    assert spool.retry_all() == (1, 1)
    assert [state for _, state, *_ in spool.each()] == ["rejected", "pending"]


def test_only_who_bounced_is_restored(db: Database) -> None:
    a, b = add_readers(db, 2)
    spool = freeze(db)
    spool.claim(9)
    spool.settle([(b, 1, GONE, "")])
    suppress(db, "reader2@example.org", "asked by letter")
    for number, why in ((a, "has not bounced but is active"), (b, "has been on the suppression list since")):
        person = get(db, number)
        assert person is not None
        with pytest.raises(AudienceError, match=why):
            restore_bounced_subscriber(db, person, reason="x")
    assert status(db, b) == "bounced"
    assert restore_subscribers_bounced_in_campaign(db, spool.campaign.id, reason="x") == 0


def test_a_campaign_gives_back_those_it_marked_itself(db: Database) -> None:
    a, b, c = add_readers(db, 3)
    first = freeze(db, "first")
    first.claim(9)
    first.settle([(n, 1, GONE, "") for n in (a, b)])
    assert restore_subscribers_bounced_in_campaign(db, first.campaign.id, reason="their outage") == 2
    second = freeze(db, "second")
    second.claim(9)
    second.settle([(b, 1, GONE, ""), (c, 1, GONE, "")])
    assert restore_subscribers_bounced_in_campaign(db, first.campaign.id, reason="their outage") == 0
    assert restore_subscribers_bounced_in_campaign(db, second.campaign.id, reason="their outage") == 2
    assert {status(db, n) for n in (a, b, c)} == {"active"}
    told = db.conn.execute("SELECT count(*) FROM events WHERE kind = 'restore' AND reason = 'their outage'")
    assert told.fetchone() == (4,)


def test_answers_are_gathered_by_cause_and_the_commonest_told(db: Database) -> None:
    ids = add_readers(db, 12)
    spool = freeze(db)
    spool.claim(99)
    words = [f"550 5.7.{n} <reader{n}@example.org> no" for n in range(8)]
    spool.settle(
        [
            *(
                (n, 1, Outcome(OutcomeKind.REJECTED, "", w, Cause.US), "")
                for n, w in zip(ids, words, strict=False)
            ),
            *((n, 1, GONE, "") for n in ids[8:]),
        ]
    )
    us, address = spool.non_delivery_reasons()
    assert (us.cause, us.number, len(us.words)) == ("us", 8, 5)
    assert address == ReasonGroup("rejected", "address", 4, (ReplyText("550 5.1.1 no such user", 4),))


def test_answers_that_differ_only_in_an_address_are_one_with_an_example(db: Database) -> None:
    ids = add_readers(db, 30)
    spool = freeze(db)
    spool.claim(99)
    said = [f"550 5.1.1 <reader{n}@example.org>: via bounces+t{n}@example.net: unknown" for n in ids]
    spool.settle(
        [
            (n, 1, Outcome(OutcomeKind.REJECTED, "", w, Cause.ADDRESS), "")
            for n, w in zip(ids, said, strict=True)
        ]
    )
    (reason,) = spool.non_delivery_reasons()
    assert reason.words == (ReplyText(min(said), 30, varies=True),)


@pytest.mark.parametrize(
    ("url", "source"),
    [("smtp://mx:25", "smtp"), ("smtps://mx", "smtp"), ("sendgrid:", "sendgrid"), ("outbox:o", "outbox")],
)
def test_the_source_is_how_we_learn_of_it(url: str, source: str) -> None:
    assert event_source_of(url) == source

"""A delivery changes its state in the spool, in committed steps, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.consent.suppression import suppress
from mailer.audience.subscribers import erase, unsubscribe
from mailer.campaign.delivery_state import STATES
from mailer.campaign.status import Event
from mailer.errors import CampaignError
from mailer.spool.journal import Journal, read_begun_claims, read_journal
from mailer.spool.recover import adopt_journal_outcomes
from mailer.spool.values import ParkedClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.spooled import DeskSpool, add_readers, campaigns, find_campaign, freeze

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "id", "250 ok")
NOWHERE = Path("no-journal-there")


def noted(path: Path, begun: list[tuple[int, int]], outcomes: list[tuple[int, int, Outcome]]) -> Path:
    """A journal that a run of this boot left."""
    journal = Journal(path)
    journal.note_begun_deliveries(begun)
    journal.note_outcomes(outcomes)
    journal.close()
    return path


def counted(spool: DeskSpool, **states: int) -> bool:
    return bool(spool.delivery_counts_by_state() == {**dict.fromkeys(STATES, 0), **states})


def test_everybody_in_the_plan_is_pending(db: Database) -> None:
    add_readers(db, 3)
    assert counted(freeze(db), pending=3)


def test_a_claim_is_ours_alone(db: Database) -> None:
    ids = add_readers(db, 3)
    spool = freeze(db)
    first = spool.claim(2) or []
    assert [claim.person for claim in first] == ids[:2]
    assert first[0].attempt == 1
    assert [claim.person for claim in spool.claim(9) or ()] == ids[2:]
    assert spool.claim(9) is None
    assert counted(spool, sending=3)


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_pause_and_a_cancel_win_until_the_claim(db: Database, status: str) -> None:
    """A run that slept meanwhile (a laptop, Ctrl-Z) must not send what another campaign may hold by now."""
    add_readers(db, 3)
    spool = freeze(db)
    assert len(spool.claim(1) or ()) == 1
    spool.set_status(status)
    assert spool.claim(9) is None
    assert counted(spool, sending=1, pending=2)


@pytest.mark.parametrize("number", [3, 40])
def test_who_is_erased_on_the_wire_leaves_no_words_behind(db: Database, number: int) -> None:
    ids = add_readers(db, number)
    spool = freeze(db)
    spool.claim(99)
    erase(db, ids[0])
    no = Outcome(
        OutcomeKind.REJECTED, reason="550 5.1.1 <reader1@example.org>: no such user", cause=Cause.ADDRESS
    )
    spool.settle([(who, 1, no, "") for who in ids])
    reasons = [reason for *_, reason in spool.each()]
    assert reasons == ["", *["550 5.1.1 <[erased]>: no such user"] * (number - 1)]
    assert counted(spool, rejected=number)


def test_an_unsubscribe_wins_until_the_claim(db: Database) -> None:
    ids = add_readers(db, 4)
    spool = freeze(db)
    unsubscribe(db, ids[0], source="page")
    unsubscribe(db, ids[1], edition="morning", source="page")
    erase(db, ids[2])
    suppress(db, "reader4@example.org", "asked by letter")
    assert spool.claim(9) == []
    assert counted(spool, skipped=4)
    assert {words for reason in spool.non_delivery_reasons() for words, *_ in reason.words} == {
        "unsubscribed",
        "not_subscribed",
        "erased",
        "suppressed",
    }


def test_who_left_after_a_refusal_is_not_said_to_be_tried_again(db: Database) -> None:
    ids = add_readers(db, 2)
    spool = freeze(db)
    spool.claim(9)
    busy = Outcome(OutcomeKind.DEFERRED, reason="451 4.3.0 busy", cause=Cause.THEM)
    spool.settle([(ids[0], 1, busy, ""), (ids[1], 1, busy, "")])
    unsubscribe(db, ids[0], source="page")
    erase(db, ids[1])
    assert spool.claim(9) == []
    assert {(reason.state, reason.cause) for reason in spool.non_delivery_reasons()} == {("skipped", "")}


def test_a_batch_of_people_who_left_is_not_the_end(db: Database) -> None:
    ids = add_readers(db, 5)
    spool = freeze(db)
    for number in ids[:4]:
        unsubscribe(db, number, source="page")
    assert spool.claim(2) == []
    assert spool.claim(2) == []
    assert [claim.person for claim in spool.claim(2) or ()] == [ids[4]]
    assert spool.claim(2) is None


def test_a_claim_does_not_meet_who_is_parked(db: Database) -> None:
    slow = add_readers(db, 2, "slow.test")
    add_readers(db, 1, "fast.test")
    spool = freeze(db)
    claims = spool.claim(9) or []
    spool.park([ParkedClaim(claim.person, claim.attempt, 4e9) for claim in claims if claim.person in slow])
    assert spool.claim(9) is None
    assert spool.first_pending_due_time() == 4e9
    spool.make_parked_deliveries_due()
    assert [claim.person for claim in spool.claim(9) or ()] == slow


def test_settling_writes_what_became_of_each(db: Database) -> None:
    a, b, c, d = add_readers(db, 4)
    spool = freeze(db)
    spool.claim(9)
    spool.settle(
        [
            (a, 1, ACCEPTED, ""),
            (b, 1, Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no"), ""),
            (c, 1, Outcome(OutcomeKind.DEFERRED, "", "451 later"), "2999-01-01T00:00:00.000000Z"),
            (d, 1, Outcome(OutcomeKind.UNCERTAIN, "", "the line went dead"), ""),
        ]
    )
    assert counted(spool, accepted=1, rejected=1, deferred=1, uncertain=1)
    assert list(spool.each()) == [
        (a, "accepted", 1, "id", "250 ok"),
        (b, "rejected", 1, "", "550 5.1.1 no"),
        (c, "deferred", 1, "", "451 later"),
        (d, "uncertain", 1, "", "the line went dead"),
    ]
    assert spool.next_deferred_due_time() == "2999-01-01T00:00:00.000000Z"
    assert spool.claim(9) is None


def test_an_outcome_of_an_older_claim_changes_nothing(db: Database) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    spool.claim(1)
    spool.release([(a, 1)])
    assert [claim.attempt for claim in spool.claim(1) or ()] == [2]
    spool.settle([(a, 1, ACCEPTED, "")])
    spool.release([(a, 1)])
    assert counted(spool, sending=1)
    spool.settle([(a, 2, ACCEPTED, "")])
    spool.settle([(a, 2, Outcome(OutcomeKind.REJECTED), "")])
    assert counted(spool, accepted=1)


def test_a_deferred_delivery_is_claimed_when_it_is_due(db: Database) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    spool.claim(1)
    spool.settle([(a, 1, Outcome(OutcomeKind.DEFERRED), "2000-01-01T00:00:00.000000Z")])
    assert [claim.attempt for claim in spool.claim(1) or ()] == [2]
    spool.settle([(a, 2, Outcome(OutcomeKind.DEFERRED), "2999-01-01T00:00:00.000000Z")])
    assert spool.claim(1) is None
    spool.make_deferred_deliveries_due()
    assert [claim.attempt for claim in spool.claim(1) or ()] == [3]


def test_after_a_kill_the_journal_settles_what_it_knows(db: Database, journal: Path) -> None:
    a, b, c = add_readers(db, 3)
    spool = freeze(db)
    spool.claim(9)
    noted(journal, [(a, 1), (b, 1)], [(a, 1, ACCEPTED)])
    assert spool.recover(journal) == {"pending": 1, "accepted": 1, "uncertain": 1}
    assert [row[1] for row in spool.each()] == ["accepted", "uncertain", "pending"]
    assert [claim.person for claim in spool.claim(9) or ()] == [c]


def test_after_a_power_cut_a_claim_without_an_outcome_is_uncertain(
    db: Database, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = add_readers(db, 2)
    spool = freeze(db)
    spool.claim(9)
    noted(journal, [(a, 1)], [(a, 1, ACCEPTED)])
    monkeypatch.setattr("mailer.spool.journal.boot_id", lambda: "another")
    assert spool.recover(journal) == {"accepted": 1, "uncertain": 1}


def test_nothing_to_recover_is_nothing_done(db: Database) -> None:
    add_readers(db, 1)
    assert freeze(db).recover(NOWHERE) == {}


@pytest.mark.parametrize(("resend", "state"), [(True, "pending"), (False, "accepted")])
def test_the_operator_settles_what_is_uncertain(db: Database, resend: bool, state: str) -> None:
    add_readers(db, 2)
    spool = freeze(db)
    spool.claim(1)
    spool.recover(NOWHERE)
    assert spool.resolve_uncertain_deliveries(resend=resend) == 1
    assert spool.delivery_counts_by_state()[state] == 1 + resend


def test_a_retry_leaves_alone_what_may_have_arrived(db: Database) -> None:
    a, b, c, d = add_readers(db, 4)
    spool = freeze(db)
    spool.claim(9)
    kinds = (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN)
    spool.settle([(n, 1, Outcome(kind), "") for n, kind in zip((a, b, c, d), kinds, strict=True)])
    assert spool.retry_all() == (2, 0)
    assert counted(spool, accepted=1, pending=2, uncertain=1)


def test_a_status_changes_only_from_where_it_may(db: Database) -> None:
    add_readers(db, 1)
    spool = freeze(db)
    assert spool.status() == "ready"
    assert spool.apply_event(Event.BEGIN)
    started = find_campaign(db, "2026-11-21-morning").started_at
    assert started
    assert not spool.apply_event(Event.RESUME)
    assert spool.apply_event(Event.COMPLETE, "done")
    campaign = find_campaign(db, "2026-11-21-morning")
    assert (campaign.status, campaign.status_note, campaign.started_at) == ("sent", "done", started)
    assert campaign.finished_at
    assert campaign.plan == {"recipients": 1}


def test_a_campaign_that_is_not_there_is_told_with_the_nearest(db: Database) -> None:
    with pytest.raises(CampaignError, match="`mailer campaigns list` shows"):
        find_campaign(db, "x")
    add_readers(db, 1)
    freeze(db)
    assert [campaign.slug for campaign in campaigns(db)] == ["2026-11-21-morning"]
    with pytest.raises(CampaignError, match='did you mean "2026-11-21-morning"'):
        find_campaign(db, "2026-11-12-morning")


def test_open_deliveries_are_found_by_their_index(db: Database) -> None:
    add_readers(db, 1)
    spool = freeze(db)
    asked: list[str] = []
    db.conn.set_trace_callback(asked.append)
    spool.claim(1)
    spool.next_deferred_due_time()
    spool.recover(NOWHERE)
    db.conn.set_trace_callback(None)
    questions = [sql for sql in asked if sql.startswith("SELECT") and "deliveries" in sql]
    assert len(questions) == 3
    for sql in questions:
        assert "deliveries_open" in str(db.conn.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())


# -- deferred, given up, in a folder ----------------------------------------------------------

DEFERRED = Outcome(OutcomeKind.DEFERRED, reason="451 later", cause=Cause.MAILBOX)


def due_times(spool: DeskSpool) -> list[str | None]:
    rows = spool.database.conn.execute("SELECT due_at FROM deliveries ORDER BY subscriber_id").fetchall()
    return [row[0] for row in rows]


def deferred(db: Database, *due: str) -> DeskSpool:
    """A campaign in which everybody is deferred, each until a time of their own."""
    ids = add_readers(db, len(due))
    spool = freeze(db)
    spool.claim(99)
    spool.settle([(number, 1, DEFERRED, moment) for number, moment in zip(ids, due, strict=True)])
    return spool


def test_a_wrong_clock_is_no_reason_to_try_again_what_was_given_up(db: Database) -> None:
    soon, late = "2026-11-21T08:00:00.000000Z", "2027-01-01T00:00:00.000000Z"
    spool = deferred(db, soon, late, "")
    db.conn.execute("UPDATE deliveries SET held = (subscriber_id = (SELECT max(id) FROM subscribers))")
    spool.make_deferred_deliveries_due(due_after="2026-11-21T13:00:00.000000Z")
    assert due_times(spool) == [soon, None, None]
    spool.make_deferred_deliveries_due()
    assert due_times(spool) == [None, None, None]
    assert len(spool.claim(9) or ()) == 3


def test_what_is_deferred_counts_from_its_first_refusal(db: Database) -> None:
    spool = deferred(db, "")
    (first,) = spool.database.conn.execute("SELECT deferred_since FROM deliveries").fetchone()
    (claim,) = spool.claim(9) or []
    assert claim.deferred_since == first != ""
    spool.settle([(claim.person, 2, DEFERRED, "")])
    assert spool.database.conn.execute("SELECT deferred_since FROM deliveries").fetchone() == (first,)
    spool.claim(9)
    spool.settle([(claim.person, 3, Outcome(OutcomeKind.REJECTED), "")])
    assert spool.retry_all() == (1, 0)
    assert spool.database.conn.execute("SELECT deferred_since FROM deliveries").fetchone() == ("",)


def test_what_is_deferred_for_too_long_is_rejected_and_nobody_is_blamed(db: Database) -> None:
    spool = deferred(db, "", "")
    db.conn.execute(
        "UPDATE deliveries SET deferred_since = '2026-11-20T00:00:00.000000Z' WHERE subscriber_id = 1"
    )
    assert spool.reject_expired_deliveries("2026-11-20T00:00:00.000000Z") == 0
    assert spool.reject_expired_deliveries("2026-11-20T00:00:01.000000Z") == 1
    assert counted(spool, rejected=1, deferred=1)
    rejected, left = spool.non_delivery_reasons()
    assert {rejected.cause, left.cause} == {"them", "mailbox"}
    assert db.conn.execute("SELECT DISTINCT status FROM subscribers").fetchall() == [("active",)]


def test_a_copy_in_a_folder_is_no_delivery(db: Database) -> None:
    ids = add_readers(db, 3)
    spool = freeze(db)
    spool.claim(9)
    spool.settle([(ids[0], 1, Outcome(OutcomeKind.ACCEPTED, "x.eml"), "")])
    assert (spool.count_folder_copies(), spool.reached_nobody(including_folder_copies=True)) == (1, False)
    spool.source = "smtp"
    assert not spool.reached_nobody()  # two are on their way
    spool.settle([(number, 1, Outcome(OutcomeKind.REJECTED), "") for number in ids[1:]])
    assert spool.reached_nobody()
    assert spool.reopen_folder_copies() == 1
    assert counted(spool, pending=1, rejected=2)
    assert (spool.count_folder_copies(), spool.reached_nobody(including_folder_copies=True)) == (0, True)


def test_a_journal_that_is_ahead_is_adopted_once_and_never_takes_back(db: Database, journal: Path) -> None:
    a, b, c, _ = add_readers(db, 4)
    spool = freeze(db)
    written = Journal(journal)
    written.note_begun_deliveries([(n, 1) for n in (a, b, c)])
    written.note_outcomes(
        [(a, 1, Outcome(OutcomeKind.ACCEPTED, "250 ok")), (b, 1, Outcome(OutcomeKind.REJECTED, reason="no"))]
    )
    written.close()
    db.conn.execute("UPDATE deliveries SET state = 'accepted' WHERE subscriber_id = ?", [b])
    for _ in range(2):
        adopt_journal_outcomes(spool, read_journal(journal))
        assert counted(spool, accepted=2, uncertain=1, pending=1)
    row = db.conn.execute("SELECT attempt, provider_id FROM deliveries WHERE subscriber_id = ?", [a])
    assert row.fetchone() == (1, "250 ok")
    assert spool.count_unknown_claims(read_begun_claims(journal)) <= 1

"""After a run that died: every command tells the truth at once, and what it decides is decided on that."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.campaign.status import Event
from mailer.config import Settings, load_settings
from mailer.services.campaigns import decisions as control
from mailer.services.workspace import make_workspace
from mailer.spool.journal import Journal
from mailer.spool.lock import campaign_lock
from mailer.store.database import open_store
from mailer.store.last_run import read_last_run
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from tests.cli import run
from tests.desk import ISSUE, MAIL, SLUG
from tests.spooled import Scripted, find_campaign, open_spool

READERS = 20
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")

pytestmark = [
    pytest.mark.wire(url=MAIL),
    pytest.mark.usefixtures("wire", "desk"),
    pytest.mark.desk(readers=READERS),
]


def die(desk: Path, monkeypatch: pytest.MonkeyPatch, *, handed: int = 3, answered: int = 2) -> list[int]:
    """A run that claims everybody, hands over to `handed`, hears of `answered`, and dies; gives the ids."""
    settings = load_settings(desk)
    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.sending.run.deliver", lambda *_, **__: exit(9))
        patch.setattr("mailer.services.sending.run.conclude_failed_run", lambda *_, **__: None)
        assert run(desk, "send", ISSUE, "--yes").status == 9
    with closing(open_store(settings.database)) as db:
        spool = open_spool(db, find_campaign(db, SLUG))
        claims = spool.claim(READERS) or []
        keys = [(claim.person, claim.attempt) for claim in claims]
        known = read_last_run(db)
        assert known is not None
        journal = Journal(settings.root / ".mailer" / f"{SLUG}.journal", known.token)
        for key in keys[:handed]:
            journal.note_begun_deliveries([key])
        for key in keys[:answered]:
            journal.note_outcomes([(*key, ACCEPTED)])
        journal.close()
        assert spool.status() == "sending"
        assert spool.delivery_counts_by_state()["sending"] == READERS
    return [subscriber for subscriber, _ in keys]


def counts(desk: Path) -> dict[str, int]:
    shown = run(desk, "campaigns", "show", SLUG, "--json").json
    return {state: number for state, number in shown["counts"].items() if number}


def manifest(desk: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    return found


TRUTH = {"accepted": 2, "uncertain": 1, "pending": READERS - 3}


def test_show_says_the_truth_at_once(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch)
    shown = run(desk, "campaigns", "show", SLUG, "--json").json
    assert {state: n for state, n in shown["counts"].items() if n} == TRUTH
    assert (shown["status"], shown["note"]) == (
        "stopped",
        "the process died before the end of the run",
    )
    assert manifest(desk)["status"] == "stopped"


def test_the_list_says_what_the_campaign_waits_for(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch)
    line = run(desk, "campaigns", "list").out
    assert f"stopped            2 of {READERS}  " in line
    assert f"[waits for `mailer send {ISSUE}`]" in line


def test_a_plan_says_how_many_are_left(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch)
    assert run(desk, "plan", ISSUE, "--json").json["left"] == READERS - 3


def test_deliveries_name_who_is_uncertain(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch)
    (found,) = run(desk, "campaigns", "deliveries", SLUG, "--state", "uncertain", "--json").json
    assert found["address"] == "reader2@example.org"
    assert "while this message was being handed over" in found["reason"]
    told = run(desk, "campaigns", "deliveries", SLUG, "--state", "uncertain").out
    assert told.startswith("reader2@example.org")
    assert "  uncertain   " in told


def test_resolve_settles_what_the_dead_run_left(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch)
    ran = run(desk, "campaigns", "resolve", SLUG, "--assume-sent")
    assert (ran.status, ran.out) == (0, "1 uncertain delivery counts as accepted.\n")
    assert counts(desk) == {"accepted": 3, "pending": READERS - 3}


def test_the_next_send_says_who_became_uncertain(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch, handed=9)
    settings = load_settings(desk)
    with closing(open_store(settings.database)) as db:
        spool = open_spool(db, find_campaign(db, SLUG))
        spool.set_status("paused")  # so that nothing is recovered before
    ran = run(desk, "campaigns", "resume", SLUG)
    assert ran.status == 1
    assert (
        "An earlier run died while 7 messages were being handed over, now uncertain (reader2@example.org, "
        "reader3@example.org, reader4@example.org, reader5@example.org, reader6@example.org, …); "
        f"settle them with `mailer campaigns resolve {SLUG}`." in ran.out
    )
    assert len(wire.sent) == READERS - 9


@pytest.mark.parametrize(("verb", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_decision_after_a_kill_recovers_first(
    desk: Path, monkeypatch: pytest.MonkeyPatch, verb: str, status: str
) -> None:
    die(desk, monkeypatch)
    ran = run(desk, "campaigns", verb, SLUG)
    assert ran.status == 0
    assert ran.out.startswith(f"Campaign {SLUG} is {status}.\n  pending           17\n")
    assert f"`mailer campaigns resolve {SLUG}` settles the uncertain deliveries." in ran.out
    assert counts(desk) == TRUTH
    told = manifest(desk)
    assert told["status"] == status
    assert {s: n for s, n in told["counts"].items() if n} == TRUTH  # type: ignore[attr-defined]


def test_a_follow_up_after_kill_and_cancel_reaches_all_who_have_nothing(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = die(desk, monkeypatch)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert run(desk, "send", ISSUE, "--yes", "--segment", 'name != "nobody"').status == 0
    assert len(wire.sent) == READERS - 3
    assert not set(wire.sent) & {f"reader{number - 1}@example.org" for number in ids[:3]}


def test_retry_after_a_kill_recovers_first(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    assert run(desk, "campaigns", "retry", SLUG).status == 1  # one is uncertain
    assert counts(desk) == {"accepted": READERS - 1, "uncertain": 1}
    assert len(wire.sent) == READERS - 3


def test_a_campaign_of_an_earlier_version_that_was_cancelled_after_a_kill_is_recovered_when_looked_at(
    desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    open_spool(db, find_campaign(db, SLUG)).set_status("cancelled")
    shown = run(desk, "campaigns", "show", SLUG, "--json").json
    assert (shown["status"], shown["counts"]["sending"], shown["counts"]["pending"]) == ("cancelled", 0, 17)


def test_run_due_tells_who_became_uncertain_and_ends_with_1(
    desk: Path, db: Database, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    db.conn.execute("UPDATE campaigns SET due_at = '2020-01-01T00:00:00.000000Z'")
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "17 accepted; sent; an earlier run died while 1 message was being handed over" in ran.out + ran.err
    assert "(reader2@example.org)" in ran.out + ran.err
    assert counts(desk) == {"accepted": READERS - 1, "uncertain": 1}


# -- beside a living run --------------------------------------------------------------------


def test_nothing_is_recovered_beside_a_living_run(
    desk: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    with campaign_lock(settings, SLUG):
        assert counts(desk) == {"sending": READERS}
        assert "[is being sent]" in run(desk, "campaigns", "list").out
        for words in (("resolve", SLUG, "--resend"), ("retry", SLUG)):
            ran = run(desk, "campaigns", *words)
            assert ran.status == 1
            assert "is being sent by process" in ran.err


def test_a_cancel_beside_a_run_that_does_not_end_says_so(
    desk: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    monkeypatch.setattr(control, "WAIT_SECONDS", 0.1)
    with campaign_lock(settings, SLUG):
        ran = run(desk, "campaigns", "cancel", SLUG)
        assert ran.status == 0
        assert ran.out == (
            f"Campaign {SLUG} is cancelled.\n"
            "A run of the campaign still waits for a server's answer, and ends when the answer comes.\n"
        )
        assert counts(desk) == {"sending": READERS}


def test_a_run_that_is_cancelled_settles_and_writes_the_manifest(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.loop.POLL_SECONDS", 0.0)
    monkeypatch.setattr("mailer.delivery.intake._CHUNK", 1)
    monkeypatch.setenv("MAILER_PACE_LIMIT", "50/s")
    looked: list[str] = []

    def decide(message: OutgoingMessage) -> Outcome:
        if not looked:
            looked.append(message.address)
            with closing(open_store(desk / "subscribers.db")) as db:
                control._apply_event_to_campaign(open_spool(db, find_campaign(db, SLUG)), Event.CANCEL)
        return ACCEPTED

    wire.decide, wire.concurrency = decide, 1
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "The campaign was cancelled; what it has not sent stays unsent." in ran.out
    found = counts(desk)
    assert found["accepted"] + found["pending"] == READERS
    assert manifest(desk)["status"] == "cancelled"


def test_a_cancel_recovers_a_run_that_dies_while_it_waits(
    desk: Path, settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    lock = campaign_lock(settings, SLUG)
    lock.__enter__()
    waits = iter(("it runs", "it dies"))

    def sleep(_: float) -> None:
        if next(waits) == "it dies":
            lock.__exit__(None, None, None)

    spool = open_spool(db, find_campaign(db, SLUG))
    spool.set_status("cancelled")
    assert control._wait_for_run_end(make_workspace(settings, db), SLUG, seconds=1.0, sleep=sleep)
    assert spool.delivery_counts_by_state()["sending"] == 0
    assert manifest(desk)["status"] == "cancelled"


def test_a_second_cancel_brings_the_manifest_in_step(
    desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    open_spool(db, find_campaign(db, SLUG)).set_status(
        "cancelled"
    )  # and the process died before the manifest
    ran = run(desk, "campaigns", "cancel", SLUG)
    assert ran.status == 2
    assert "is cancelled, so it cannot be cancelled" in ran.err
    assert manifest(desk)["status"] == "cancelled"
    assert counts(desk) == TRUTH


# -- an older copy of the database ----------------------------------------------------------


def test_a_cancel_of_an_older_database_takes_over_what_the_journal_knows(
    desk: Path, wire: Scripted, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch, handed=5, answered=4)
    db.conn.execute("UPDATE deliveries SET state = 'pending', attempt = 0")  # as before the claims
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "is older than .mailer/" in ran.err
    assert run(desk, "campaigns", "pause", SLUG).status == 1
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert counts(desk) == {"accepted": 4, "uncertain": 1, "pending": READERS - 5}
    assert run(desk, "send", ISSUE, "--yes", "--segment", 'name != "nobody"').status == 0
    assert len(wire.sent) == READERS - 5


def test_a_cancel_of_a_copy_from_before_the_last_run_leaves_nobody_for_another_campaign(
    desk: Path, wire: Scripted, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs before the last one handed over is in no journal any more."""
    die(desk, monkeypatch, handed=5, answered=4)
    db.conn.execute("UPDATE deliveries SET state = 'pending', attempt = 0")
    db.conn.execute("UPDATE last_run SET token = 'an earlier one'")
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert counts(desk) == {"accepted": 4, "uncertain": READERS - 4}
    assert run(desk, "send", ISSUE, "--yes", "--segment", 'name != "nobody"').status == 2
    assert wire.sent == []


def test_a_copy_from_the_middle_of_a_run_sends_nothing_whatever_is_looked_at_before(
    desk: Path, wire: Scripted, db: Database
) -> None:
    run(desk, "send", ISSUE, "--yes")
    db.conn.execute("UPDATE campaigns SET status = 'sending'")
    db.conn.execute("UPDATE deliveries SET state = 'sending' WHERE subscriber_id <= 5")
    db.conn.execute("UPDATE deliveries SET state = 'pending' WHERE subscriber_id > 10")
    for words in (
        ("list",),
        ("show", SLUG),
        ("pause", SLUG),
        ("resolve", SLUG, "--resend"),
    ):
        run(desk, "campaigns", *words)
    for words in (("send", ISSUE, "--yes"), ("campaigns", "resume", SLUG), ("campaigns", "retry", SLUG)):
        ran = run(desk, *words)
        assert ran.status in (1, 2), words
        assert "is older than campaigns/" in ran.err, words
    assert len(wire.sent) == READERS
    assert manifest(desk)["counts"]["accepted"] == READERS  # type: ignore[index]
    assert run(desk, "campaigns", "cancel", SLUG).status == 0  # as the sentence says
    assert run(desk, "send", ISSUE, "--yes").status == 2
    assert run(desk, "send", ISSUE, "--yes", "--segment", 'name != "nobody"').status == 2
    assert len(wire.sent) == READERS


# -- one person -----------------------------------------------------------------------------


def test_one_uncertain_person_is_settled(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    die(desk, monkeypatch, handed=5, answered=2)
    ran = run(desk, "campaigns", "resolve", SLUG, "--assume-sent", "--address", "READER3@example.org")
    assert ran.status == 0
    assert counts(desk) == {"accepted": 3, "uncertain": 2, "pending": READERS - 5}
    for address, why in (
        ("reader3@example.org", "is accepted, not uncertain"),
        ("nobody@example.org", "is not among the readers of campaign"),
        ("no address", "is not an email address"),
    ):
        ran = run(desk, "campaigns", "resolve", SLUG, "--assume-sent", "--address", address)
        assert ran.status == 2, address
        assert why in ran.err or address == "no address"


def test_one_person_is_tried_again(desk: Path, wire: Scripted) -> None:
    wire.decide = lambda m: Outcome(OutcomeKind.REJECTED, "", f"554 5.7.1 <{m.address}> no")
    assert run(desk, "send", ISSUE, "--yes").status == 1
    wire.decide = lambda _: ACCEPTED
    before = len(wire.sent)
    assert run(desk, "campaigns", "retry", SLUG, "--address", "reader7@example.org").status == 1
    assert wire.sent[before:] == ["reader7@example.org"]
    assert counts(desk) == {"accepted": 1, "rejected": READERS - 1}
    assert "left out" not in run(desk, "campaigns", "retry", SLUG, "--address", "reader8@example.org").out
    assert wire.sent[before:] == ["reader7@example.org", "reader8@example.org"]
    ran = run(desk, "campaigns", "retry", SLUG, "--address", "reader7@example.org")
    assert ran.status == 2
    assert "is accepted, not rejected or deferred" in ran.err


def test_one_uncertain_person_is_sent_to_alone(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch, handed=5, answered=2)
    ran = run(desk, "campaigns", "resolve", SLUG, "--resend", "--address", "reader3@example.org")
    assert ran.status == 1
    assert wire.sent == ["reader3@example.org"]
    assert counts(desk) == {"accepted": 3, "uncertain": 2, "pending": READERS - 5}


def test_deliveries_are_listed_by_state_and_address(desk: Path, wire: Scripted) -> None:
    wire.decide = lambda m: (
        Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user")
        if m.address == "reader7@example.org"
        else Outcome(OutcomeKind.DEFERRED, "", "451 later")
        if m.address == "reader8@example.org"
        else ACCEPTED
    )
    run(desk, "send", ISSUE, "--yes")
    everybody = run(desk, "campaigns", "deliveries", SLUG, "--json").json
    assert len(everybody) == READERS
    assert {d["state"] for d in everybody} == {"accepted", "rejected", "deferred"}
    line = run(desk, "campaigns", "deliveries", SLUG, "--state", "rejected").out
    assert line.startswith("reader7@example.org ")
    assert line.endswith("  550 5.1.1 no such user\n")
    assert "next try " in run(desk, "campaigns", "deliveries", SLUG, "--state", "deferred").out
    (one,) = run(desk, "campaigns", "deliveries", SLUG, "--address", "reader8@example.org", "--json").json
    assert (one["state"], one["attempts"], one["in_folder"]) == ("deferred", 1, False)
    assert run(desk, "campaigns", "deliveries", SLUG, "--state", "skipped").out == "No delivery matches.\n"
    ran = run(desk, "campaigns", "deliveries", SLUG, "--state", "lost")
    assert (ran.status, ran.out) == (2, "")
    assert '"lost" is not a delivery state; choose one of pending, sending, accepted' in ran.err


def test_an_erased_person_is_listed_by_number(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    assert run(desk, "subscribers", "erase", "reader3@example.org", "--yes").status == 0
    assert "(erased, number 4)" in run(desk, "campaigns", "deliveries", SLUG).out


def test_what_is_held_back_is_listed_so(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes", "--canary", "5%", "--hold", "ask")
    assert "  held back\n" in run(desk, "campaigns", "deliveries", SLUG, "--state", "pending").out


@pytest.mark.parametrize("words", [("retry",), ("resolve", "--resend"), ("cancel",), ("pause",), ("resume",)])
def test_a_name_that_is_no_campaign_writes_nothing(desk: Path, words: tuple[str, ...]) -> None:
    precious = desk / "poetry.lock"
    precious.write_text("precious\n")
    before = sorted(desk.rglob("*.lock"))
    for slug in (str(desk / "poetry"), "../poetry", "2026-11-21-mornin"):
        ran = run(desk, "campaigns", words[0], slug, *words[1:])
        assert ran.status == 2, slug
        assert "there is no campaign" in ran.err
    assert precious.read_text() == "precious\n"
    assert sorted(desk.rglob("*.lock")) == before


def test_what_a_dead_run_mailed_is_no_copy_in_a_folder_whatever_goes_on_with_it(
    desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(desk, monkeypatch)
    run(desk, "send", ISSUE, "--yes", "--transport", "outbox:outbox")
    spool = open_spool(db, find_campaign(db, SLUG))
    assert spool.delivery_counts_by_state()["uncertain"] == 1
    assert spool.count_folder_copies() == READERS - 3

"""`subscribers show` prints the data and the history of a person, with each reason that was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.audience.consent.record import Consent
from mailer.audience.subscribers import set_editions, unsubscribe
from mailer.store.database import open_store
from tests.cli import run
from tests.desk import ISSUE, SLUG

WHO = "reader0@example.org"

pytestmark = pytest.mark.desk(readers=2)


def test_the_whole_story_of_a_reader_is_told(desk: Path) -> None:
    assert run(desk, "send", ISSUE, "--yes").status == 0
    db = open_store(desk / "subscribers.db")
    unsubscribe(db, 1, edition="evening", source="page", reason="no evenings")
    unsubscribe(db, 1, campaign_id=1, source="one-click", reason="too much")
    set_editions(db, 1, ["morning"], consent=Consent("2026-01-02T00:00:00.000000Z", "preferences", "page"))
    db.close()
    (desk / "bad.csv").write_text(f"email,status\n{WHO},bounced\n")
    run(desk, "subscribers", "import", "bad.csv")
    run(desk, "subscribers", "restore", WHO, "--reason", "they wrote from it")
    run(desk, "subscribers", "unsubscribe", WHO, "--reason", "by letter")
    run(desk, "subscribers", "unsubscribe", WHO, "--reason", "and by phone")
    run(desk, "subscribers", "add", WHO, "--consent", "at the fair")
    run(desk, "subscribers", "suppress", WHO, "--reason", "their lawyer")
    run(desk, "subscribers", "suppress", WHO, "--reason", "their lawyer again")

    story = run(desk, "subscribers", "show", WHO, "--json").json
    told = [
        (one["what"], one["edition"], one["campaign"], one["source"], one["reason"])
        for one in story["history"]
    ]
    assert told == [
        ("unsubscribe", "evening", "", "page", "no evenings"),
        ("unsubscribe", "", SLUG, "one-click", "too much"),
        ("subscribe", "", "", "preferences", ""),
        ("unsubscribe", "feature", "", "preferences", ""),
        ("bounce", "", "", "import", "an imported list says so"),
        ("restore", "", "", "cli", "they wrote from it"),
        ("unsubscribe", "", "", "cli", "by letter; and by phone"),
        ("subscribe", "", "", "cli", ""),
        ("suppress", "", "", "cli", "their lawyer"),
    ]
    methods = {consent["method"] for consent in story["consents"]}
    assert methods == {"import", "preferences", "at the fair"}
    assert story["suppressed"]["reason"] == "their lawyer; their lawyer again"
    (delivery,) = story["deliveries"]
    assert (delivery["campaign"], delivery["state"], delivery["in_folder"]) == (SLUG, "accepted", True)

    out = run(desk, "subscribers", "show", WHO).out
    for words in (
        ": evening, unsubscribe page: no evenings\n",
        f": everything, by campaign {SLUG}, one-click: too much\n",
        ": command line: they wrote from it\n",
        ": everything, command line: by letter; and by phone\n",
        ": at the fair command line\n",
        ": their lawyer; their lawyer again\n",
        f"Delivery     {SLUG}: accepted at ",
    ):
        assert words in out, words


def test_the_reason_for_an_address_of_nobody_can_be_read_again(desk: Path) -> None:
    run(desk, "subscribers", "suppress", "zoe@example.org", "--reason", "by letter")
    run(desk, "subscribers", "suppress", "zoe@example.org", "--reason", "by phone, too")
    ran = run(desk, "subscribers", "show", "ZOE@example.org")
    assert ran.status == 0
    assert "Status       not a subscriber\n" in ran.out
    assert ": by letter; by phone, too\n" in ran.out
    told = run(desk, "subscribers", "show", "zoe@example.org", "--json").json
    assert (told["consents"], told["history"], told["deliveries"], told["editions"]) == ([], [], [], [])
    assert (told["id"], told["status"], told["suppressed"]["reason"]) == (
        None,
        None,
        "by letter; by phone, too",
    )


def test_a_reason_is_kept_of_who_had_complained_before(desk: Path) -> None:
    (desk / "gone.csv").write_text(f"email,status\n{WHO},complained\n")
    run(desk, "subscribers", "import", "gone.csv")
    run(desk, "subscribers", "unsubscribe", WHO, "--reason", "by letter")
    (told,) = run(desk, "subscribers", "show", WHO, "--json").json["history"]
    assert (told["what"], told["reason"]) == ("complaint", "an imported list says so; by letter")


def test_who_was_suppressed_with_the_word_erased_was_not_erased(desk: Path) -> None:
    for address in (WHO, "zoe@example.org"):
        run(desk, "subscribers", "suppress", address, "--reason", "erased")
        run(desk, "subscribers", "suppress", address, "--reason", "by letter")
        told = run(desk, "subscribers", "show", address, "--json").json
        assert told["suppressed"]["reason"] == '"erased"; by letter'
    assert run(desk, "subscribers", "erase", "zoe@example.org", "--yes").status == 2
    assert "has been on the suppression list" in run(desk, "subscribers", "restore", WHO, "--reason", "x").err
    assert run(desk, "subscribers", "erase", WHO, "--yes").status == 0
    assert "the person was erased" in run(desk, "subscribers", "show", WHO).err


def test_the_reasons_of_a_suppression_outlive_it(desk: Path) -> None:
    back = ("--consent", "the form", "--force", "--reason", "a misunderstanding")
    for address in (WHO, "zoe@example.org"):
        run(desk, "subscribers", "suppress", address, "--reason", "by letter")
        run(desk, "subscribers", "suppress", address, "--reason", "by phone, too")
        assert run(desk, "subscribers", "add", address, *back).status == 0
        told = run(desk, "subscribers", "show", address, "--json").json
        assert [(one["what"], one["reason"]) for one in told["history"]][-2:] == [
            ("suppress", "by letter; by phone, too"),
            ("restore", "a misunderstanding"),
        ]
        assert "Z: : " not in run(desk, "subscribers", "show", address).out


def test_nothing_is_told_of_an_erased_reader_but_that(desk: Path) -> None:
    run(desk, "subscribers", "unsubscribe", WHO, "--reason", "I am Li Wei")
    run(desk, "subscribers", "erase", WHO, "--yes")
    ran = run(desk, "subscribers", "show", WHO)
    assert (ran.status, ran.out) == (2, "")
    assert "is not a subscriber: the person was erased on 20" in ran.err


def test_of_many_deliveries_the_newest_are_told(desk: Path) -> None:
    db = open_store(desk / "subscribers.db")
    for number in range(40):
        db.conn.execute(
            "INSERT INTO campaigns (id, slug, issue, issue_hash, edition, issue_date, plan_hash, plan, "
            "subject, transport, created_at) VALUES (?, ?, 'i', '', 'morning', '', '', '{}', '', '', '')",
            (number + 1, f"issue-{number}"),
        )
        db.conn.execute("INSERT INTO deliveries (campaign_id, subscriber_id) VALUES (?, 1)", (number + 1,))
    db.close()
    out = run(desk, "subscribers", "show", WHO).out
    assert out.count("\nDelivery ") == 30
    assert "issue-39: pending\n" in out
    assert "Deliveries   10 earlier deliveries are left out here; --json lists them\n" in out
    assert len(run(desk, "subscribers", "show", WHO, "--json").json["deliveries"]) == 40

"""A reader whose address changes stays the same person: nobody is lost, written to twice, or brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailer.audience.change_address import earlier_addresses
from mailer.audience.recipients import addresses_of
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.cli import Ran, run
from tests.desk import ISSUE, SLUG
from tests.servers.smtp import SmtpServer
from tests.spooled import freeze

OLD, NEW, OTHER = "reader0@example.org", "zoe@example.com", "reader1@example.org"

pytestmark = pytest.mark.desk(readers=2)


def shown(desk: Path, address: str) -> dict[str, Any]:
    return run(desk, "subscribers", "show", address, "--json").json


def change(desk: Path, old: str = OLD, new: str = NEW, *words: str) -> Ran:
    return run(desk, "subscribers", "change-address", old, new, *words)


def test_everything_stays_and_the_change_is_told(desk: Path) -> None:
    run(desk, "subscribers", "add", OLD, "--name", "Zoe", "--tag", "vip")
    run(desk, "subscribers", "unsubscribe", OLD, "--edition", "feature", "--reason", "too long")
    before = shown(desk, OLD)
    ran = change(desk, OLD, NEW, "--reason", "they wrote from it")
    assert (ran.status, ran.out) == (
        0,
        "reader0@example.org was changed to zoe@example.com; reads evening, morning.\n",
    )
    after = shown(desk, NEW)
    same = set(before) - {"address", "updated_at", "history"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    *history, last = after["history"]
    assert history == before["history"]
    assert (last["what"], last["reason"]) == ("address", f"{OLD} became {NEW}: they wrote from it")
    assert (
        f": command line: {OLD} became {NEW}: they wrote from it\n"
        in run(desk, "subscribers", "show", NEW).out
    )


def test_the_old_address_is_free_and_leads_to_the_reader(desk: Path) -> None:
    change(desk)
    ran = run(desk, "subscribers", "show", OLD)
    assert ran.status == 2
    assert f"is not a subscriber any more: the person's address is now {NEW}" in ran.err
    added = run(desk, "subscribers", "add", OLD, "--json").json
    assert (added["added"], added["subscriber"]["id"]) == (True, 3)
    assert shown(desk, NEW)["id"] == 1
    assert change(desk, OLD, "third@example.org").status == 0


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
def test_who_had_left_stays_so(desk: Path, status: str) -> None:
    (desk / "gone.csv").write_text(f"email,status\n{OLD},{status}\n")
    run(desk, "subscribers", "import", "gone.csv")
    ran = change(desk)
    assert ran.status == 0
    assert f"still {status}" in ran.out
    assert shown(desk, NEW)["status"] == status
    assert run(desk, "plan", ISSUE, "--json").json["recipients"] == 1
    # The old address is no way back either.
    for words in (["add", OLD], ["add", OLD, "--edition", "morning"]):
        ran = run(desk, "subscribers", *words)
        assert ran.status == 2
        assert f"is the former address of a person who is now {status}" in ran.err
    (desk / "old.csv").write_text(f"email\n{OLD}\n")
    assert (
        "kept: the reader who had this address has another address now"
        in run(desk, "subscribers", "import", "old.csv").out
    )
    ran = change(desk, OTHER, OLD)
    assert (ran.status, shown(desk, OTHER)["id"]) == (2, 2)
    asked = ["add", OLD, "--consent", "the form"]
    if status == "complained":
        ran = run(desk, "subscribers", *asked)
        assert ran.status == 2
        assert '--consent "…" --force --reason "…"' in ran.err
        asked += ["--force", "--reason", "pressed the wrong button"]
    assert run(desk, "subscribers", *asked).status == 0
    history = [(one["what"], one["reason"]) for one in shown(desk, OLD)["history"]]
    assert history == [("restore", "pressed the wrong button")] * (status == "complained")


def test_an_old_list_makes_no_second_person_and_may_say_that_they_left(desk: Path) -> None:
    change(desk)
    assert run(desk, "subscribers", "import", "readers.csv", "--json").json["kept"] == 1
    assert len(run(desk, "subscribers", "list", "--json").json) == 2
    (desk / "gone.csv").write_text(f"email,status\n{OLD},unsubscribed\n{OLD},unsubscribed\n{NEW},active\n")
    assert run(desk, "subscribers", "import", "gone.csv").status == 0
    assert shown(desk, NEW)["status"] == "unsubscribed"
    assert len(run(desk, "subscribers", "list", "--json").json) == 2


def test_a_list_is_believed_that_they_left_where_the_old_address_is_suppressed(desk: Path) -> None:
    change(desk)
    run(desk, "subscribers", "suppress", OLD)
    (desk / "gone.csv").write_text(f"email,status\n{OLD},unsubscribed\n")
    assert run(desk, "subscribers", "import", "gone.csv").status == 0
    assert shown(desk, NEW)["status"] == "unsubscribed"


@pytest.mark.parametrize("words", [[OLD], ["--file", "gone.txt"]])
def test_an_unsubscribe_of_the_old_address_reaches_the_reader(desk: Path, words: list[str]) -> None:
    change(desk)
    (desk / "gone.txt").write_text(f"{OLD}\n")
    assert run(desk, "subscribers", "unsubscribe", *words).status == 0
    assert shown(desk, NEW)["status"] == "unsubscribed"


def test_an_erasure_of_who_has_the_old_address_now_keeps_nobody_from_being_erased(desk: Path) -> None:
    change(desk, OLD, "li.wei@example.com")
    assert run(desk, "subscribers", "add", OLD).status == 0
    assert run(desk, "subscribers", "erase", OLD, "--yes").status == 0
    assert "[erased] became li.wei@example.com" in run(desk, "subscribers", "show", "li.wei@example.com").out
    ran = run(desk, "subscribers", "erase", "li.wei@example.com", "--yes")
    assert ran.status == 0, ran.err
    db = open_store(desk / "subscribers.db")
    text = "\n".join(db.conn.iterdump())
    db.close()
    assert "li.wei" not in text


def test_an_erasure_leaves_neither_address(desk: Path) -> None:
    change(desk, OLD, "li.wei@example.com")
    db = open_store(desk / "subscribers.db")
    assert earlier_addresses(db, 1) == (OLD,)
    db.close()
    run(desk, "subscribers", "erase", "li.wei@example.com", "--yes")
    db = open_store(desk / "subscribers.db")
    text = "\n".join(db.conn.iterdump())
    assert earlier_addresses(db, 1) == ()
    db.close()
    assert "li.wei" not in text
    assert OLD not in text
    assert run(desk, "subscribers", "add", OLD).status == 2
    assert "kept" in run(desk, "subscribers", "import", "readers.csv").out


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (OLD, OTHER, "reader1@example.org already belongs to another subscriber (active)"),
        (OLD, "READER1@EXAMPLE.ORG", "already belongs to another subscriber"),
        (OLD, "stopped@example.org", "stopped@example.org has been on the suppression list since 20"),
        ("nobody@example.org", NEW, "nobody@example.org is not a subscriber"),
        (OLD, "zoe", '"zoe" is not an e-mail address'),
        ("zoe", NEW, '"zoe" is not an e-mail address'),
    ],
)
def test_a_change_that_is_not_right_changes_nothing(desk: Path, old: str, new: str, sentence: str) -> None:
    run(desk, "subscribers", "suppress", "stopped@example.org", "--reason", "by letter")
    db = open_store(desk / "subscribers.db")
    before = list(db.conn.iterdump())
    ran = change(desk, old, new)
    assert (ran.status, ran.out) == (2, "")
    assert sentence in ran.err
    assert list(db.conn.iterdump()) == before
    db.close()


def test_a_suppressed_reader_gets_no_other_address(desk: Path) -> None:
    run(desk, "subscribers", "suppress", OLD, "--reason", "by letter")
    ran = change(desk)
    assert ran.status == 2
    assert "reader0@example.org has been on the suppression list" in ran.err


def test_another_spelling_is_the_same_person_and_international_domains_are_read(desk: Path) -> None:
    assert change(desk, "READER0@example.org", "Reader0@Example.org").status == 0
    assert shown(desk, OLD)["address"] == "Reader0@example.org"
    ran = change(desk, OLD, "Reader0@example.org")
    assert (ran.status, ran.out) == (0, "Reader0@example.org is already the address of this person.\n")
    assert change(desk, OLD, "zoe@bücher.example.com").status == 0
    assert shown(desk, "zoe@BÜCHER.example.com")["address"] == "zoe@xn--bcher-kva.example.com"
    assert change(desk, "zoe@xn--bcher-kva.example.com", OLD).status == 0
    assert run(desk, "subscribers", "add", "zoe@bücher.example.com", "--json").json["added"]
    document = change(desk, OLD, NEW, "--json").json
    assert (document["changed"], document["subscriber"]["address"], document["on_the_way"]) == (True, NEW, [])


def test_an_import_that_suppresses_the_old_address_says_that_the_reader_is_not(desk: Path) -> None:
    change(desk)
    (desk / "never.csv").write_text(f"email,suppressed_at\n{OLD},2026-01-02\n")
    ran = run(desk, "subscribers", "import", "never.csv")
    assert (
        "has another address now; this address is suppressed, but the reader's new address is not\n"
        in ran.out
    )
    assert shown(desk, NEW)["suppressed"] is None
    assert shown(desk, OLD)["suppressed"] is not None


def test_a_list_of_addresses_to_suppress_says_whose_they_were(desk: Path) -> None:
    change(desk)
    (desk / "never.txt").write_text(f"{OLD}\n{OTHER}\n")
    ran = run(desk, "subscribers", "suppress", "--file", "never.txt")
    assert ran.status == 0
    assert f"{NEW} had the address {OLD} before, and is not suppressed\n" in ran.out
    told = run(desk, "subscribers", "suppress", "--file", "never.txt", "--json").json
    assert (told["unknown"], told["moved"]) == ([], [{"address": OLD, "now": NEW}])


def test_a_suppression_of_the_old_address_says_whose_it_was(desk: Path) -> None:
    change(desk)
    ran = run(desk, "subscribers", "suppress", OLD)
    assert ran.out.splitlines() == [
        f"{OLD} is now on the suppression list.",
        f"{NEW} had this address before, and is not suppressed.",
    ]


# -- campaigns ----------------------------------------------------------------------------------


def test_a_planned_and_a_stopped_campaign_reach_the_new_address_once(desk: Path) -> None:
    plan = run(desk, "plan", ISSUE, "--json").json["hash"]
    change(desk)
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "450 4.2.0 later", times=2)
        run(desk, "send", ISSUE, "--plan", plan, "--transport", server.url)
        assert server.recipients == []
        change(desk, OTHER, "bo@example.com")
        run(desk, "campaigns", "retry", SLUG)
        assert sorted(server.recipients) == ["bo@example.com", NEW]
        run(desk, "subscribers", "add", OLD)
        run(desk, "campaigns", "retry", SLUG)
        assert run(desk, "send", ISSUE, "--yes", "--transport", server.url).status in (0, 1)
        assert sorted(server.recipients).count(NEW) == 1


def test_a_refusal_at_the_old_address_says_nothing_of_the_new_one(desk: Path) -> None:
    db = open_store(desk / "subscribers.db")
    number = db.conn.execute("SELECT id FROM subscribers WHERE address = ?", (OLD,)).fetchone()[0]
    spool = freeze(db)
    spool.source = "smtp"
    assert spool.claim(9)
    ran = change(desk, OLD, NEW)
    assert (
        f"A delivery of {SLUG} to {OLD} is in flight; if it is refused, run `mailer campaigns retry {SLUG}`"
        in ran.out
    )
    spool.settle(
        [(number, 1, Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user", Cause.ADDRESS), "")]
    )
    assert shown(desk, NEW)["status"] == "active"
    assert spool.retry_all()[0] == 1
    (claim,) = spool.claim(9) or []
    assert addresses_of(db, [claim.person]) == {number: NEW}
    spool.settle(
        [(number, 2, Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user", Cause.ADDRESS), "")]
    )
    assert shown(desk, NEW)["status"] == "bounced"
    db.close()


def test_a_full_mailbox_is_not_held_against_the_next_address(desk: Path) -> None:
    db = open_store(desk / "subscribers.db")
    full = Outcome(OutcomeKind.REJECTED, "", "552 5.2.2 over quota", Cause.MAILBOX)
    for number in range(2):
        spool = freeze(db, f"campaign-{number}")
        spool.claim(9)
        spool.settle([(1, 1, full, "")])
        db.conn.execute("UPDATE deliveries SET settled_at = '2026-01-01T00:00:00.000000Z'")
    change(desk)
    spool = freeze(db, "last")
    spool.claim(9)
    spool.settle([(1, 1, full, "")])
    assert shown(desk, NEW)["status"] == "active"
    db.close()

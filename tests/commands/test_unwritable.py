"""Readers to whose address the transport cannot write: the plan leaves them out, and says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import Ran, run
from tests.commands.test_sending import TEXT, counts
from tests.desk import ISSUE, SLUG
from tests.servers.sendgrid import KEY, SendGridApi

BY = ("--transport", "sendgrid:")
SENTENCE = "cannot be written to by SendGrid: its API takes no letters beyond ASCII before the @"

pytestmark = pytest.mark.desk(readers=0, text=TEXT)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridApi]:
    with SendGridApi() as api:
        monkeypatch.setenv("SENDGRID_API_KEY", KEY)
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        yield api


def people(desk: Path, *addresses: str) -> None:
    (desk / "readers.csv").write_text("\n".join(("email", *addresses)) + "\n", encoding="utf-8")
    assert run(desk, "subscribers", "import", "readers.csv").status == 0


def plan(desk: Path, *words: str) -> Ran:
    ran = run(desk, "plan", ISSUE, *words)
    assert ran.status == 0, ran.err
    return ran


WIDE = ("用户@example.org", "jörg@例え.jp")
PLAIN = ("anna@example.org", "chen@例え.jp")


def test_the_plan_leaves_them_out_and_says_so(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    told = plan(desk, *BY)
    assert "Readers    2 will get it" in told.out
    assert f"2 will not: has an address that {SENTENCE}\n" in told.out
    assert f"Warning    2 readers' addresses {SENTENCE}; a server with SMTPUTF8 can write to them" in told.out
    data = plan(desk, *BY, "--json").json
    assert (data["recipients"], data["excluded"]) == (2, {"unwritable": 2})
    assert [w for w in data["warnings"] if SENTENCE in w]
    assert api.paths == []


def test_one_is_told_in_the_singular(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, WIDE[0])
    assert f"1 reader's address {SENTENCE}" in plan(desk, *BY).out


@pytest.mark.parametrize("by", ["outbox:outbox", "smtp://127.0.0.1:1"])
def test_other_transports_have_nothing_against_them_beforehand(by: str, desk: Path) -> None:
    people(desk, *PLAIN, *WIDE)
    data = plan(desk, "--transport", by, "--json").json
    assert (data["recipients"], data["excluded"]) == (4, {})


def test_why_they_may_not_be_written_to_at_all_comes_first(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    assert run(desk, "subscribers", "unsubscribe", WIDE[0]).status == 0
    assert plan(desk, *BY, "--json").json["excluded"] == {"unsubscribed": 1, "unwritable": 1}


def test_somebody_who_was_erased_has_no_address_to_ask_about(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    assert run(desk, "subscribers", "erase", PLAIN[0], "--yes").status == 0
    assert plan(desk, *BY, "--json").json["excluded"] == {"unwritable": 2, "erased": 1}
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 0, ran.err
    assert counts(desk) == {"accepted": 1}


def test_a_campaign_follows_one_to_a_segment(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE, "bob@example.org", "dora@example.org")
    first = run(desk, "send", ISSUE, "--yes", *BY, "--segment", 'domain == "example.org"')
    assert first.status == 0, first.err
    assert plan(desk, *BY, "--json").json["excluded"] == {"received": 3, "unwritable": 2}
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 0, ran.err
    assert len(api.recipients) == 4


@pytest.mark.clock("2026-11-20T19:00")
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("when", [("--at", "2026-11-21T08:00"), ("--at-local", "08:00")])
def test_somebody_who_left_since_a_plan_is_skipped(
    when: tuple[str, str], desk: Path, api: SendGridApi
) -> None:
    people(desk, *PLAIN, *WIDE, "bob@example.org", "dora@example.org")
    planned = plan(desk, *BY, "--json").json["hash"]
    assert run(desk, "subscribers", "unsubscribe", PLAIN[0]).status == 0
    ran = run(desk, "send", ISSUE, "--plan", planned, *BY, *when)
    assert ran.status == 0, ran.err
    assert counts(desk) == {"pending": 3, "skipped": 1}


def test_the_rest_is_sent(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 0, ran.err
    assert counts(desk) == {"accepted": 2}
    assert len(api.recipients) == 2
    assert all(address.isascii() for address in api.recipients)
    again = run(desk, "send", ISSUE, "--yes", *BY)
    assert again.status == 0
    assert len(api.requests) == 1


def test_a_plan_is_sent_as_it_was_told(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    planned = plan(desk, *BY, "--json").json["hash"]
    ran = run(desk, "send", ISSUE, "--plan", planned, *BY)
    assert ran.status == 0, ran.err
    assert counts(desk) == {"accepted": 2}


def test_a_plan_for_another_transport_skips_them(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    planned = plan(desk, "--json").json["hash"]
    ran = run(desk, "send", ISSUE, "--plan", planned, *BY)
    assert ran.status == 0, ran.err
    assert counts(desk) == {"accepted": 2, "skipped": 2}
    listed = run(desk, "campaigns", "deliveries", SLUG, "--state", "skipped", "--json").json
    assert {delivery["reason"] for delivery in listed} == {"unwritable"}


def test_after_a_try_out_in_a_folder_there_is_a_plan_without_them(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN, *WIDE)
    assert run(desk, "send", ISSUE, "--yes").status == 0
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 0, ran.err
    assert len(api.recipients) == 2
    assert "2 will not: has an address" in ran.out


def test_a_campaign_that_is_taken_over_from_a_server_rejects_them_and_blames_nobody(
    desk: Path, api: SendGridApi
) -> None:
    people(desk, *PLAIN, *WIDE)
    assert run(desk, "send", ISSUE, "--yes", "--transport", "smtp://127.0.0.1:1").status == 1
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 1
    assert counts(desk) == {"accepted": 2, "rejected": 2}
    assert f"2 rejected: the address {SENTENCE}" in ran.out
    with sqlite3.connect(desk / "subscribers.db") as database:
        found = database.execute("SELECT DISTINCT status FROM subscribers").fetchall()
    database.close()
    assert found == [("active",)]


def test_nobody_else_is_nobody(desk: Path, api: SendGridApi) -> None:
    people(desk, *WIDE)
    told = plan(desk, *BY)
    assert "Warning    no reader would get the issue" in told.out
    ran = run(desk, "send", ISSUE, "--yes", *BY)
    assert ran.status == 2
    assert api.paths == []


def test_a_test_copy_to_one_is_refused_before_any_is_sent(desk: Path, api: SendGridApi) -> None:
    people(desk, *PLAIN)
    ran = run(desk, "send", ISSUE, "--test", "me@example.org", "--test", WIDE[0], *BY)
    assert ran.status == 2
    assert f"{WIDE[0]} {SENTENCE}" in ran.err
    assert api.paths == []


def test_explain_says_so(desk: Path, api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> None:
    people(desk, *PLAIN, *WIDE)
    monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", "sendgrid:")
    told = run(desk, "explain", WIDE[0], ISSUE)
    assert told.out.startswith(f"{WIDE[0]} does not get {ISSUE}: the address {SENTENCE}.")
    data = run(desk, "explain", WIDE[0], ISSUE, "--json").json
    assert (data["gets_it"], data["unwritable"]) == (False, SENTENCE)
    assert run(desk, "explain", PLAIN[0], ISSUE, "--json").json["gets_it"] is True

"""From a server's refusal to what an operator sees and does about it, over both transports."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mailer.spool.sqlite.spools import SqliteSpool
from tests.cli import run
from tests.commands.test_sending import TEXT, counts
from tests.desk import ISSUE, SLUG
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

NAMED = "email,name\n" + "".join(f"reader{i}@example.org,Reader {i}\n" for i in range(1, 5))
pytestmark = pytest.mark.desk(readers=NAMED, text=TEXT, MAILER_DELIVERY_CONNECTIONS="1")


def status(desk: Path, number: int) -> str:
    return str(run(desk, "subscribers", "show", f"reader{number}@example.org", "--json").json["status"])


def bounce_words(desk: Path, number: int) -> list[str]:
    shown = run(desk, "subscribers", "show", f"reader{number}@example.org", "--json").json
    return [bounce["words"] for bounce in shown["bounces"]]


def test_over_smtp_the_address_and_us_are_told_apart(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 5.1.1 <reader1@example.org>: User unknown")
        server.fail("RCPT", "reply", "550 5.7.1 blocked by policy")
        server.fail("DOT", "reply", "554 5.6.0 malformed header")
        ran = run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert ran.status == 1
        assert counts(desk) == {"accepted": 1, "rejected": 3}
        assert [status(desk, n) for n in (1, 2, 3, 4)] == ["bounced", "active", "active", "active"]
        assert "1 rejected: the address does not exist. The readers are marked as bounced" in ran.out
        assert "2 rejected: the server refuses us as the sender, not the readers." in ran.out
        assert "1 rejected: 554 5.6.0 malformed header" in ran.out

        shown = run(desk, "campaigns", "show", SLUG, "--json").json
        assert [(c["state"], c["cause"], c["number"]) for c in shown["causes"]] == [
            ("rejected", "us", 2),
            ("rejected", "address", 1),
        ]
        assert {(r["cause"], r["reason"]) for r in shown["reasons"]} == {
            ("address", "550 5.1.1 <reader1@example.org>: User unknown"),
            ("us", "550 5.7.1 blocked by policy"),
            ("us", "554 5.6.0 malformed header"),
        }
        assert all(c["advice"] for c in shown["causes"])

        ran = run(desk, "campaigns", "retry", SLUG)
        assert "1 is left out, because mail to them bounced." in ran.out
        assert counts(desk) == {"accepted": 3, "rejected": 1}
        assert sorted(server.recipients) == [f"reader{n}@example.org" for n in (2, 3, 4)]

    shown = run(desk, "subscribers", "show", "reader1@example.org")
    assert ": 550 5.1.1 <reader1@example.org>: User unknown (campaign 2026-11-21-morning)" in shown.out
    explained = run(desk, "explain", "reader1@example.org", ISSUE)
    assert "cannot be reached: mail came back" in explained.out
    assert "550 5.1.1 <reader1@example.org>: User unknown" in explained.out
    assert "mailer subscribers restore reader1@example.org" in explained.out
    document = run(desk, "explain", "reader1@example.org", ISSUE, "--json").json
    assert document["bounce"]["source"] == "smtp"
    assert run(desk, "explain", "reader2@example.org", ISSUE, "--json").json["bounce"] is None


def test_over_sendgrid_an_address_that_is_named_has_bounced(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    field = "personalizations.1.to.0.email"
    named = {"errors": [{"message": "Does not contain a valid address.", "field": field, "help": None}]}
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        api.answer(400, named)
        ran = run(desk, "send", ISSUE, "--yes", "--transport", "sendgrid:")
    assert ran.status == 1
    assert len(api.delivered) == 3
    (gone,) = {1, 2, 3, 4} - {int(to[6]) for to in api.recipients}
    assert status(desk, gone) == "bounced"
    assert bounce_words(desk, gone) == [
        f"400 Does not contain a valid address. (reader{gone}@example.org: to.0.email)"
    ]
    shown = run(desk, "subscribers", "show", f"reader{gone}@example.org", "--json").json
    assert shown["bounces"][0]["source"] == "sendgrid"
    assert sorted(status(desk, n) for n in (1, 2, 3, 4)) == ["active"] * 3 + ["bounced"]


def test_over_sendgrid_a_refusal_of_the_request_is_about_us(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        api.answer(400, {"errors": [{"message": "The from address is bad.", "field": "from.email"}]})
        run(desk, "send", ISSUE, "--yes", "--transport", "sendgrid:")
        assert counts(desk) == {"rejected": 4}
        assert {status(desk, n) for n in (1, 2, 3, 4)} == {"active"}
        assert run(desk, "campaigns", "retry", SLUG).status == 0
    assert len(api.delivered) == 4


def test_a_crash_before_the_settling_marks_them_once_all_the_same(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 5.1.1 no such user")
        with monkeypatch.context() as patch:
            patch.setattr(SqliteSpool, "settle", dead)
            assert run(desk, "send", ISSUE, "--yes", "--transport", server.url).status == 1
        assert status(desk, 1) == "active"
        for _ in range(2):
            run(desk, "send", ISSUE, "--yes", "--transport", server.url)
    assert counts(desk) == {"accepted": 3, "rejected": 1}
    assert status(desk, 1) == "bounced"
    assert bounce_words(desk, 1) == ["550 5.1.1 no such user"]


def test_who_bounced_is_left_out_of_the_next_plan_and_restored_with_words(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 5.1.1 no such user")
        run(desk, "send", ISSUE, "--yes", "--transport", server.url)
    (desk / "issues" / "next.yaml").write_text(TEXT.replace("2026-11-21", "2026-11-22"), encoding="utf-8")
    plan = run(desk, "plan", "issues/next.yaml", "--json").json
    assert (plan["recipients"], plan["excluded"]) == (3, {"bounced": 1})

    ran = run(desk, "subscribers", "add", "reader1@example.org")
    assert ran.status == 2
    assert "has bounced" in ran.err
    assert "mailer subscribers restore reader1@example.org" in ran.err

    ran = run(desk, "subscribers", "restore", "reader1@example.org")
    assert ran.status == 2
    assert "say why" in ran.err
    ran = run(desk, "subscribers", "restore", "reader1@example.org", "--reason", "their server was down")
    assert ran.status == 0, ran.err
    assert "reader1@example.org is active again" in ran.out
    assert run(desk, "plan", "issues/next.yaml", "--json").json["recipients"] == 4
    again = run(desk, "subscribers", "restore", "reader1@example.org", "--reason", "x")
    assert (again.status, "has not bounced but is active" in again.err) == (2, True)


def test_an_outage_of_theirs_is_undone_for_the_whole_campaign(desk: Path) -> None:
    with SmtpServer() as server:
        server.fail("RCPT", "reply", "550 5.1.1 no such user", times=3)
        run(desk, "send", ISSUE, "--yes", "--transport", server.url)
        assert [status(desk, n) for n in (1, 2, 3, 4)] == ["bounced"] * 3 + ["active"]
        told = run(desk, "campaigns", "retry", SLUG)
        assert "3 are left out, because mail to them bounced." in told.out
        told = run(desk, "campaigns", "retry", SLUG, "--json")
        assert (told.json["retried"], told.json["left_out"]) == (0, 3)
        ran = run(desk, "subscribers", "restore", "--campaign", SLUG, "--reason", "their outage", "--json")
        assert ran.json == {"campaign": SLUG, "restored": 3}
        assert run(desk, "campaigns", "retry", SLUG).status == 0
        assert sorted(server.recipients) == [f"reader{n}@example.org" for n in (1, 2, 3, 4)]
    assert counts(desk) == {"accepted": 4}


@pytest.mark.parametrize("words", [(), ("reader1@example.org", "--campaign", SLUG)])
def test_a_restore_is_of_one_person_or_one_campaign(desk: Path, words: tuple[str, ...]) -> None:
    ran = run(desk, "subscribers", "restore", *words, "--reason", "x")
    assert ran.status == 2
    assert "name either an address" in ran.err

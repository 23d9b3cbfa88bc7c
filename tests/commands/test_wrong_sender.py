"""A sender that every server refuses: it is said what is frozen, and the campaign can be planned anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.refusal.refusal import Cause
from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, MAIL, SLUG
from tests.spooled import Scripted

READERS = 5
OLD, NEW = "desk@news.example.org", "news@example.net"

pytestmark = [pytest.mark.wire(url=MAIL), pytest.mark.desk(readers=READERS)]


@pytest.fixture(autouse=True)
def wire(wire: Scripted) -> Scripted:
    """A server that takes no mail from the old sender."""

    def decide(message: OutgoingMessage) -> Outcome:
        if message.envelope.sender.address == OLD:
            return Outcome(OutcomeKind.REJECTED, "", "550 5.7.1 sender is not yours", Cause.US)
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    wire.decide = decide
    return wire


def correct(desk: Path) -> None:
    config = desk / "mailer.toml"
    config.write_text(config.read_text("utf-8").replace(OLD, NEW), "utf-8")


def shown(desk: Path) -> str:
    return run(desk, "campaigns", "show", SLUG).out


def test_what_everybody_refused_is_not_sent(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "0 messages were handed to smtp://mx.example.org" in ran.out
    assert shown(desk).startswith(
        f"{SLUG}: stopped (no reader has the issue: all {READERS} deliveries were refused)\n"
    )
    assert run(desk, "campaigns", "show", SLUG, "--json").json["status"] == "stopped"


def test_what_is_frozen_is_said(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    assert f"  from       Harbour Brief <{OLD}>\n" in shown(desk)
    assert "The campaign sends from" not in shown(desk)
    correct(desk)
    told = shown(desk)
    assert f"  from       Harbour Brief <{OLD}>\n" in told
    assert (
        f"The campaign sends from Harbour Brief <{OLD}>, but mailer.toml now says Harbour Brief <{NEW}>."
        in told
    )
    assert (
        f"after `mailer campaigns cancel {SLUG}`, `mailer send {ISSUE}` plans it with the new sender." in told
    )
    plan = run(desk, "plan", ISSUE)
    assert f"From       Harbour Brief <{OLD}>\n" in plan.out
    assert (
        f"Warning    From stays as in the frozen campaign; mailer.toml now says "
        f"Harbour Brief <{NEW}>\n" in plan.out
    )
    ran = run(desk, "campaigns", "retry", SLUG)
    assert ran.status == 1
    assert "The campaign sends from" in ran.out


def test_it_can_be_cancelled_and_planned_anew(desk: Path, wire: Scripted) -> None:
    run(desk, "send", ISSUE, "--yes")
    correct(desk)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    plan = run(desk, "plan", ISSUE, "--json").json
    assert (plan["status"], plan["recipients"]) == ("new", READERS)
    assert plan["sender"] == f"Harbour Brief <{NEW}>"
    wire.sent.clear()
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0
    assert len(set(wire.sent)) == len(wire.sent) == READERS


def test_a_campaign_of_an_earlier_version_that_says_it_was_sent_to_nobody_can_be_cancelled(
    desk: Path, wire: Scripted
) -> None:
    import sqlite3

    run(desk, "send", ISSUE, "--yes")
    with sqlite3.connect(desk / "subscribers.db") as connection:
        connection.execute("UPDATE campaigns SET status = 'sent', status_note = ''")
    connection.close()
    correct(desk)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert run(desk, "send", ISSUE, "--yes").status == 0


def test_a_campaign_that_some_have_keeps_its_sender_and_says_so(desk: Path, wire: Scripted) -> None:
    decide = wire.decide
    wire.decide = lambda m: Outcome(OutcomeKind.ACCEPTED) if m.subscriber_id == 1 else decide(m)
    assert run(desk, "send", ISSUE, "--yes").status == 1
    correct(desk)
    assert "Some readers have the issue already" in shown(desk)
    wire.decide = lambda _: Outcome(OutcomeKind.DEFERRED, reason="451 later")
    assert run(desk, "campaigns", "retry", SLUG).status == 1
    told = shown(desk)
    assert f"Some readers have the issue already, so `mailer send {ISSUE}` sends the rest from" in told
    assert f"`mailer campaigns cancel {SLUG}` ends the campaign without the rest." in told
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert "The campaign sends from" not in shown(desk)
    wire.decide, before = decide, len(wire.sent)
    assert run(desk, "send", ISSUE, "--yes", "--segment", 'name != "nobody"').status == 0
    assert len(wire.sent) - before == READERS - 1


def test_a_campaign_that_ended_with_refusals_can_be_given_up(desk: Path, wire: Scripted) -> None:
    decide = wire.decide
    wire.decide = lambda m: Outcome(OutcomeKind.ACCEPTED) if m.subscriber_id == 1 else decide(m)
    run(desk, "send", ISSUE, "--yes")
    assert shown(desk).startswith(f"{SLUG}: sent\n")
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert "the campaign was cancelled, so these deliveries are not tried again." in shown(desk)
    assert "Left       0 of 5 readers" in run(desk, "plan", ISSUE).out


def test_a_campaign_whose_readers_have_all_left_is_not_sent_either(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock("2026-11-20T00:00")
    assert run(desk, "send", ISSUE, "--yes", "--at", "2026-11-21T08:00").status == 0
    for number in range(READERS):
        run(desk, "subscribers", "unsubscribe", f"reader{number}@example.org")
    run(desk, "campaigns", "resume", SLUG)
    assert shown(desk).startswith(f"{SLUG}: stopped (no reader has the issue: all readers have left)\n")
    assert wire.sent == []

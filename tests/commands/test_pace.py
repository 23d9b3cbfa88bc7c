"""A pace as an operator meets it: a limit that is used up, a warm-up, a rotten list, what goes on later."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, MAIL, SLUG
from tests.spooled import Scripted

NUMBER = 150

pytestmark = [
    pytest.mark.clock("2026-11-21T04:20"),
    pytest.mark.wire(url=MAIL),
    pytest.mark.desk(readers=NUMBER),
]


def shown(desk: Path, key: str) -> object:
    return run(desk, "campaigns", "show", SLUG, "--json").json[key]


def pace(desk: Path, text: str) -> None:
    path = desk / "mailer.toml"
    path.write_text(path.read_text("utf-8") + "\n[pace]\n" + text, encoding="utf-8")


def test_a_used_up_limit_is_one_sentence_and_what_is_due_goes_on(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    pace(desk, 'limit = "100/h"\n')
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    sentence = (
        f"limit of 100 an hour is used up; 50 messages are left; `mailer send {ISSUE}` continues after 13:00"
    )
    assert f"The {sentence}." in ran.out
    assert shown(desk, "status") == "stopped"
    assert shown(desk, "note") == f"the {sentence}"
    assert shown(desk, "held_until") == "2026-11-21T05:00:00.000000Z"
    assert "goes on    Sat 21 Nov 2026 13:00" in run(desk, "campaigns", "show", SLUG).out
    assert run(desk, "send", ISSUE, "--yes").status == 1
    assert run(desk, "run-due").out == ""
    assert len(wire.sent) == 100
    clock.forward(minutes=41)
    ran = run(desk, "run-due")
    assert ran.status == 0, ran.err
    assert (len(set(wire.sent)), len(wire.sent), shown(desk, "status")) == (NUMBER, NUMBER, "sent")


def test_a_limit_that_opened_again_long_ago_is_not_used_unasked(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    pace(desk, 'limit = "100/h"\n')
    run(desk, "send", ISSUE, "--yes")
    clock.forward(hours=9)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "no scheduler was running" in ran.err
    assert len(wire.sent) == 100
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert len(wire.sent) == NUMBER


def test_a_warm_up_is_told_by_its_day(desk: Path, clock: Clock, wire: Scripted) -> None:
    pace(desk, "warm_up = [40, 80]\nwarm_up_start = 2026-11-21\n")
    ran = run(desk, "send", ISSUE, "--yes")
    assert (
        "The warm-up's limit of 40 on 2026-11-21 is used up; 110 messages are left; "
        f"`mailer send {ISSUE}` continues after 2026-11-22 00:00." in ran.out
    )
    for number in (120, NUMBER):
        clock.forward(days=1)
        ran = run(desk, "send", ISSUE, "--yes")
        assert len(set(wire.sent)) == len(wire.sent) == number, ran
    assert shown(desk, "status") == "sent"


def test_a_rotten_list_pauses_the_campaign_and_says_what_to_do(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id % 3:
            return Outcome(OutcomeKind.ACCEPTED, "ok")
        return Outcome(OutcomeKind.REJECTED, "", f"550 5.1.1 <{message.address}>: no such user")

    wire.decide = decide
    pace(desk, 'rejects = "5%"\nlimit = "1000/h"\n')
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert (
        "were refused, more than the allowed 5%; most often a server said: 550 5.1.1 <the address>: "
        "no such user" in ran.out
    )
    assert f"`mailer campaigns resume {SLUG}` continues it." in ran.out
    assert 100 <= len(wire.sent) < NUMBER
    assert shown(desk, "status") == "paused"
    run(desk, "campaigns", "resume", SLUG)
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER
    assert shown(desk, "status") == "sent"

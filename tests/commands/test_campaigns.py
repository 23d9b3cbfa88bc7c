"""`mailer campaigns …`: what is told of campaigns that wait, on one line each and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, SLUG

WAITS = "[waits for `mailer campaigns resume`]"

pytestmark = [
    pytest.mark.clock("2026-11-21T04:00"),
    pytest.mark.wire(concurrency=1),
    pytest.mark.usefixtures("clock", "wire"),
    pytest.mark.desk(readers=10),
]


def line(desk: Path) -> str:
    (found,) = run(desk, "campaigns", "list").out.splitlines()
    return found


def test_pause_and_cancel_give_one_document(desk: Path) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--at", "20:00").status == 0
    assert line(desk).endswith("[due Sat 21 Nov 2026 20:00 (Asia/Shanghai)]")
    document = run(desk, "campaigns", "pause", SLUG, "--json").json
    assert (document["slug"], document["status"], document["counts"]["pending"]) == (SLUG, "paused", 10)
    assert line(desk).endswith(WAITS)
    assert run(desk, "campaigns", "cancel", SLUG, "--json").json["status"] == "cancelled"
    assert line(desk).endswith("Cranes stand still")


def test_what_is_held_says_when_it_goes_on(desk: Path, clock: Clock) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--at", "12:10", "--canary", "10%", "--hold", "20m").status == 0
    clock.forward(minutes=10)
    assert run(desk, "run-due").status == 0
    assert line(desk).endswith("[goes on Sat 21 Nov 2026 12:30 (Asia/Shanghai)]")
    assert "  started    Sat 21 Nov 2026 12:10 (Asia/Shanghai)\n  finished   not yet\n" in (
        run(desk, "campaigns", "show", SLUG).out
    )
    clock.forward(minutes=90)
    assert line(desk).endswith(WAITS)


def test_what_is_held_for_the_operator_says_so_once(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--canary", "10%", "--hold", "ask")
    assert ran.status == 1
    assert "the rest follow" not in ran.out
    assert ran.out.count(f"`mailer campaigns resume {SLUG}`") == 1
    assert f"\n`mailer campaigns cancel {SLUG}` drops it.\n" in ran.out
    assert line(desk).endswith(WAITS)


def test_the_plan_is_one_block_with_its_warnings_last(desk: Path) -> None:
    out = run(desk, "send", ISSUE, "--yes", "--at", "2026-11-22T08:00", "--canary", "10%").out
    block, _, _ = out.partition("\n\n")
    labels = [row.split("  ")[0] for row in block.splitlines() if not row.startswith(" ")]
    assert labels[-5:] == ["Plan", "Goes out", "First", "Warning", "Warning"]


def test_everybody_is_no_canary(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--canary", "100%")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "mailer: --canary: 100% is everybody; choose a smaller share, or leave it out\n"


def test_nothing_uncertain_is_nothing_to_resolve(desk: Path) -> None:
    assert run(desk, "send", ISSUE, "--yes").status == 0
    ran = run(desk, "campaigns", "resolve", SLUG, "--assume-sent")
    assert (ran.status, ran.out) == (0, f"No delivery of {SLUG} is uncertain.\n")

"""`send --canary`: the first few by lot, a time to watch them, and then the rest, or nobody."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.audience.consent.bounces import restore_bounced_subscriber
from mailer.audience.people import list_subscribers
from mailer.campaign.canary import make_canary
from mailer.clock import set_clock, utc_now
from mailer.delivery.progress import Progress
from mailer.delivery.run import deliver
from mailer.services.sending import run as sending
from mailer.store.database import open_store, writing
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.stop import StopFlag
from tests.cli import Ran, run
from tests.desk import ISSUE, SLUG
from tests.spooled import Scripted, find_campaign, open_spool

TEXT = """\
edition: morning
date: 2026-11-21
language: en
intro: Good morning.
items:
  - title: Cranes stand still
    body: The harbour rests today.
"""
NUMBER = 200

pytestmark = pytest.mark.desk(readers=NUMBER, text=TEXT)


class Clock:
    """The one clock of what is due. Every wait moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = dt.datetime(2026, 11, 21, 4, tzinfo=dt.UTC)
        self.waits = 0
        self.on_wait: Callable[[], None] = lambda: None
        set_clock(lambda: self.at)
        monkeypatch.setattr(StopFlag, "wait", lambda stop, seconds: self.wait(stop, seconds))

    def wait(self, stop: StopFlag, seconds: float) -> bool:
        self.waits += 1
        self.on_wait()
        self.at += dt.timedelta(seconds=max(seconds, 60))
        return stop.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def refuse(every: int) -> Callable[[OutgoingMessage], Outcome]:
    """Every so-manieth message is refused."""
    lock, number = threading.Lock(), 0

    def decide(message: OutgoingMessage) -> Outcome:
        nonlocal number
        with lock:
            number += 1
            bad = number % every == 0
        words = f"550 5.1.1 <{message.address}>: nobody here"
        return Outcome(OutcomeKind.REJECTED, "", words) if bad else Outcome(OutcomeKind.ACCEPTED, "ok")

    return decide


def shown(desk: Path) -> dict[str, object]:
    ran: dict[str, object] = run(desk, "campaigns", "show", SLUG, "--json").json
    return ran


def status(desk: Path) -> str:
    return str(shown(desk)["status"])


def load(desk: Path, told: str, addresses: list[str]) -> None:
    """Imports a list that says that of these people."""
    rows = "".join(f"{address},{told}\n" for address in addresses)
    (desk / "told.csv").write_text("email,status\n" + rows, encoding="utf-8")
    assert run(desk, "subscribers", "import", "told.csv").status == 0


def send(desk: Path, *words: str) -> Ran:
    return run(desk, "send", ISSUE, "--yes", *words)


@pytest.mark.parametrize(
    ("share", "recipients", "number"), [(0.01, 10_000, 100), (0.01, 5, 1), (0.1, 101, 11), (1.0, 7, 7)]
)
def test_a_share_is_at_least_one_person(share: float, recipients: int, number: int) -> None:
    assert make_canary(share, 60.0, recipients).number == number


def test_the_rest_follow_when_the_first_went_well(desk: Path, clock: Clock, wire: Scripted) -> None:
    seen: list[tuple[int, str]] = []
    clock.on_wait = lambda: seen.append((len(wire.sent), status(desk)))
    ran = send(desk, "--canary", "5%", "--hold", "10m")
    assert ran.status == 0, ran.err
    assert "First      10 of 200 (5%), then held for 10 minutes" in ran.out
    assert set(seen) == {(10, "held")}
    assert "Held: 10 readers were tried first; the rest follow" in ran.err
    assert ran.err.count("Held:") == 1
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER
    assert "200 messages were handed to" in ran.out
    assert status(desk) == "sent"


def test_who_is_first_is_drawn_by_lot_and_the_same_after_a_restart(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[StopFlag] = []

    def decide(message: OutgoingMessage) -> Outcome:
        # The first message of the first run asks it to stop, as Ctrl-C does.
        if stops and not stops[0].is_set():
            stops[0].set()
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    class Kept(StopFlag):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    wire.decide, wire.concurrency = decide, 1
    monkeypatch.setattr("mailer.commands.signals.StopFlag", Kept)
    first = send(desk, "--canary", "10%", "--hold", "ask")
    assert first.status == 1
    assert 0 < len(wire.sent) < 20
    stops.append(stops.pop(0))
    ran = send(desk)
    assert ran.status == 1
    assert status(desk) == "held"
    assert len(set(wire.sent)) == len(wire.sent) == 20
    numbers = sorted(int(address.removeprefix("reader").partition("@")[0]) for address in wire.sent)
    assert numbers != list(range(20))
    assert max(numbers) > NUMBER / 2


def test_too_many_refusals_among_the_first_pause_it_at_once(desk: Path, clock: Clock, wire: Scripted) -> None:
    wire.decide = refuse(every=5)
    ran = send(desk, "--canary", "10%")
    assert ran.status == 1
    assert clock.waits == 0
    assert len(wire.sent) == 20
    assert (
        "The campaign paused itself: 20 readers were tried first (4 refused): 20.0% failed, "
        "more than 10%; "
        "most often a server said: 550 5.1.1 <the address>: nobody here; 180 readers have nothing yet."
        in ran.out
    )
    assert send(desk).status == 2
    assert len(wire.sent) == 20
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    assert run(desk, "campaigns", "resume", SLUG).status == 1  # four stay refused
    assert len(wire.sent) == NUMBER
    assert status(desk) == "sent"


def test_what_bounces_while_it_is_held_counts(desk: Path, clock: Clock, wire: Scripted) -> None:
    def bounce() -> None:
        clock.on_wait = lambda: None
        db = open_store(desk / "subscribers.db")
        campaign = find_campaign(db, SLUG)
        people = db.conn.execute("SELECT subscriber_id FROM deliveries WHERE state = 'accepted' LIMIT 3")
        with writing(db):
            for (person,) in people.fetchall():
                db.conn.execute(
                    "INSERT INTO events (at, kind, subscriber_id, campaign_id) VALUES (?, 'bounce', ?, ?)",
                    [utc_now(), person, campaign.id],
                )

    clock.on_wait = bounce
    ran = send(desk, "--canary", "10%", "--hold", "5m")
    assert ran.status == 1
    assert len(wire.sent) == 20
    assert "20 readers were tried first (3 bounced or complained): 15.0% failed" in ran.out
    assert status(desk) == "paused"


@pytest.mark.parametrize(
    ("told", "counts"), [("complained", True), ("bounced", True), ("unsubscribed", False)]
)
def test_a_list_that_is_imported_while_it_is_held_counts(
    desk: Path, clock: Clock, wire: Scripted, told: str, counts: bool
) -> None:
    def tell() -> None:
        clock.on_wait = lambda: None
        load(desk, told, wire.sent[:3])

    clock.on_wait = tell
    ran = send(desk, "--canary", "10%", "--hold", "5m")
    if counts:
        assert (ran.status, status(desk), len(wire.sent)) == (1, "paused", 20)
        assert "20 readers were tried first (3 bounced or complained): 15.0% failed" in ran.out
    else:
        assert (ran.status, status(desk)) == (0, "sent")
        assert len(wire.sent) == NUMBER


def test_what_a_list_told_before_they_were_sent_to_does_not_count(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    everybody = [f"reader{i}@example.org" for i in range(NUMBER)]
    load(desk, "bounced", everybody)
    db = open_store(desk / "subscribers.db")
    for person in list(list_subscribers(db)):
        restore_bounced_subscriber(db, person, reason="it works")
    clock.at += dt.timedelta(minutes=1)
    assert send(desk, "--canary", "10%", "--hold", "5m").status == 0
    assert len(wire.sent) == NUMBER


def test_ctrl_c_leaves_it_held_and_send_goes_on(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[StopFlag] = []

    class Kept(StopFlag):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    monkeypatch.setattr("mailer.commands.signals.StopFlag", Kept)
    clock.on_wait = lambda: stops[0].set()
    ran = send(desk, "--canary", "5%", "--hold", "1h")
    assert ran.status == 1
    assert "The campaign is held: 10 readers were tried first; the rest follow" in ran.out
    assert f"`mailer campaigns resume {SLUG}` sends the rest now" in ran.out
    assert status(desk) == "held"
    clock.on_wait = lambda: None
    assert send(desk).status == 0
    assert clock.waits > 2
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER


def test_held_for_the_operator_waits_for_nobody_else(desk: Path, clock: Clock, wire: Scripted) -> None:
    ran = send(desk, "--canary", "5%", "--hold", "ask")
    assert ran.status == 1
    assert f"the rest wait for `mailer campaigns resume {SLUG}`" in ran.out
    assert send(desk).status == 1
    assert run(desk, "run-due").out == ""
    assert (clock.waits, len(wire.sent)) == (0, 10)
    assert "first      10 of 200 (5%)" in run(desk, "campaigns", "show", SLUG).out
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER


@pytest.mark.parametrize(("word", "number", "after"), [("pause", 10, "paused"), ("cancel", 10, "cancelled")])
def test_another_process_ends_the_wait(
    desk: Path, clock: Clock, wire: Scripted, word: str, number: int, after: str
) -> None:
    def once() -> None:
        clock.on_wait = lambda: None
        assert run(desk, "campaigns", word, SLUG).status == 0

    clock.on_wait = once
    ran = send(desk, "--canary", "5%", "--hold", "1h")
    assert ran.status == 1
    assert clock.waits == 1
    assert (len(wire.sent), status(desk)) == (number, after)
    if word == "pause":
        assert run(desk, "campaigns", "resume", SLUG).status == 0
        assert len(set(wire.sent)) == len(wire.sent) == NUMBER


def test_a_pause_at_the_end_of_the_first_few_leaves_them_to_be_watched(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def and_then(*words: Any, **named: Any) -> Progress:
        progress = deliver(*words, **named)
        assert run(desk, "campaigns", "pause", SLUG).status == 0
        return progress

    with monkeypatch.context() as patch:
        patch.setattr(sending, "deliver", and_then)
        assert send(desk, "--canary", "5%", "--hold", "ask").status == 1
    assert status(desk) == "paused"
    assert run(desk, "campaigns", "resume", SLUG).status == 1
    assert (len(wire.sent), status(desk)) == (10, "held")
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER


def test_another_process_lets_the_waiting_one_go_on(desk: Path, clock: Clock, wire: Scripted) -> None:
    told: list[Ran] = []

    def once() -> None:
        clock.on_wait = lambda: None
        told.append(run(desk, "campaigns", "resume", SLUG))

    clock.on_wait = once
    assert send(desk, "--canary", "5%", "--hold", "1h").status == 0
    assert clock.waits == 1
    assert told[0].status == 0
    assert "continues: the process that was waiting sends the rest" in told[0].out
    assert len(set(wire.sent)) == len(wire.sent) == NUMBER


def test_what_is_due_lets_it_go_on(desk: Path, clock: Clock, wire: Scripted) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--at", "2026-11-21T12:30", "--canary", "5%").status == 0
    assert run(desk, "run-due").out == ""
    clock.at += dt.timedelta(minutes=31)
    ran = run(desk, "run-due")
    assert ran.status == 0, ran.err
    assert (len(wire.sent), status(desk), clock.waits) == (10, "held", 0)
    clock.at += dt.timedelta(minutes=29)
    assert run(desk, "run-due").out == ""
    clock.at += dt.timedelta(minutes=2)
    assert run(desk, "run-due").status == 0
    assert (len(set(wire.sent)), len(wire.sent), status(desk)) == (NUMBER, NUMBER, "sent")


def test_a_hold_that_was_over_long_ago_waits_for_the_operator(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--at", "2026-11-21T12:30", "--canary", "5%").status == 0
    clock.at += dt.timedelta(minutes=31)
    assert run(desk, "run-due").status == 0
    clock.at += dt.timedelta(hours=5)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "should have resumed" in ran.err
    assert f"`mailer campaigns resume {SLUG}` sends the rest now" in ran.err
    assert run(desk, "run-due").status == 0
    assert len(wire.sent) == 10
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert len(wire.sent) == NUMBER


def test_the_first_of_a_scheduled_campaign_that_was_paused_stay_the_first(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    send_at = ("send", ISSUE, "--yes", "--at", "2026-11-21T12:30", "--canary", "5%", "--hold", "ask")
    assert run(desk, *send_at).status == 0
    clock.at += dt.timedelta(minutes=31)
    assert run(desk, "campaigns", "pause", SLUG).status == 0
    assert run(desk, "campaigns", "resume", SLUG).status == 1
    assert (len(wire.sent), status(desk)) == (10, "held")


def test_a_few_readers_are_too_few_to_say_much(desk: Path, clock: Clock, wire: Scripted) -> None:
    ran = send(desk, "--canary", "1%", "--segment", 'email == "reader7@example.org"')
    assert ran.status == 0, ran.err
    assert "Warning    a canary of 1 out of 1 readers is too small to say much about the others" in ran.out
    assert wire.sent == ["reader7@example.org"]


def test_when_none_of_the_first_can_be_tried_the_rest_are_not_either(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    assert run(desk, "send", ISSUE, "--yes", "--at", "2026-11-21T12:30", "--canary", "5%").status == 0
    for number in range(NUMBER):
        assert run(desk, "subscribers", "unsubscribe", f"reader{number}@example.org").status == 0
    clock.at += dt.timedelta(minutes=31)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "no message could be sent to the first 10 readers; 190 readers have nothing yet" in ran.out
    assert (wire.sent, status(desk)) == ([], "paused")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--canary", "lots"], '--canary: "lots" is not a share such as "5%"'),
        (["--canary", "0%"], '--canary: "0%" is not a share such as "5%"'),
        (["--canary", "1%", "--hold", "soon"], '--hold: "soon" is neither a time span such as "30m"'),
        (["--hold", "30m"], "--hold needs --canary"),
        (["--canary", "1%", "--at-local", "08:00"], "--canary and --at-local cannot be used together"),
        (
            ["--canary", "1%", "--test", "a@example.org"],
            "--test and --canary cannot be used together; leave --canary out",
        ),
    ],
)
def test_what_is_wrong_with_a_canary_is_one_sentence(desk: Path, words: list[str], sentence: str) -> None:
    ran = send(desk, *words)
    assert ran.status == 2
    assert sentence in ran.err
    assert not (desk / "campaigns").exists()


def test_the_canary_of_a_campaign_stays_as_it_was(desk: Path, clock: Clock, wire: Scripted) -> None:
    assert send(desk, "--canary", "5%", "--hold", "ask").status == 1
    ran = send(desk, "--canary", "10%")
    assert ran.status == 2
    assert "was made with another canary, which cannot be changed any more" in ran.err
    assert send(desk, "--canary", "5%").status == 1
    assert (len(wire.sent), status(desk)) == (10, "held")


def test_a_manifest_says_that_it_is_held(desk: Path, clock: Clock, wire: Scripted) -> None:
    send(desk, "--canary", "5%", "--hold", "ask")
    assert '"status": "held"' in (desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8")
    db = open_store(desk / "subscribers.db")
    assert open_spool(db, find_campaign(db, SLUG)).delivery_counts_by_state()["pending"] == 190

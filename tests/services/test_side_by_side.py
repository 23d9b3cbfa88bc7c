"""Campaigns that are due at the same time are sent at the same time, over a number of connections in all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.campaign.campaign import Campaign
from mailer.campaign.due import due_campaigns
from mailer.config import Settings
from mailer.errors import TransportError
from mailer.services.due import send_due as due
from mailer.services.due.parallel_runs import ParallelRuns, RetryTimes
from mailer.services.due.send_due import DueCampaignResult, send_due_campaigns
from mailer.services.workspace import Workspace, make_workspace
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.stop import StopFlag
from tests.cli import run
from tests.clock import Clock
from tests.spooled import campaigns

SECONDS = 20.0
READERS = 45
TEXT = """\
edition: {edition}
date: 2026-11-22
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
"""
CONNECTIONS = 2
FIRST = "reader0@example.org"

pytestmark = [
    pytest.mark.usefixtures("clock", "desk"),
    pytest.mark.desk(readers=READERS, MAILER_DELIVERY_CONNECTIONS=str(CONNECTIONS)),
]


class Wire:
    """A transport a campaign, named in its URL; counts the channels of all of them that are open."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.open = self.most = 0
        self.lock = threading.Lock()
        self.decide: dict[str, Callable[[OutgoingMessage], object]] = {}

    def transport(self, url: str, *_: object, **__: object) -> Transport:
        return Transport(self, url.partition(":")[2])

    def to(self, name: str) -> list[str]:
        return [address for whose, address in self.sent if whose == name]


class Transport:
    batch_size = 1
    concurrency = 4

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name

    def channel(self) -> Channel:
        with self.wire.lock:
            self.wire.open += 1
            self.wire.most = max(self.wire.most, self.wire.open)
        return Channel(self.wire, self.name)


class Channel:
    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        for message in batch:
            self.wire.decide.get(self.name, lambda _: None)(message)
            with self.wire.lock:
                self.wire.sent.append((self.name, message.address))
        return [Outcome(OutcomeKind.ACCEPTED, "ok")] * len(batch)

    def close(self) -> None:
        with self.wire.lock:
            self.wire.open -= 1


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr("mailer.services.sending.run.open_transport", wire.transport)
    monkeypatch.setattr(due, "POLL_SECONDS", 0.01)
    return wire


def schedule(desk: Path, name: str, at: str = "08:00", edition: str = "morning") -> str:
    """A campaign that goes by the transport of that name; gives its slug."""
    issue = f"issues/{name}.yaml"
    text = TEXT.format(edition=edition).replace("Cranes", f"Cranes of {name}")
    (desk / issue).write_text(text, encoding="utf-8")
    words = ("--yes", "--json", "--transport", f"outbox:{name}", "--at", f"2026-11-22T{at}")
    ran = run(desk, "send", issue, *words)
    assert ran.status == 0, ran.err
    return str(ran.json["slug"])


def statuses(db: Database) -> dict[str, str]:
    return {campaign.slug: campaign.status for campaign in campaigns(db)}


def test_a_campaign_that_is_due_behind_a_long_one_is_sent_in_its_time(
    desk: Path, clock: Clock, wire: Wire, db: Database, settings: Settings
) -> None:
    long, short = schedule(desk, "long"), schedule(desk, "short", "08:05")
    over = threading.Event()

    def seventy_minutes(message: OutgoingMessage) -> None:
        if message.address == FIRST:
            clock.set("2026-11-22T00:05")
            assert over.wait(SECONDS), "the other one has to wait"

    wire.decide["long"] = seventy_minutes
    clock.set("2026-11-22T00:00")
    told: list[DueCampaignResult] = []
    for done in send_due_campaigns(make_workspace(settings, db), stop=StopFlag()):
        told.append(done)
        clock.set("2026-11-22T01:10")
        over.set()
    assert [done.campaign.slug for done in told] == [short, long]
    assert all(done.is_complete for done in told)
    assert statuses(db) == {long: "sent", short: "sent"}
    assert len(wire.to("long")) == len(wire.to("short")) == READERS


@pytest.mark.parametrize("number", [2, 3, 5])
def test_all_runs_together_open_no_more_than_the_connections_of_the_settings(
    desk: Path, clock: Clock, wire: Wire, number: int
) -> None:
    slugs = [schedule(desk, f"n{index}") for index in range(number)]
    together = threading.Barrier(CONNECTIONS)

    def first(message: OutgoingMessage) -> None:
        if message.address == FIRST:
            together.wait(SECONDS)

    wire.decide = {f"n{index}": first for index in range(CONNECTIONS)}
    clock.set("2026-11-22T00:00")
    ran = run(desk, "run-due")
    assert (ran.status, ran.err) == (0, "")
    assert sorted(ran.out.splitlines()) == sorted(f"{slug}: {READERS} accepted; sent" for slug in slugs)
    assert (wire.most, wire.open) == (CONNECTIONS, 0)
    for index in range(number):
        assert len(set(wire.to(f"n{index}"))) == len(wire.to(f"n{index}")) == READERS


@pytest.mark.parametrize("error", [TransportError("the server closed the connection"), RuntimeError("a bug")])
def test_one_that_fails_leaves_the_others_alone(
    desk: Path, clock: Clock, wire: Wire, error: Exception
) -> None:
    broken, is_complete = schedule(desk, "broken"), schedule(desk, "well")
    began = threading.Event()

    def fail(message: OutgoingMessage) -> None:
        if message.address == FIRST:
            assert began.wait(SECONDS)
        raise error

    wire.decide = {"broken": fail, "well": lambda _: began.set()}
    clock.set("2026-11-22T00:00")
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert ran.out == f"{is_complete}: {READERS} accepted; sent\n"
    assert ran.err.startswith(f"{broken}: ")
    assert str(error) in ran.err
    assert wire.open == 0


def test_a_wish_to_stop_lays_all_of_them_down_and_the_next_run_goes_on(
    desk: Path, clock: Clock, wire: Wire, db: Database, settings: Settings
) -> None:
    slugs = [schedule(desk, "a"), schedule(desk, "b")]
    stop, together = StopFlag(), threading.Barrier(2)

    def stop_both(_: OutgoingMessage) -> None:
        if not stop.is_set():
            together.wait(SECONDS)
            stop.set()

    wire.decide = {"a": stop_both, "b": stop_both}
    clock.set("2026-11-22T00:00")
    told = list(send_due_campaigns(make_workspace(settings, db), stop=stop))
    assert sorted(done.campaign.slug for done in told) == sorted(slugs)
    assert set(statuses(db).values()) == {"scheduled"}
    assert wire.open == 0
    wire.decide = {}
    assert run(desk, "run-due").status == 0
    assert len(set(wire.sent)) == len(wire.sent) == 2 * READERS


def test_who_takes_no_more_results_ends_the_runs(
    desk: Path, clock: Clock, wire: Wire, db: Database, settings: Settings
) -> None:
    schedule(desk, "quick")
    schedule(desk, "slow")
    released = threading.Event()
    wire.decide["slow"] = lambda message: message.address == FIRST and released.wait(SECONDS)
    clock.set("2026-11-22T00:00")
    results = send_due_campaigns(make_workspace(settings, db), stop=StopFlag())
    assert next(results).result is not None
    threading.Timer(0, released.set).start()
    results.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("run-")]
    assert wire.open == 0


def test_a_failed_one_is_not_tried_again_before_its_rest_is_over(
    desk: Path, clock: Clock, wire: Wire, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = schedule(desk, "broken")
    tries: list[str] = []

    def fail(message: OutgoingMessage) -> None:
        tries.append(message.address)
        raise TransportError("the server closed the connection")

    wire.decide["broken"] = fail
    clock.set("2026-11-22T00:00")
    retry_times = RetryTimes()
    (done,) = send_due_campaigns(make_workspace(settings, db), stop=StopFlag(), retry_times=retry_times)
    before = len(tries)
    assert "closed the connection" in done.error
    assert (
        list(send_due_campaigns(make_workspace(settings, db), stop=StopFlag(), retry_times=retry_times)) == []
    )
    assert len(tries) == before
    retry_times.postpone_retry(slug, 0.0)
    wire.decide = {}
    (done,) = send_due_campaigns(make_workspace(settings, db), stop=StopFlag(), retry_times=retry_times)
    assert done.is_complete


def test_where_no_thread_is_to_be_had_the_campaign_is_told_and_tried_again(
    desk: Path, clock: Clock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = schedule(desk, "a")
    clock.set("2026-11-22T00:00")

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(ParallelRuns, "start_run", no_thread)
        ran = run(desk, "run-due")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"{slug}: can't start new thread; the campaign is tried again\n"
    assert run(desk, "run-due").status == 0


@pytest.mark.parametrize("lasting", [False, True])
def test_trouble_while_looking_for_more_ends_no_run(
    desk: Path,
    clock: Clock,
    wire: Wire,
    db: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    lasting: bool,
) -> None:
    schedule(desk, "a")
    clock.set("2026-11-22T00:00")
    real, looks, looked = due_campaigns, iter([1, 0]), threading.Event()

    def fail_later(known: list[Campaign], now: str) -> list[Campaign]:
        number = next(looks, None)
        if number == 0 or (number is None and lasting):
            looked.set()
            raise sqlite3.OperationalError("database is locked")
        return real(known, now)

    monkeypatch.setattr(due, "due_campaigns", fail_later)
    wire.decide["a"] = lambda _: looked.wait(SECONDS)
    results = send_due_campaigns(make_workspace(settings, db), stop=StopFlag())
    assert next(results).is_complete
    if lasting:
        with pytest.raises(sqlite3.OperationalError):
            next(results)
    else:
        assert list(results) == []
    assert len(wire.to("a")) == READERS


def test_a_database_that_cannot_be_opened_in_the_run_is_told_as_its_failure(
    desk: Path, clock: Clock, wire: Wire, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(desk, "a")
    clock.set("2026-11-22T00:00")

    def locked(*_: object) -> Workspace:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(due, "open_workspace", locked)
    (done,) = send_due_campaigns(make_workspace(settings, db), stop=StopFlag())
    assert "another process is writing to the database" in done.error
    assert wire.sent == []

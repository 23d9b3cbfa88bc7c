"""Requests of many readers stay whole: after a limit they go again as they were, less who may not have it."""

from __future__ import annotations

import errno
import shutil
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.delivery.workers.workers import Workers
from mailer.spool.journal import Journal
from mailer.transports.buffered import wait_until_sent
from mailer.transports.http import connection as http_connection
from mailer.transports.sendgrid.transport import SendGrid
from tests.clock import Clock
from tests.faults.conftest import SLUG, Desk
from tests.servers.sendgrid import SendGridApi

READERS = 2500
SLOW_DOWN = {"errors": [{"message": "too many requests", "field": None}]}


@pytest.fixture
def api(api: SendGridApi, monkeypatch: pytest.MonkeyPatch) -> SendGridApi:
    """A stand-in for SendGrid that may take its time."""
    monkeypatch.setitem(SendGrid.__init__.__kwdefaults__, "timeout", 20.0)  # type: ignore[arg-type]
    return api


def sizes(api: SendGridApi) -> list[int]:
    return [len(request["personalizations"]) for request in api.requests]


def serve(desk: Desk, clock: Clock, *, seconds: int, every: int = 5) -> None:
    """Looks at what is due as often as `mailer serve` does, for so long."""
    for _ in range(0, seconds, every):
        clock.forward(seconds=every)
        desk.run("run-due")


@pytest.mark.parametrize("connections", ["1", "8"])
def test_a_limit_that_is_over_later_costs_no_more_requests_than_there_are_tries(
    connections: str, desk: Desk, api: SendGridApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", connections)
    desk.people(READERS)
    api.limited = True
    assert desk.send().status == 1
    assert desk.counts == {"deferred": READERS}
    first = len(api.uploads)
    assert first <= 6
    api.limited = False
    serve(desk, clock, seconds=80)
    assert desk.counts == {"accepted": READERS}
    assert sorted(sizes(api)[first:]) == [500, 1000, 1000]
    assert max(Counter(api.recipients).values()) == 1


def test_a_limit_for_a_day_costs_a_handful_of_requests_each_time(
    desk: Desk, api: SendGridApi, clock: Clock
) -> None:
    desk.people(READERS)
    api.limited = True
    assert desk.send().status == 1
    for _ in range(8):  # the waits double: at the end it is deferred for more than an hour
        before = len(api.uploads)
        clock.set(next_try(desk))
        desk.run("run-due")
        assert 0 < len(api.uploads) - before <= 6
    assert set(sizes(api)) == {500, 1000}
    assert desk.counts == {"deferred": READERS}
    api.limited = False
    before = len(api.uploads)
    clock.set(next_try(desk))
    desk.run("run-due")
    assert sorted(sizes(api)[before:]) == [500, 1000, 1000]
    assert desk.counts == {"accepted": READERS}


def next_try(desk: Desk) -> str:
    """When all of what is deferred is due, and the campaign goes on (UTC)."""
    database = sqlite3.connect(desk.root / "subscribers.db")
    ((due, goes_on),) = database.execute(
        "SELECT max(d.due_at), max(c.held_until) FROM deliveries AS d, campaigns AS c "
        "WHERE d.state = 'deferred'"
    ).fetchall()
    database.close()
    return max(due, goes_on).removesuffix("Z")


def test_a_request_goes_again_without_those_who_left_meanwhile(
    desk: Desk, api: SendGridApi, clock: Clock
) -> None:
    desk.people(60)
    api.limited = True
    assert desk.send().status == 1
    api.limited = False
    clock.forward(seconds=10)
    for what in (("unsubscribe",), ("suppress",), ("erase", "--yes")):
        name, *more = what
        address = {"unsubscribe": "reader3", "suppress": "reader30", "erase": "reader60"}[name]
        ran = desk.run("subscribers", name, f"{address}@example.org", *more)
        assert ran.status == 0, ran.err
    before = len(api.uploads)
    serve(desk, clock, seconds=80)
    assert sizes(api)[before:] == [57]
    assert not {f"reader{n}@example.org" for n in (3, 30, 60)} & set(api.recipients)
    assert desk.counts == {"accepted": 57, "skipped": 3}


def test_a_kill_between_the_halves_of_a_request_leaves_nobody_in_doubt(
    desk: Desk, api: SendGridApi, tmp_path: Path
) -> None:
    """What a kill leaves is what is on disk while the second half is on its way to SendGrid."""
    desk.people(8)
    copy = tmp_path / "killed"
    api.answer(413, b"")

    first: list[str] = []

    def killed() -> None:
        first.extend(api.recipients)
        shutil.copytree(desk.root, copy)

    with pytest.MonkeyPatch.context() as patch:
        before_last_byte(patch, 3, killed)
        assert desk.send().status == 0
    assert sizes(api) == [8, 4, 4]
    assert copy.exists()
    # The copy goes on: the first half is known to have it, and the second half never was handed over.
    api.delivered.clear()
    dead = Desk(copy, "sendgrid:")
    ran = dead.run("campaigns", "show", SLUG, "--json")
    assert ran.status == 0, ran.err
    counts = {state: number for state, number in ran.json["counts"].items() if number}
    assert counts == {"accepted": 4, "pending": 4}
    assert dead.send().status == 0
    assert dead.counts == {"accepted": 8}
    assert sorted(first + api.recipients) == sorted(f"reader{n}@example.org" for n in range(1, 9))


def before_last_byte(patch: pytest.MonkeyPatch, number: int, then: Callable[[], None]) -> None:
    """Does something when all of that request (from 1) was sent but its last byte."""
    seen = 0
    wait = wait_until_sent

    def waited(connection: socket.socket, seconds: float | None) -> None:
        nonlocal seen
        wait(connection, seconds)
        seen += 1
        if seen == number:
            then()

    patch.setattr(http_connection, "wait_until_sent", waited)


@pytest.mark.parametrize("where", ["note_begun_deliveries", "note_outcomes"])
def test_a_full_disk_between_the_halves_of_a_request_sends_nobody_anything_twice(
    where: str, desk: Desk, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.people(8)
    api.answer(413, b"")
    real = getattr(Journal, where)
    calls = 0

    def fails(self: Journal, *words: Any, **more: Any) -> None:
        nonlocal calls
        calls += 1
        # The third request is begun, or the answer to the second is noted, on a full disk.
        if calls >= (3 if where == "note_begun_deliveries" else 1):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, *words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, where, fails)
        ran = desk.send()
    assert ran.status == 1
    assert "the journal cannot be written (No space left on device), so nothing more is sent" in ran.err
    assert desk.counts == {"accepted": 4, "pending": 4}
    assert len(api.recipients) == 4
    desk.finishes(lambda: api.recipients)


def test_a_pause_between_the_halves_of_a_request_gives_the_rest_back(desk: Desk, api: SendGridApi) -> None:
    desk.people(8)
    api.answer(413, b"")

    def pause() -> None:
        database = sqlite3.connect(desk.root / "subscribers.db")
        with database:
            database.execute("UPDATE campaigns SET status = 'paused'")
        database.close()
        assert stopping.wait(10)

    stopping, end = threading.Event(), Workers.end_after_current_chunk

    def ends(self: Workers) -> None:
        end(self)
        stopping.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailer.delivery.loop.GRACE_SECONDS", 20.0)
        patch.setattr(Workers, "end_after_current_chunk", ends)
        before_last_byte(patch, 2, pause)
        assert desk.send().status == 1
    assert desk.counts == {"accepted": 4, "pending": 4}
    assert sizes(api) == [8, 4]
    assert desk.run("campaigns", "resume", SLUG).status == 0
    assert desk.counts == {"accepted": 8}

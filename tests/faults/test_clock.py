"""A clock that is set back or forward, and summer time: nobody waits for ever, nobody gets it twice."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from mailer.clock import set_clock
from tests.faults.conftest import At, Desk
from tests.servers.smtp import SmtpServer


class Clock:
    """The machine's clock, and how far somebody has moved it."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def move(self, **by: float) -> None:
        self.moved += timedelta(**by)


@pytest.fixture
def clock(desk: Desk) -> Clock:
    """Everything that a run asks for the time, it asks here."""
    made = Clock()
    set_clock(made)
    return made


@pytest.mark.parametrize("by", [{"hours": -5}, {"days": -400}, {"hours": 5}, {"days": 30}], ids=str)
def test_a_clock_that_is_moved_during_a_run(
    desk: Desk, clock: Clock, server: SmtpServer, by: dict[str, float]
) -> None:
    """reader1 and reader2 were put off before it was moved; they still get theirs by the next `send`."""
    server.fail("RCPT", "reply", "450 4.2.1 try again later", times=2)
    server.received = At(1, lambda: clock.move(**by))
    assert desk.send().status == 1
    desk.finishes(lambda: server.recipients)


def test_a_clock_that_is_set_back_by_days_keeps_no_deferred_mail_waiting(
    desk: Desk, clock: Clock, server: SmtpServer
) -> None:
    server.fail("RCPT", "reply", "450 4.2.1 try again later", times=2)
    clock.move(days=30)
    assert desk.send().status == 1
    clock.move(days=-30)
    ran = desk.run("run-due")
    assert ran.status == 0, ran.err
    assert desk.counts == {"accepted": 4}


@pytest.mark.parametrize("by", [{"hours": -5}, {"days": -400}, {"hours": 5}, {"days": 30}], ids=str)
def test_a_clock_that_is_moved_between_two_runs(
    desk: Desk, clock: Clock, server: SmtpServer, by: dict[str, float]
) -> None:
    server.fail("RCPT", "reply", "450 4.2.1 try again later", times=3)
    assert desk.send().status == 1
    assert desk.states == ["deferred", "deferred", "deferred", "accepted"]
    clock.move(**by)
    desk.finishes(lambda: server.recipients)


def test_who_joins_while_the_clock_is_wrong_still_counts(
    desk: Desk, clock: Clock, server: SmtpServer
) -> None:
    clock.move(days=-30)
    assert desk.send().status == 0
    assert desk.run("subscribers", "unsubscribe", "reader1@example.org").status == 0
    clock.move(days=60)
    desk.finishes(lambda: server.recipients)
    assert len(server.received) == 4


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Apia"])
def test_another_time_zone_of_the_machine_changes_nothing(
    desk: Desk, server: SmtpServer, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on the nights when its clocks change: what is written down is UTC."""
    server.fail("RCPT", "reply", "450 4.2.1 try again later", times=2)
    assert desk.send().status == 1
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        desk.finishes(lambda: server.recipients)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "moment", [datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)]
)
def test_a_run_across_the_hour_when_the_clocks_change(
    desk: Desk, clock: Clock, server: SmtpServer, moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Berlin's 02:59:59 is followed by 02:00:00 (or 01:59:59 by 03:00:00): a retry is due as before."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        clock.moved = moment - datetime.now(UTC)
        server.fail("RCPT", "reply", "450 4.2.1 try again later", times=2)
        server.received = At(1, lambda: clock.move(seconds=2))
        assert desk.send().status == 1
        clock.move(minutes=2)
        assert desk.run("run-due").status == 0
        desk.finishes(lambda: server.recipients)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()

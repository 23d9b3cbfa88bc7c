"""The permits of a process: never more than there are, divided equally, and handed on between two chunks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mailer.delivery.circuit_breaker import CircuitBreaker
from mailer.delivery.workers import connections, workers
from mailer.delivery.workers.connections import ConnectionPool, ConnectionShare
from mailer.delivery.workers.workers import Workers, WorkerSupervision
from mailer.errors import TransportError
from mailer.spool.journal import Journal
from mailer.transports.base import Outcome, OutcomeKind

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(workers, "_POLL_SECONDS", 0.01)


def until(condition: Callable[[], bool]) -> None:
    """Returns once the other threads have made it true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


def always() -> bool:
    return True


def never() -> bool:
    return False


def hold(share: ConnectionShare, number: int) -> None:
    assert [share.acquire_permit(never) for _ in range(number)] == [True] * number


class Waiting:
    """Threads that wait for permits of a share and keep what they get."""

    def __init__(self, share: ConnectionShare, number: int) -> None:
        self.got = 0
        self._share = share
        self._given_up = threading.Event()
        self._threads = [threading.Thread(target=self._wait) for _ in range(number)]
        for thread in self._threads:
            thread.start()
        until(lambda: share._waiting + self.got == number)

    def _wait(self) -> None:
        if self._share.acquire_permit(self._given_up.is_set):
            self.got += 1

    def end(self) -> None:
        self._given_up.set()
        for thread in self._threads:
            thread.join(SECONDS)


def test_one_run_gets_all_permits_and_owes_none() -> None:
    share = ConnectionPool(4).add_run(always)
    hold(share, 4)
    assert not share.must_release_permit()
    assert not share.must_release_permit(is_idle=True)
    assert not share.acquire_permit(always)


def test_there_is_at_least_one_permit() -> None:
    assert ConnectionPool(0).add_run(always).acquire_permit(never)


@pytest.mark.parametrize(("total", "kept", "given"), [(8, 4, 4), (5, 3, 2), (2, 1, 1), (3, 2, 1)])
def test_a_run_that_holds_all_gives_up_half_between_its_chunks(total: int, kept: int, given: int) -> None:
    pool = ConnectionPool(total)
    first, second = pool.add_run(always), pool.add_run(always)
    hold(first, total)
    waiting = Waiting(second, total)
    owed = [first.must_release_permit() for _ in range(total)]
    assert owed.count(True) == given
    for _ in range(given):
        first.release_permit()
    until(lambda: waiting.got == given)
    assert not first.must_release_permit()
    assert not second.must_release_permit()
    waiting.end()


def test_a_permit_that_is_free_or_promised_already_is_not_asked_for_again() -> None:
    pool = ConnectionPool(4)
    first, second = pool.add_run(always), pool.add_run(always)
    hold(first, 4)
    waiting = Waiting(second, 1)
    assert first.must_release_permit()
    assert not first.must_release_permit()
    first.release_permit()
    until(lambda: waiting.got == 1)
    first.release_permit()
    assert not second.must_release_permit()
    waiting.end()


def test_a_run_without_work_takes_only_what_nobody_else_waits_for() -> None:
    pool = ConnectionPool(2)
    first, idle, second = pool.add_run(always), pool.add_run(never), pool.add_run(always)
    hold(first, 2)
    nothing = Waiting(idle, 1)
    assert not first.must_release_permit()
    assert not first.must_release_permit(is_idle=True)
    waiting = Waiting(second, 1)
    assert first.must_release_permit()
    first.release_permit()
    until(lambda: waiting.got == 1)
    assert nothing.got == 0
    first.release_permit()
    until(lambda: nothing.got == 1)
    nothing.end()
    waiting.end()


def test_a_worker_that_has_been_idle_gives_its_permit_to_a_run_that_has_as_many() -> None:
    pool = ConnectionPool(2)
    first, second = pool.add_run(never), pool.add_run(always)
    hold(first, 1)
    hold(second, 1)
    waiting = Waiting(second, 1)
    assert not first.must_release_permit()
    assert first.must_release_permit(is_idle=True)
    first.release_permit()
    until(lambda: waiting.got == 1)
    waiting.end()


def test_a_promise_to_a_run_that_ended_meanwhile_goes_to_the_next() -> None:
    pool = ConnectionPool(1)
    first, second, third = pool.add_run(always), pool.add_run(always), pool.add_run(always)
    hold(first, 1)
    leaving = Waiting(second, 1)
    assert first.must_release_permit()
    leaving.end()
    waiting = Waiting(third, 1)
    first.release_permit()
    until(lambda: waiting.got == 1)
    assert leaving.got == 0
    waiting.end()


# -- with real workers ----------------------------------------------------------------------


class Message:
    needs_dot_stuffing = False

    def __init__(self, number: int) -> None:
        self.subscriber_id, self.attempt, self.key = number, 1, (number, 1)


class Wire:
    """Transports of several runs; notes whose chunk is sent, and how many channels are open at most."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.open = self.most = 0
        self.lock = threading.Lock()
        self.go_on = threading.Event()

    def transport(self, name: str) -> Transport:
        return Transport(self, name)


class Transport:
    batch_size = 1
    concurrency = 4

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire, self.name = wire, name
        self.error: Exception | None = None
        self.until = lambda: self.wire.go_on.is_set()
        self.open = 0

    def channel(self) -> Channel:
        with self.wire.lock:
            self.open += 1
            self.wire.open += 1
            self.wire.most = max(self.wire.most, self.wire.open)
        return Channel(self)


class Channel:
    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def send(self, batch: Sequence[Any]) -> list[Outcome]:
        wire = self.transport.wire
        with wire.lock:
            wire.order.append(self.transport.name)
        until(self.transport.until)
        if self.transport.error is not None:
            raise self.transport.error
        return [Outcome(OutcomeKind.ACCEPTED)] * len(batch)

    def close(self) -> None:
        with self.transport.wire.lock:
            self.transport.open -= 1
            self.transport.wire.open -= 1


class Crew:
    """The workers of one run, with a journal of their own."""

    def __init__(self, folder: Path, transport: Transport, count: int, pool: ConnectionPool | None) -> None:
        self.journal = Journal(folder / f"{transport.name}.journal")
        self.stopping = threading.Event()
        self.workers = Workers(
            transport, self.journal, WorkerSupervision(CircuitBreaker({}), self.stopping.is_set), count, pool
        )

    def give(self, chunks: int) -> None:
        for number in range(chunks):
            self.workers.submit([Message(number)])  # type: ignore[list-item]

    def reports(self, number: int) -> list[workers.WorkerReport]:
        return [self.workers.reports.get(timeout=SECONDS) for _ in range(number)]

    def end(self) -> list[workers.WorkerReport]:
        self.workers.end_after_current_chunk()
        told: list[workers.WorkerReport] = []
        while sum(report.ended for report in told) < self.workers.alive:
            told += self.reports(1)
        with suppress(OSError):
            self.journal.close()
        return told


def test_more_runs_than_permits_take_turns_chunk_by_chunk(tmp_path: Path) -> None:
    wire, pool = Wire(), ConnectionPool(1)
    first = Crew(tmp_path, wire.transport("a"), 1, pool)
    first.give(4)
    until(lambda: wire.order == ["a"])
    second = Crew(tmp_path, wire.transport("b"), 1, pool)
    second.give(3)
    until(lambda: len(pool._waiting) == 1)
    third = Crew(tmp_path, wire.transport("c"), 1, pool)
    third.give(3)
    until(lambda: len(pool._waiting) == 2)
    wire.go_on.set()
    for crew, number in ((first, 4), (second, 3), (third, 3)):
        assert all(report.settled for report in crew.reports(number))
    assert "".join(wire.order) == "abcabcabca"
    for crew in (first, second, third):
        crew.end()
    assert (wire.open, wire.most) == (0, 1)


def test_two_runs_have_as_many_channels_once_both_have_work(tmp_path: Path) -> None:
    wire, pool = Wire(), ConnectionPool(4)
    ours, theirs = wire.transport("a"), wire.transport("b")
    first = Crew(tmp_path, ours, 4, pool)
    first.give(40)
    until(lambda: wire.order == ["a"] * 4)
    theirs.until = lambda: ours.open == theirs.open == 2
    second = Crew(tmp_path, theirs, 4, pool)
    second.give(40)
    until(lambda: second.workers._share._waiting == 4)
    wire.go_on.set()
    until(lambda: ours.open == theirs.open == 2)
    theirs.until = always
    first.reports(40)
    second.reports(40)
    assert wire.most == 4
    first.end()
    second.end()
    assert wire.open == 0


def test_a_run_with_nothing_to_send_for_a_while_lends_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_IDLE_SECONDS", 0.0)
    wire, pool = Wire(), ConnectionPool(1)
    wire.go_on.set()
    waits = Crew(tmp_path, wire.transport("waits"), 1, pool)
    until(lambda: wire.open == 1)
    busy = Crew(tmp_path, wire.transport("busy"), 1, pool)
    busy.give(2)
    assert all(report.settled for report in busy.reports(2))
    waits.give(1)
    assert waits.reports(1)[0].settled
    waits.end()
    busy.end()


def test_a_run_that_stops_while_it_waits_for_a_permit_gives_everything_back(tmp_path: Path) -> None:
    wire, pool = Wire(), ConnectionPool(1)
    hold(pool.add_run(always), 1)
    crew = Crew(tmp_path, wire.transport("a"), 1, pool)
    crew.give(2)
    until(lambda: bool(pool._waiting))
    crew.stopping.set()
    told = crew.end()
    assert [len(report.released) for report in told] == [1, 1, 0]
    assert not any(report.settled for report in told)
    assert (wire.order, wire.most) == ([], 0)
    assert not pool._waiting


@pytest.mark.parametrize("error", [TransportError("gone"), RuntimeError("a bug")])
def test_a_worker_that_fails_leaves_its_permit_to_the_others(tmp_path: Path, error: Exception) -> None:
    wire, pool = Wire(), ConnectionPool(1)
    wire.go_on.set()
    broken = wire.transport("broken")
    broken.error = error
    failing = Crew(tmp_path, broken, 1, pool)
    failing.give(1)
    told = failing.reports(1)
    while not told[-1].ended:
        told += failing.reports(1)
    assert told[-1].fatal == isinstance(error, RuntimeError)
    well = Crew(tmp_path, wire.transport("well"), 1, pool)
    well.give(1)
    assert well.reports(1)[0].settled
    well.end()
    failing.journal.close()
    assert wire.open == 0


def test_without_a_pool_a_run_has_all_its_own_connections(tmp_path: Path) -> None:
    wire = Wire()
    crews = [Crew(tmp_path, wire.transport(name), 3, None) for name in "ab"]
    for crew in crews:
        crew.give(3)
    until(lambda: len(wire.order) == 6)
    assert wire.most == 6
    wire.go_on.set()
    for crew in crews:
        crew.reports(3)
        crew.end()


def test_a_chunk_that_takes_long_is_cut_short_where_another_run_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.workers.workers._LONG_CHUNK_SECONDS", -1.0)
    wire, pool = Wire(), ConnectionPool(1)
    first = Crew(tmp_path, wire.transport("a"), 1, pool)
    first.workers.submit([Message(number) for number in range(3)])  # type: ignore[misc]
    until(lambda: wire.order == ["a"])
    second = Crew(tmp_path, wire.transport("b"), 1, pool)
    second.give(1)
    until(lambda: bool(pool._waiting))
    wire.go_on.set()
    report = first.reports(1)[0]
    assert (len(report.settled), len(report.released)) == (1, 2)
    assert second.reports(1)[0].settled
    for crew in (first, second):
        crew.end()

"""Where the system gives no threads or no memory, a run says so, and the next one goes on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.config import Pace, Settings
from mailer.delivery.pacing.pace import Pacer
from mailer.errors import TransportError
from mailer.transports.stop import StopFlag
from tests.spooled import DeskSpool, Scripted, add_readers, freeze, run_spool, templates


def scarce(monkeypatch: pytest.MonkeyPatch, number: int, error: Exception) -> None:
    """So many threads can be started, and then none any more. The first one follows the leavers."""
    start = threading.Thread.start
    left = iter(range(number))

    def start_if_any(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise error
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_any)


def run(settings: Settings, spool: DeskSpool, transport: Scripted, journal: Path) -> None:
    run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=Pacer(Pace()),
        connections=4,
        stop=StopFlag(),
    )


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
@pytest.mark.parametrize("number", [2, 4])
def test_the_threads_that_there_are_do_the_work(
    db: Database,
    settings: Settings,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: Exception,
) -> None:
    add_readers(db, 50)
    spool, transport = freeze(db), Scripted()
    scarce(monkeypatch, number, error)
    run(settings, spool, transport, journal)
    assert len(set(transport.sent)) == spool.delivery_counts_by_state()["accepted"] == 50
    assert transport.closed == number - 1


@pytest.mark.parametrize("number", [0, 1])
def test_without_any_thread_nothing_is_claimed_and_the_next_run_goes_on(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    add_readers(db, 5)
    spool, transport = freeze(db), Scripted()
    with monkeypatch.context() as patch:
        scarce(patch, number, RuntimeError("can't start new thread"))
        with pytest.raises(TransportError, match="cannot start another thread for this process"):
            run(settings, spool, transport, journal)
    assert spool.delivery_counts_by_state()["pending"] == 5
    run(settings, spool, transport, journal)
    assert len(transport.sent) == spool.delivery_counts_by_state()["accepted"] == 5

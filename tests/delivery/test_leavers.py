"""Readers who leave while a run is on are handed nothing more, wherever their message waits."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.consent.bounces import restore_bounced_subscriber
from mailer.audience.consent.record import Consent
from mailer.audience.people import get
from mailer.audience.subscribers import erase, set_editions, unsubscribe
from mailer.config import Pace, Settings
from mailer.delivery import leavers as module
from mailer.delivery.leavers import Leavers, watch_leavers
from mailer.delivery.pacing.pace import Pacer
from mailer.spool.journal import Journal, read_journal
from mailer.store.database import open_read_connection, open_store
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from tests.delivery.test_run import left, run
from tests.spooled import EDITION, Scripted, add_readers, freeze, open_spool

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")
LEAVING: tuple[Callable[[Database, int], object], ...] = (
    lambda db, number: unsubscribe(db, number, source="web"),
    lambda db, number: unsubscribe(db, number, edition=EDITION, source="preferences"),
    lambda db, number: erase(db, number),
)


@pytest.mark.parametrize("leave", LEAVING, ids=["everything", "the edition", "erased"])
@pytest.mark.parametrize("batch", [1, 7])
def test_readers_who_leave_after_the_claim_get_nothing(
    db: Database,
    settings: Settings,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[[Database, int], object],
    batch: int,
) -> None:
    """All 100 are claimed at once; the second half leaves while the first message is handed over."""
    ids = add_readers(db, 100)
    spool = freeze(db)
    other = open_store(settings.database)
    looked = look_on_demand(monkeypatch)
    gone = set(ids[50:])

    def decide(message: OutgoingMessage) -> Outcome:
        if gone and message.subscriber_id == ids[0]:
            assert left(open_spool(other, spool.campaign)) == {"sending": 100}
            for number in gone:
                leave(other, number)
            looked()
        return ACCEPTED

    transport = Scripted(decide, batch=batch)
    progress = run(settings, spool, transport, journal, connections=1)
    assert left(spool) == {"accepted": 50, "skipped": 50}
    assert progress.outcomes == {"accepted": 50, "skipped": 50}
    assert sorted(transport.sent) == sorted(f"reader{n}@example.org" for n in range(1, 51))
    assert {reason.state for reason in spool.non_delivery_reasons()} == {"skipped"}


def look_on_demand(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the clock's place: the run looks for leavers when the function that is given is called."""
    made: list[Leavers] = []

    class Noted(Leavers):
        def __init__(self, db: Database, edition: str) -> None:
            super().__init__(db, edition)
            made.append(self)

    monkeypatch.setattr(module, "Leavers", Noted)
    monkeypatch.setattr(module, "POLL_SECONDS", 3600.0)
    return lambda: made[-1].read_events()


def test_a_reader_who_leaves_under_a_pace_costs_no_turn(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add_readers(db, 4)
    spool, other = freeze(db), open_store(settings.database)
    looked = look_on_demand(monkeypatch)

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[0]:
            unsubscribe(other, ids[1], source="web")
            looked()
        return ACCEPTED

    pacer = Pacer(Pace(limit="3/d"))
    transport = Scripted(decide, concurrency=1)
    run(settings, spool, transport, journal, connections=1, pacer=pacer)
    assert left(spool) == {"accepted": 3, "skipped": 1}


def test_a_skipped_hand_over_is_known_after_a_kill(journal: Path) -> None:
    written = Journal(journal)
    written.note_begun_deliveries([(1, 1)])
    written.note_outcomes([(1, 1, Outcome(OutcomeKind.SKIPPED, reason="unsubscribed"))])
    written.close()
    assert read_journal(journal).outcomes[1, 1] == Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")


def test_a_thread_follows_the_leavers(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add_readers(db, 2)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    with watch_leavers(db, EDITION) as leavers:
        assert dict(leavers.reasons_by_subscriber_id) == {}
        unsubscribe(db, first, source="web")
        wait_until(lambda: first in leavers.reasons_by_subscriber_id)
        assert dict(leavers.reasons_by_subscriber_id) == {first: "unsubscribed"}
        set_editions(db, first, [EDITION], consent=_consent())
        unsubscribe(db, second, edition=EDITION, source="web")
        wait_until(lambda: second in leavers.reasons_by_subscriber_id)
        assert leavers.reasons_by_subscriber_id[second] == "not_subscribed"
    leavers.raise_lasting_error()


def test_readers_who_come_back_are_taken_out_again(db: Database) -> None:
    (number,) = add_readers(db, 1)
    leavers = Leavers(open_read_connection(db), EDITION)
    db.conn.execute("UPDATE subscribers SET status = 'bounced' WHERE id = ?", [number])
    db.conn.execute(
        "INSERT INTO events (at, kind, subscriber_id) VALUES ('2026-11-21', 'bounce', ?)", [number]
    )
    leavers.read_events()
    assert dict(leavers.reasons_by_subscriber_id) == {number: "bounced"}
    person = get(db, number)
    assert person is not None
    restore_bounced_subscriber(db, person, reason="it works")
    leavers.read_events()
    assert dict(leavers.reasons_by_subscriber_id) == {}


def test_who_left_before_is_for_the_claims_to_see(db: Database) -> None:
    (number,) = add_readers(db, 1)
    unsubscribe(db, number, source="web")
    leavers = Leavers(open_read_connection(db), EDITION)
    leavers.read_events()
    assert dict(leavers.reasons_by_subscriber_id) == {}


def test_a_run_does_not_go_on_blind(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    reader = open_read_connection(db)
    leavers = Leavers(reader, EDITION)
    reader.close()
    leavers.read_events()
    leavers.raise_lasting_error()
    moment += 1.5
    with pytest.raises(sqlite3.Error):
        leavers.raise_lasting_error()


def test_a_reader_connection_cannot_write(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        open_read_connection(db).conn.execute("DELETE FROM subscribers")


def wait_until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(5000):
        if holds():
            return
        waiting.wait(0.002)
    raise AssertionError("it never held")


def _consent() -> Consent:
    return Consent(given_at="2026-01-01T00:00:00.000000Z", method="test", origin="")

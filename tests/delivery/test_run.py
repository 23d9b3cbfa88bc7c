"""The delivery loop hands over every message once and writes down what became of it, whatever happens."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.subscribers import erase, unsubscribe
from mailer.config import Pace, Settings
from mailer.delivery import intake, leavers, loop
from mailer.delivery.circuit_breaker import CircuitBreaker
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.retry import USUAL, Backoff
from mailer.delivery.workers import workers
from mailer.errors import TransportError
from mailer.spool.journal import Journal, read_journal
from mailer.spool.sqlite.spools import SqliteSpool
from mailer.spool.values import ClaimKey, ReasonGroup, ReplyText
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.stop import StopFlag
from tests.spooled import DeskSpool, Scripted, add_readers, freeze, open_spool, run_spool, templates

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")
#: What is deferred is due again at once.
AT_ONCE = Backoff(first=0.0, longest=0.0)


def run(
    settings: Settings,
    spool: DeskSpool,
    transport: Scripted,
    journal: Path,
    *,
    stop: StopFlag | None = None,
    pacer: Pacer | None = None,
    connections: int = 4,
    backoff: Backoff = USUAL,
    **more: Any,
) -> Progress:
    return run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=pacer or Pacer(Pace()),
        connections=connections,
        stop=stop or StopFlag(),
        backoff=backoff,
        **more,
    )


def left(spool: DeskSpool) -> dict[str, int]:
    return {state: number for state, number in spool.delivery_counts_by_state().items() if number}


@pytest.mark.parametrize("batch", [1, 7])
def test_everybody_gets_it_once(db: Database, settings: Settings, journal: Path, batch: int) -> None:
    add_readers(db, 100)
    spool, transport = freeze(db), Scripted(batch=batch)
    progress = run(settings, spool, transport, journal)
    assert Counter(transport.sent) == Counter(f"reader{i}@example.org" for i in range(1, 101))
    assert left(spool) == {"accepted": 100}
    assert progress.outcomes == {"accepted": 100}
    assert progress.settled_count == 100
    assert transport.closed == 4
    run(settings, spool, transport, journal)
    assert len(transport.sent) == 100


def test_more_readers_than_a_window(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 10)
    monkeypatch.setattr(intake, "_CHUNK", 3)
    add_readers(db, 57)
    spool, transport = freeze(db), Scripted()
    most = 0

    def watch(message: OutgoingMessage) -> Outcome:
        nonlocal most
        most = max(most, spool_of_another.delivery_counts_by_state()["sending"])
        return ACCEPTED

    spool_of_another = open_spool(open_store(settings.database), spool.campaign)
    transport.decide = watch
    run(settings, spool, transport, journal, connections=1)
    assert left(spool) == {"accepted": 57}
    assert len(set(transport.sent)) == 57
    assert 0 < most <= 10


def test_refusals_and_doubts_are_never_counted_as_sent(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = add_readers(db, 4)
    kinds = dict(
        zip(
            ids,
            (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN),
            strict=True,
        )
    )
    spool = freeze(db)
    transport = Scripted(
        lambda m: Outcome(kinds[m.subscriber_id], "", f"said {kinds[m.subscriber_id].value}")
    )
    progress = run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 1, "rejected": 1, "deferred": 1, "uncertain": 1}
    assert progress.outcomes == left(spool)
    assert ReasonGroup("rejected", "", 1, (ReplyText("said rejected", 1),)) in spool.non_delivery_reasons()
    assert spool.next_deferred_due_time() is not None


def test_a_deferred_message_is_tried_again_in_the_same_run(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 2)
    spool = freeze(db)
    tries: Counter[str] = Counter()

    def decide(message: OutgoingMessage) -> Outcome:
        tries[message.address] += 1
        first = message.address.startswith("reader1") and tries[message.address] < 3
        return Outcome(OutcomeKind.DEFERRED, "", "451 later") if first else ACCEPTED

    run(settings, spool, Scripted(decide), journal, backoff=AT_ONCE)
    assert left(spool) == {"accepted": 2}
    assert tries == {"reader1@example.org": 3, "reader2@example.org": 1}


def test_a_stop_during_the_wait_for_a_retry_ends_the_run(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 1)
    spool, stop = freeze(db), StopFlag()

    def decide(message: OutgoingMessage) -> Outcome:
        stop.set()
        return Outcome(OutcomeKind.DEFERRED, "", "451 later")

    progress = run(settings, spool, Scripted(decide), journal, stop=stop, backoff=USUAL)
    assert progress.stopped_by == "signal"
    assert left(spool) == {"deferred": 1}


def test_a_stop_gives_back_what_was_not_handed_over(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 300)
    spool, stop = freeze(db), StopFlag()

    def decide(message: OutgoingMessage) -> Outcome:
        stop.set()
        return ACCEPTED

    transport = Scripted(decide)
    progress = run(settings, spool, transport, journal, stop=stop)
    counts = left(spool)
    assert progress.stopped_by == "signal"
    assert counts["accepted"] == len(transport.sent) < 300
    assert counts["pending"] == 300 - counts["accepted"]
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 300}
    assert len(set(transport.sent)) == len(transport.sent) == 300


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_another_process_stops_a_run(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.0)
    add_readers(db, 50)
    spool = freeze(db)
    other = open_spool(open_store(settings.database), spool.campaign)
    asked = threading.Event()

    def decide(message: OutgoingMessage) -> Outcome:
        if not asked.is_set():
            asked.set()
            other.set_status(status)
        return ACCEPTED

    slow = Pacer(Pace(limit="200/s"))
    transport = Scripted(decide)
    progress = run(settings, spool, transport, journal, connections=1, pacer=slow)
    assert progress.stopped_by == status
    counts = left(spool)
    assert counts["pending"] > 0
    assert counts["accepted"] == len(transport.sent)


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_run_that_nobody_told_finds_out_when_it_claims(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(intake, "_WINDOW", 4)
    add_readers(db, 50)
    spool = freeze(db)
    other = open_spool(open_store(settings.database), spool.campaign)

    def decide(_: OutgoingMessage) -> Outcome:
        other.set_status(status)
        return ACCEPTED

    transport = Scripted(decide)
    progress = run(settings, spool, transport, journal, connections=1)
    assert progress.stopped_by == status
    assert left(spool) == {"accepted": len(transport.sent), "pending": 50 - len(transport.sent)}
    assert len(transport.sent) <= 8


def test_a_slow_domain_waits_while_the_others_go(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 3, "slow.test")
    add_readers(db, 3, "fast.test")
    spool, transport = freeze(db), Scripted()
    pacer = Pacer(Pace(domains={"slow.test": "20/s"}))
    run(settings, spool, transport, journal, pacer=pacer, connections=1)
    assert [a.partition("@")[2] for a in transport.sent[:4]].count("fast.test") == 3
    assert left(spool) == {"accepted": 6}


def test_a_transport_that_takes_nothing_ends_the_run_and_loses_nothing(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 100)
    spool = freeze(db)

    def decide(message: OutgoingMessage) -> Outcome:
        raise TransportError("mail.test:25 refuses connections")

    with pytest.raises(TransportError, match="refuses connections"):
        run(settings, spool, Scripted(decide), journal)
    assert left(spool) == {"pending": 100}


def test_one_lost_connection_does_not_end_the_run(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 100)
    spool = freeze(db)
    failed = threading.Lock()

    def decide(message: OutgoingMessage) -> Outcome:
        if failed.acquire(blocking=False):
            raise TransportError("too many connections")
        return ACCEPTED

    transport = Scripted(decide)
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 100}
    assert len(set(transport.sent)) == 100


def test_a_defect_of_a_transport_leaves_its_message_uncertain(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 30)
    spool = freeze(db)

    def decide(message: OutgoingMessage) -> Outcome:
        raise RuntimeError("a bug")

    with pytest.raises(TransportError, match="a bug"):
        run(settings, spool, Scripted(decide), journal, connections=2)
    assert 1 <= left(spool)["uncertain"] <= 2
    assert left(spool)["pending"] == 30 - left(spool)["uncertain"]


def test_a_channel_that_cannot_be_opened(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 3)
    spool, transport = freeze(db), Scripted()

    def channel() -> Scripted:
        raise TransportError("no key")

    transport.channel = channel  # type: ignore[method-assign]
    with pytest.raises(TransportError, match="no key"):
        run(settings, spool, transport, journal)
    assert left(spool) == {"pending": 3}


def test_a_stuck_connection_does_not_hold_up_a_stop(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.2)
    add_readers(db, 50)
    spool, stop, free = freeze(db), StopFlag(), threading.Event()

    def decide(message: OutgoingMessage) -> Outcome:
        stop.set()
        free.wait(10)
        return ACCEPTED

    try:
        progress = run(settings, spool, Scripted(decide), journal, stop=stop, connections=2)
    finally:
        free.set()
    assert left(spool)["uncertain"] == progress.outcomes["uncertain"] <= 2
    assert left(spool)["pending"] == 50 - left(spool)["uncertain"]


def test_a_run_whose_claims_were_taken_over_leaves_them_alone_at_its_end(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "GRACE_SECONDS", 0.2)
    add_readers(db, 50)
    spool, stop, free = freeze(db), StopFlag(), threading.Event()
    spool.owner = "one"
    later = DeskSpool(open_store(settings.database), spool.campaign, owner="two")
    taken: list[ClaimKey] = []

    def decide(message: OutgoingMessage) -> Outcome:
        with later_lock:
            if not taken:
                taken.extend(later.take_over_claims())
        stop.set()
        free.wait(10)
        return ACCEPTED

    later_lock = threading.Lock()
    try:
        run(settings, spool, Scripted(decide), journal, stop=stop, connections=2)
    finally:
        free.set()
    assert len(taken) == 50
    owners = db.conn.execute("SELECT owner, state, count(*) FROM deliveries GROUP BY 1, 2").fetchall()
    assert owners == [("two", "sending", 50)]


def test_that_somebody_was_accepted_is_written_down_though_a_claim_fails(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 4)
    monkeypatch.setattr(intake, "_CHUNK", 1)
    ids = add_readers(db, 20)
    spool, failed = freeze(db, transport="smtp://mx.example.org"), threading.Event()
    claim = DeskSpool.claim

    def locked(self: DeskSpool, *arguments: object, **named: object) -> object:
        if self.delivery_counts_by_state()["accepted"]:
            failed.set()
            raise sqlite3.OperationalError("database is locked")
        return claim(self, *arguments, **named)  # type: ignore[arg-type]

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id in ids[2:4]:  # so that the next claim is the first to write anything down
            failed.wait(10)
        return ACCEPTED

    monkeypatch.setattr(DeskSpool, "claim", locked)
    with pytest.raises(sqlite3.OperationalError):
        run(settings, spool, Scripted(decide), journal)
    assert left(spool)["accepted"]
    assert spool.transport_has_accepted_message()


@pytest.mark.parametrize("when", ["note_begun_deliveries", "note_outcomes"])
def test_without_a_journal_nothing_more_is_sent(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    add_readers(db, 40)
    spool, transport = freeze(db), Scripted()

    def full(self: Journal, *arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, when, full)
    with pytest.raises(TransportError, match="the journal cannot be written"):
        run(settings, spool, transport, journal, connections=2)
    counts = left(spool)
    assert counts.get("accepted", 0) == len(transport.sent) == (0 if when == "note_begun_deliveries" else 2)
    assert counts["pending"] == 40 - len(transport.sent)


def test_an_unsubscribe_during_a_run_reaches_the_next_claim(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 4)
    monkeypatch.setattr(intake, "_CHUNK", 1)
    ids = add_readers(db, 20)
    spool = freeze(db)
    web = open_store(settings.database)

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[0]:
            unsubscribe(web, ids[19], source="one-click")
        return ACCEPTED

    transport = Scripted(decide)
    run(settings, spool, transport, journal, connections=1)
    assert "reader20@example.org" not in transport.sent
    assert left(spool) == {"accepted": 19, "skipped": 1}


def test_progress_is_told_while_it_runs(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.0)
    add_readers(db, 30)
    told: list[int] = []
    run(
        settings,
        freeze(db),
        Scripted(),
        journal,
        observe=lambda progress: told.append(progress.settled_count),
    )
    assert told == sorted(told)
    assert told[-1] <= 30


def test_the_journal_holds_what_a_run_handed_over(db: Database, settings: Settings, journal: Path) -> None:
    ids = add_readers(db, 5)
    run(settings, freeze(db), Scripted(), journal)
    record = read_journal(journal)
    assert record.begun == {(number, 1) for number in ids}
    assert set(record.outcomes.values()) == {ACCEPTED}


def test_a_database_that_fails_leaves_a_spool_that_can_go_on(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add_readers(db, 10)
    spool, transport = freeze(db), Scripted()
    real = SqliteSpool.settle

    def full(self: SqliteSpool, outcomes: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SqliteSpool, "settle", full)
    with pytest.raises(OSError, match="No space left"):
        run(settings, spool, transport, journal)
    monkeypatch.setattr(SqliteSpool, "settle", real)
    assert spool.recover(journal)["accepted"] == len(transport.sent)
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 10}
    assert len(transport.sent) == len(ids)


def test_workers_are_daemons(settings: Settings, journal: Path) -> None:
    opened = Journal(journal)
    pool = workers.Workers(
        Scripted(), opened, workers.WorkerSupervision(CircuitBreaker({}), lambda: False), 2
    )
    assert all(t.daemon for t in threading.enumerate() if t.name.startswith("send-"))
    pool.end_after_current_chunk()
    assert [pool.reports.get(timeout=5).ended for _ in range(2)] == [True, True]
    opened.close()


def test_one_defect_among_good_workers_ends_the_run(db: Database, settings: Settings, journal: Path) -> None:
    ids = add_readers(db, 200)
    spool = freeze(db)

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[5]:
            raise RuntimeError("a bug")
        return ACCEPTED

    transport = Scripted(decide)
    with pytest.raises(TransportError, match="a bug"):
        run(settings, spool, transport, journal)
    counts = left(spool)
    assert counts["uncertain"] == 1
    assert counts.get("accepted", 0) == len(transport.sent)
    assert "sending" not in counts


def test_an_outage_stops_the_campaign_before_everybody_is_uncertain(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 300)
    spool = freeze(db)
    doubtful = Scripted(lambda _: Outcome(OutcomeKind.UNCERTAIN, "", "503 try later"))
    with pytest.raises(
        TransportError, match="in a row were uncertain, so the campaign stopped itself"
    ) as caught:
        run(settings, spool, doubtful, journal)
    assert "503 try later" in str(caught.value)
    assert left(spool)["uncertain"] <= 20 + 4
    assert left(spool)["pending"] >= 276


def test_refusals_among_good_ones_do_not_stop_it(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "REFUSALS_IN_A_ROW", 3)
    ids = add_readers(db, 100)
    spool = freeze(db)
    odd = Scripted(lambda m: ACCEPTED if m.subscriber_id % 2 else Outcome(OutcomeKind.REJECTED, "", "550 no"))
    run(settings, spool, odd, journal, connections=1)
    assert left(spool) == {"accepted": 50, "rejected": 50}
    assert len(odd.sent) == len(ids)


def test_under_a_pace_no_more_is_claimed_than_may_leave_soon(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = add_readers(db, 60)
    spool = freeze(db)
    web = open_store(settings.database)

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[0]:
            unsubscribe(web, ids[59], source="one-click")
        return ACCEPTED

    pacer = Pacer(Pace(limit="25/s"))
    transport = Scripted(decide)
    run(settings, spool, transport, journal, pacer=pacer)
    assert "reader60@example.org" not in transport.sent
    assert left(spool) == {"accepted": 59, "skipped": 1}


def test_a_slow_domain_does_not_fill_the_window(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 20)
    add_readers(db, 30, "slow.test")
    add_readers(db, 100, "fast.test")
    spool, stop = freeze(db), StopFlag()
    fast: list[str] = []

    def decide(message: OutgoingMessage) -> Outcome:
        if message.address.endswith("@fast.test"):
            fast.append(message.address)
            if len(fast) == 100:
                stop.set()
        return ACCEPTED

    pacer = Pacer(Pace(domains={"slow.test": "2/s"}))
    run(settings, spool, Scripted(decide), journal, pacer=pacer, stop=stop)
    assert len(fast) == 100
    assert left(spool)["pending"] > 15


def test_a_slow_domain_alone_is_sent_to_the_end(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 30, "slow.test")
    spool = freeze(db)
    pacer = Pacer(Pace(domains={"slow.test": "20/s"}))
    run(settings, spool, Scripted(), journal, pacer=pacer)
    assert left(spool) == {"accepted": 30}


def test_a_full_journal_is_emptied_when_nothing_is_on_the_wire(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 20)
    monkeypatch.setattr(loop, "_JOURNAL_BYTES", 500)
    add_readers(db, 200)
    spool, transport = freeze(db), Scripted()
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 200}
    assert len(set(transport.sent)) == 200
    assert journal.stat().st_size < 3000


def test_what_was_given_back_does_not_count_as_a_failed_try(
    db: Database, settings: Settings, journal: Path
) -> None:
    (a,) = add_readers(db, 1)
    spool = freeze(db)
    for attempt in (1, 2, 3):
        spool.claim(1)
        spool.release([(a, attempt)])
    answers = iter([Outcome(OutcomeKind.DEFERRED, "", "451 later"), ACCEPTED])
    run(settings, spool, Scripted(lambda _: next(answers)), journal, backoff=AT_ONCE)
    assert left(spool) == {"accepted": 1}


def test_a_run_for_one_person_does_not_wait_for_others_that_are_due(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = add_readers(db, 2)
    spool = freeze(db)
    transport = Scripted(lambda _: Outcome(OutcomeKind.DEFERRED, "", "451 later"))
    run(settings, spool, transport, journal)
    spool.make_deferred_deliveries_due()
    assert spool.retry_all(only_person=ids[0])[0] == 1
    spool.only_person, stop, looks = ids[0], StopFlag(), 0

    def give_in(_: Progress) -> None:
        nonlocal looks
        looks += 1
        if looks > 8:
            stop.set()

    progress = run(settings, spool, transport, journal, stop=stop, observe=give_in)
    assert not progress.stopped_by
    assert transport.sent[2:] == ["reader1@example.org"]
    assert spool.next_deferred_due_time() is not None


# -- people who are erased meanwhile ---------------------------------------------------------


def test_a_run_empties_its_journal_when_somebody_is_erased_and_goes_on(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 10)
    monkeypatch.setattr(leavers, "POLL_SECONDS", 0.001)
    ids = add_readers(db, 3000)
    spool, other = freeze(db), open_store(settings.database)
    told: list[bool] = []

    def decide(message: OutgoingMessage) -> Outcome:
        if told:
            told.append(b"reader1@" in journal.read_bytes())
        elif len(transport.sent) > 12:
            assert b"reader1@" in journal.read_bytes()
            erase(other, ids[0])
            told.append(True)
        return Outcome(OutcomeKind.ACCEPTED, f"250 <{message.address}> Saved")

    transport = Scripted(decide, concurrency=1)
    run(settings, spool, transport, journal)
    assert not all(told)
    assert not any(told[told.index(False) :])
    assert left(spool) == {"accepted": 3000}
    assert len(set(transport.sent)) == 3000


def test_a_run_that_breaks_off_leaves_no_words_about_the_erased_in_its_journal(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leavers, "POLL_SECONDS", 0.001)
    ids = add_readers(db, 30)
    spool, other = freeze(db), open_store(settings.database)
    gone = threading.Event()

    def decide(message: OutgoingMessage) -> Outcome:
        if len(transport.sent) == 10:
            erase(other, ids[0])
            while not seen():
                gone.wait(0.001)
            raise TransportError("the server is gone")
        return Outcome(OutcomeKind.ACCEPTED, f"250 <{message.address}> Saved")

    def seen() -> bool:
        return any(each.erased for each in following)

    following: list[leavers.Leavers] = []
    real = leavers.Leavers.__init__

    def init(self: leavers.Leavers, *arguments: object) -> None:
        real(self, *arguments)  # type: ignore[arg-type]
        following.append(self)

    monkeypatch.setattr(leavers.Leavers, "__init__", init)
    transport = Scripted(decide, concurrency=1)
    with pytest.raises(TransportError):
        run(settings, spool, transport, journal)
    assert b"reader1@" not in journal.read_bytes()
    assert b"reader2@" in journal.read_bytes()
    assert left(spool) == {"accepted": 10, "pending": 20}
    assert len(read_journal(journal).outcomes) == 10

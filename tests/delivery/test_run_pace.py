"""A run under a pace: budgets, slow domains, a share of refusals, and somebody who ends it while it waits."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.config import Pace, Settings
from mailer.delivery import intake
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.spool.ledger import RateLimitLedger
from mailer.spool.sqlite.pace_budget import StoredRateLimitLedger
from mailer.spool.sqlite.spools import SqliteSpool
from mailer.spool.values import FindExcluded, ReplyText
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.stop import StopFlag
from tests.spooled import DeskSpool, Scripted, add_readers, freeze, open_spool, run_spool, templates

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")
#: Far in the future, because claims go by the real clock: who is parked by this one is not due.
TEN = datetime(2126, 11, 21, 10, tzinfo=UTC).timestamp()


def run(
    settings: Settings,
    spool: DeskSpool,
    transport: Scripted,
    journal: Path,
    pacer: Pacer | None = None,
    *,
    clock: Callable[[], float] = time.time,
    connections: int = 4,
    **more: Any,
) -> Progress:
    return run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=pacer or Pacer(Pace()),
        connections=connections,
        stop=StopFlag(),
        clock=clock,
        **more,
    )


def left(spool: DeskSpool) -> dict[str, int]:
    return {state: number for state, number in spool.delivery_counts_by_state().items() if number}


def from_now_on(moment: float) -> Callable[[], float]:
    """A clock that shows `moment` now, and goes on."""
    begun = time.monotonic()
    return lambda: moment + time.monotonic() - begun


# -- so many an hour ------------------------------------------------------------------------


def test_a_limit_that_is_used_up_ends_the_run_and_says_when_it_goes_on(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 50)
    spool, transport, pace = freeze(db), Scripted(), Pace(limit="30/h")
    progress = run(
        settings,
        spool,
        transport,
        journal,
        Pacer(pace, StoredRateLimitLedger(db)),
        clock=from_now_on(TEN + 600),
    )
    assert progress.stopped_by == "pace"
    assert progress.note == (
        "the limit of 30 an hour is used up; 20 messages are left; "
        "`mailer send issues/x.yaml` continues after 11:00"
    )
    assert progress.resumes_at == "2126-11-21T11:00:00.000000Z"
    assert left(spool) == {"accepted": 30, "pending": 20}
    # The same hour, another process: nothing. The next hour: the rest.
    for moment, number in ((TEN + 700, 30), (TEN + 3601, 50)):
        again = Pacer(pace, StoredRateLimitLedger(open_store(settings.database)))
        run(settings, spool, transport, journal, again, clock=from_now_on(moment))
        assert len(set(transport.sent)) == len(transport.sent) == number
    assert left(spool) == {"accepted": 50}


def test_a_run_waits_for_an_hour_that_begins_soon(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 50)
    spool, transport, times = freeze(db), Scripted(), Counter[int]()
    clock = from_now_on(TEN + 3599.6)

    def decide(message: OutgoingMessage) -> Outcome:
        times[int(clock() // 3600)] += 1
        return ACCEPTED

    transport.decide = decide
    progress = run(settings, spool, transport, journal, Pacer(Pace(limit="30/h")), clock=clock)
    assert progress.stopped_by == ""
    assert left(spool) == {"accepted": 50}
    assert sorted(times.values()) == [20, 30]


def test_while_it_waits_for_the_hour_nobody_stays_claimed(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 50)
    spool = freeze(db)
    other = open_spool(open_store(settings.database), spool.campaign)
    seen: list[int] = []

    def observe(_: Progress) -> None:
        seen.append(other.delivery_counts_by_state()["sending"])
        if len(seen) == 4:
            other.set_status("paused")

    run(
        settings,
        spool,
        Scripted(),
        journal,
        Pacer(Pace(limit="30/h")),
        clock=lambda: TEN + 3540.0,
        observe=observe,
    )
    assert seen[-1] == 0
    assert left(spool) == {"accepted": 30, "pending": 20}


def test_two_campaigns_at_once_share_a_limit(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 40)
    spools = [freeze(db, slug) for slug in ("2026-11-21-morning", "2026-11-21-evening")]
    transport = Scripted()

    def one(number: int) -> None:
        store = open_store(settings.database)
        spool = open_spool(store, spools[number].campaign)
        pacer = Pacer(Pace(limit="50/h"), StoredRateLimitLedger(store))
        run(settings, spool, transport, journal.with_suffix(f".{number}"), pacer, clock=lambda: TEN + 600.0)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(transport.sent) == 50
    assert sum(spool.delivery_counts_by_state()["accepted"] for spool in spools) == 50
    assert sum(spool.delivery_counts_by_state()["pending"] for spool in spools) == 30


def test_what_was_taken_and_not_handed_over_is_given_back(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 200)
    spool, stop, ledger = freeze(db), StopFlag(), RateLimitLedger()
    transport = Scripted(concurrency=1)

    def decide(message: OutgoingMessage) -> Outcome:
        stop.set()
        return ACCEPTED

    transport.decide = decide
    run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=Pacer(Pace(limit="100/h"), ledger),
        connections=1,
        stop=stop,
        clock=lambda: TEN,
    )
    after = Pacer(Pace(limit="100/h"), ledger)
    assert sum(after.count_message_or_get_wait("", TEN) == 0.0 for _ in range(200)) == 100 - len(
        transport.sent
    )


def test_messages_to_a_provider_leave_in_batches_under_a_limit_of_a_day(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 90)
    sizes: list[int] = []

    class Provider(Scripted):
        def send(self, batch: object) -> list[Outcome]:
            sizes.append(len(batch))  # type: ignore[arg-type]
            return super().send(batch)  # type: ignore[arg-type]

    spool = freeze(db)
    run(settings, spool, Provider(batch=40), journal, Pacer(Pace(limit="1000/d")), connections=1)
    assert left(spool) == {"accepted": 90}
    assert max(sizes) == 40


def test_a_limit_far_above_what_is_sent_changes_nothing(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 90)
    spool = freeze(db)
    run(settings, spool, Scripted(), journal, Pacer(Pace(limit="5000/s, 9000000/h, 100000000/d")))
    assert left(spool) == {"accepted": 90}


# -- slow domains ---------------------------------------------------------------------------


def test_people_at_a_domain_whose_limit_is_used_up_wait_and_the_others_go(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 20, "slow.test")
    add_readers(db, 20, "fast.test")
    spool, transport, ledger = freeze(db), Scripted(), RateLimitLedger()
    pace = Pace(domains={"slow.test": "5/h"})
    progress = run(settings, spool, transport, journal, Pacer(pace, ledger), clock=lambda: TEN + 60.0)
    assert Counter(address.partition("@")[2] for address in transport.sent) == {
        "fast.test": 20,
        "slow.test": 5,
    }
    assert left(spool) == {"accepted": 25, "pending": 15}
    assert progress.note == (
        "the limit of 5 an hour for slow.test is used up; 15 messages are left; "
        "`mailer send issues/x.yaml` continues after 11:00"
    )
    assert spool.first_pending_due_time() == TEN + 3600
    spool.make_parked_deliveries_due()
    assert spool.first_pending_due_time() == 0.0
    run(settings, spool, transport, journal, Pacer(pace, ledger), clock=lambda: TEN + 3660.0)
    assert left(spool) == {"accepted": 30, "pending": 10}


def test_who_waits_for_a_slow_domain_is_claimed_once_and_no_more(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 40)
    slow = add_readers(db, 300, "slow.test")
    add_readers(db, 40, "fast.test")
    spool, stop = freeze(db), StopFlag()
    claimed: Counter[int] = Counter()
    real = SqliteSpool.claim

    def claim(
        self: SqliteSpool, limit: int, find_excluded: FindExcluded, *, only_person: int | None = None
    ) -> object:
        claims = real(self, limit, find_excluded, only_person=only_person)
        claimed.update(c.person for c in claims or () if c.person in slow)
        return claims

    monkeypatch.setattr(SqliteSpool, "claim", claim)
    fast: list[str] = []

    def decide(message: OutgoingMessage) -> Outcome:
        if message.address.endswith("@fast.test"):
            fast.append(message.address)
            if len(fast) == 40:
                stop.set()
        return ACCEPTED

    run_spool(
        spool,
        templates(settings, spool),
        Scripted(decide),
        journal=journal,
        pacer=Pacer(Pace(domains={"slow.test": "1/s"})),
        connections=4,
        stop=stop,
    )
    assert len(fast) == 40
    assert len(claimed) == 300
    assert set(claimed.values()) == {1}


def test_a_slow_domain_is_sent_to_in_time_although_it_is_parked(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.pacing.queues.AHEAD_SECONDS", 0.1)
    add_readers(db, 60, "slow.test")
    spool, transport = freeze(db), Scripted()
    begun = time.monotonic()
    run(settings, spool, transport, journal, Pacer(Pace(domains={"slow.test": "60/s"})))
    assert left(spool) == {"accepted": 60}
    assert time.monotonic() - begun >= 59 / 60 - 0.1


# -- too many refusals ----------------------------------------------------------------------


def every(number: int) -> Callable[[OutgoingMessage], Outcome]:
    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id % number:
            return ACCEPTED
        return Outcome(OutcomeKind.REJECTED, "", f"550 5.1.1 <{message.address}>: no such user")

    return decide


def test_a_rotten_list_pauses_the_campaign(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 40)
    monkeypatch.setattr(intake, "_CHUNK", 5)
    add_readers(db, 1000)
    spool, transport = freeze(db), Scripted(every(5))
    progress = run(settings, spool, transport, journal, rejects=0.1)
    assert progress.stopped_by == "paused"
    assert spool.status() == "paused"
    assert "were refused, more than the allowed 10%; most often" in progress.note
    assert "most often a server said: 550 5.1.1 <the address>: no such user" in progress.note
    assert 100 <= len(transport.sent) <= 200
    counts = left(spool)
    assert counts["accepted"] + counts["rejected"] == len(transport.sent)
    assert counts["pending"] == 1000 - len(transport.sent)
    # The operator has looked, and goes on.
    spool.set_status("stopped")
    run(settings, spool, transport, journal, rejects=0.3)
    assert left(spool) == {"accepted": 800, "rejected": 200}


@pytest.mark.parametrize(("readers", "share"), [(99, 0.1), (300, 0.2), (300, 1.0)])
def test_a_share_that_says_little_or_is_allowed_pauses_nothing(
    db: Database, settings: Settings, journal: Path, readers: int, share: float
) -> None:
    add_readers(db, readers)
    spool = freeze(db)
    run(settings, spool, Scripted(every(5)), journal, rejects=share, connections=1)
    assert sum(left(spool).values()) == readers
    assert "pending" not in left(spool)


# -- another process ends it ----------------------------------------------------------------

_WAITS = {
    "a slow pace": ({"pacer": lambda: Pacer(Pace(limit="0.02/s"))}, ACCEPTED),
    "a slow domain": ({"pacer": lambda: Pacer(Pace(domains={"example.org": "0.02/s"}))}, ACCEPTED),
}


@pytest.mark.parametrize("status", ["paused", "cancelled"])
@pytest.mark.parametrize("wait", list(_WAITS))
def test_a_run_that_waits_is_ended_from_elsewhere(
    db: Database, settings: Settings, journal: Path, status: str, wait: str
) -> None:
    add_readers(db, 3)
    spool = freeze(db)
    other = open_spool(open_store(settings.database), spool.campaign)
    options, outcome = _WAITS[wait]
    transport = Scripted(lambda _: outcome)
    looks = 0

    def observe(progress: Progress) -> None:
        # Told four times a second; by the second time only the wait is left.
        nonlocal looks
        looks += 1
        if looks == 2:
            other.set_status(status)

    more = {name: value() if callable(value) else value for name, value in options.items()}
    progress = run(settings, spool, transport, journal, observe=observe, **more)  # type: ignore[arg-type]
    assert progress.stopped_by == status
    assert looks == 2
    assert "sending" not in left(spool)
    assert sum(left(spool).get(state, 0) for state in ("pending", "deferred")) >= 2


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_slow_server_gets_no_more_when_a_run_is_ended_from_elsewhere(
    db: Database, settings: Settings, journal: Path, status: str
) -> None:
    add_readers(db, 100)
    spool, answer = freeze(db), threading.Event()
    other = open_spool(open_store(settings.database), spool.campaign)
    looks = 0

    def decide(message: OutgoingMessage) -> Outcome:
        assert answer.wait(30)
        return ACCEPTED

    class Asked(StopFlag):
        def set(self) -> None:
            super().set()
            answer.set()  # the run is ending: only now the server answers

    def observe(progress: Progress) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            other.set_status(status)

    transport = Scripted(decide)
    progress = run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=Pacer(Pace()),
        connections=4,
        stop=Asked(),
        observe=observe,
    )
    assert (progress.stopped_by, looks) == (status, 1)
    assert len(transport.sent) <= 4
    assert left(spool) == {"accepted": len(transport.sent), "pending": 100 - len(transport.sent)}


def test_a_transport_that_backs_off_does_not_hold_up_a_pause(
    db: Database, settings: Settings, journal: Path
) -> None:
    add_readers(db, 10)
    spool, stop = freeze(db), StopFlag()
    other = open_spool(open_store(settings.database), spool.campaign)

    def decide(message: OutgoingMessage) -> Outcome:
        # As a transport does after 421: it waits, and gives up when told that the run ends.
        woken = stop.wait(60)
        return Outcome(OutcomeKind.DEFERRED, "", "421 busy; the run ended" if woken else "421 busy")

    progress = run_spool(
        spool,
        templates(settings, spool),
        Scripted(decide),
        journal=journal,
        pacer=Pacer(Pace()),
        connections=1,
        stop=stop,
        observe=lambda _: other.set_status("paused"),
    )
    assert progress.stopped_by == "paused"
    assert left(spool) == {"deferred": 1, "pending": 9}
    assert [reason.words for reason in spool.non_delivery_reasons()] == [
        (ReplyText("421 busy; the run ended", 1),)
    ]

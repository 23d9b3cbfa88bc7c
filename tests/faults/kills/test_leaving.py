"""Nobody is handed a message more than a second after their unsubscribe was answered, in real time.

Real runs at full speed, a real `mailer serve` that real POSTs go to, and a server that notes when each final
dot, or each request's last byte, was read. Most of those who leave are about to get it: they are claimed,
composed or announced already. `make faults` prints the largest delay.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailer.clock import utc_now
from mailer.store.database import open_store
from tests.faults.kills.amount import FULL
from tests.faults.kills.harness import ISSUE, Desk, Process, Tally
from tests.faults.kills.leavers import Leavers
from tests.faults.kills.sink import Sink

#: So long after the answer to its POST a reader may still be handed a message (seconds).
ALLOWED = 1.0
EDITION = "evening"
_PATIENCE_SECONDS = 60.0

_SQL = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO subscribers (id, address, address_key, domain, joined_at, updated_at) "
    "SELECT i, 'r' || i || '@example.org', 'r' || i || '@example.org', 'example.org', ?, ? FROM n",
    "INSERT INTO subscriptions (edition, subscriber_id, since) SELECT ?, id, ? FROM subscribers",
)


@dataclass(frozen=True)
class Way:
    """How a campaign goes: `seconds` is the time of an answer, `ahead` the number of claims held at once."""

    name: str
    kind: str
    readers: int
    leavers: int
    seconds: float = 0.0
    connections: int = 4
    ahead: int = 1000


WAYS = (
    Way("smtp at full speed", "smtp", *((60_000, 400) if FULL else (10_000, 60))),
    Way("smtp, 50 ms a message", "smtp", *((1_600, 300) if FULL else (200, 40)), seconds=0.05),
    Way("sendgrid, 2 s a request", "sendgrid", 40_000, 300, seconds=2.0, ahead=6000)
    if FULL
    else Way("sendgrid, 1 s a request", "sendgrid", 4_000, 60, seconds=1.0, connections=1, ahead=3000),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_nobody_is_handed_a_message_a_second_after_leaving(
    make_desk: Callable[..., Desk], tally: Tally, tmp_path: Path, way: Way
) -> None:
    desk = make_desk(way.kind, readers=0, imports=False, connections=way.connections)
    desk.dials = {}
    add_readers(desk, way.readers)
    with (
        Sink(way.kind, tmp_path / "sink.log", seconds=way.seconds) as sink,
        Leavers(desk, campaign_id=1) as leavers,
    ):
        run = desk.start("send", ISSUE, "--yes", *sink.words, env=sink.env)
        leave(leavers, sink, run, way)
        assert run.wait() == 0, run.said
        sink.look()

    handed = {int(address[1 : address.index("@")]): at for address, at in sink.taken.items()}
    delays = {who: handed[who] - at for who, at in leavers.answered.items() if who in handed}
    late = sorted(delay for delay in delays.values() if delay > ALLOWED)
    tally.leavers += len(leavers.answered)
    tally.late += len(late)
    tally.delay = max([tally.delay, *delays.values()])
    assert not late, (
        f"{len(late)} of {len(leavers.answered)} were handed it later, at most {late[-1]:.2f} s later"
    )
    assert not sink.twice
    states = {int(address[1 : address.index("@")]): state for address, state, _ in desk.rows()}
    assert states.keys() == set(range(1, way.readers + 1))
    for who, state in states.items():
        assert state == ("accepted" if who in handed else "skipped"), who
        assert who in handed or who in leavers.answered, f"{who} never left, and has nothing"
    assert len(leavers.answered) > way.leavers // 2, "too few left to prove anything"
    assert len(delays) < len(leavers.answered) * 3 // 4, "too few left in time to prove anything"


def add_readers(desk: Desk, number: int) -> None:
    """Adds readers r1@example.org and so on, with these ids."""
    with closing(open_store(desk.root / "subscribers.db").conn) as connection:
        connection.execute(_SQL[0], [number, utc_now(), utc_now()])
        connection.execute(_SQL[1], [EDITION, utc_now()])


def reach(sink: Sink, run: Process, number: int) -> int:
    """Waits until so many have it; returns how many do."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (taken := sink.look()) < number:
        assert time.monotonic() < deadline, run.said
        assert not run.ended, run.said
        time.sleep(0.001)
    return taken


def leave(leavers: Leavers, sink: Sink, run: Process, way: Way) -> None:
    """Unsubscribes readers who do not have it yet, at random moments of the first four fifths of the run."""
    chance = random.Random(7)
    for moment in sorted(chance.choices(range(1, way.readers * 4 // 5), k=way.leavers)):
        taken = reach(sink, run, moment)
        last = min(taken + chance.choice((way.ahead, way.readers)), way.readers)
        tries = (chance.randint(1, last) for _ in range(1000))
        found = (
            who for who in tries if f"r{who}@example.org" not in sink.taken and who not in leavers.answered
        )
        if (who := next(found, None)) is None:
            return  # nearly everybody has it
        leavers.leave(who)
        time.sleep(chance.uniform(0, way.seconds / 10))

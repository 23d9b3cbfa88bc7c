"""Who leaves while a large campaign runs, and is not yet claimed, does not get it.

A hundred thousand real deliveries, the real web application, and two hundred people who leave just ahead of
the run. The transport composes nothing; it only notes who came to it, and waits where the run would get away.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest

from mailer.config import Pace, Settings
from mailer.delivery.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.run import deliver
from mailer.delivery.stop import Stop
from mailer.delivery.transports.base import Outcome, Outgoing, Result
from mailer.links import Purpose, Tokens
from mailer.store import open_store, utc_now, writing
from mailer.web.app import create_app
from tests.delivery.conftest import EDITION, freeze, templates
from tests.web.conftest import Browser

READERS = 100_000
LEAVERS = 200
_PATIENCE_SECONDS = 30.0

_SQL = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "INSERT INTO subscribers (id, address, address_key, domain, joined_at, updated_at) "
    "SELECT i, 'r' || i || '@example.org', 'r' || i || '@example.org', 'example.org', ?, ? FROM n",
    "INSERT INTO subscriptions (edition, subscriber_id, since) SELECT ?, id, ? FROM subscribers",
)


class Gated:
    """Takes everything at once, but no more than `allowed` messages."""

    batch = 50
    concurrency = 4

    def __init__(self) -> None:
        self.taken: set[int] = set()
        self.allowed = 0
        self._moved = threading.Condition()

    def channel(self) -> Gated:
        return self

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        with self._moved:
            assert self._moved.wait_for(lambda: len(self.taken) < self.allowed, _PATIENCE_SECONDS)
            numbers = {message.subscriber_id for message in batch}
            assert not numbers & self.taken
            self.taken |= numbers
            self._moved.notify_all()
        return [Outcome(Result.ACCEPTED, "ok")] * len(batch)

    def allow(self, number: int) -> None:
        """From now on so many in all may come."""
        with self._moved:
            self.allowed = number
            self._moved.notify_all()

    def reach(self, number: int) -> int:
        """Waits until so many have come; gives the largest number of a reader among them."""
        with self._moved:
            assert self._moved.wait_for(lambda: len(self.taken) >= number, _PATIENCE_SECONDS)
            return max(self.taken, default=0)

    def close(self) -> None:
        pass


def test_of_200_who_leave_a_running_campaign_of_100_000_nobody_gets_it_who_was_not_claimed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    db = open_store(settings.database)
    with writing(db):
        db.conn.execute(_SQL[0], [READERS, utc_now(), utc_now()])
        db.conn.execute(_SQL[1], [EDITION, utc_now()])
    spool = freeze(db)
    assert spool.counts()["pending"] == READERS
    looks = templates(settings, spool)
    browser = Browser(create_app(settings))
    tokens = Tokens(settings.signing_keys())
    transport = Gated()
    ended: list[Progress] = []
    # What a message says is not looked at here, so nobody signs links for it.
    monkeypatch.setattr(type(looks[0].envelope), "values", lambda self, person: {})

    def run() -> None:
        ended.append(
            deliver(
                spool,
                looks,
                transport,
                journal=settings.root / ".mailer" / "x.journal",
                pacer=Pacer(Pace()),
                connections=transport.concurrency,
                stop=Stop(),
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    left: dict[int, str] = {}
    moments = sorted(chance.sample(range(READERS * 9 // 10), LEAVERS))
    for moment in moments:
        transport.allow(moment + 2 * transport.batch * transport.concurrency)
        farthest = transport.reach(moment)
        # Some are on their way by now, some are about to be claimed, some are far ahead.
        ahead = chance.choice([300, 3000, READERS])
        person = chance.randint(farthest, min(farthest + ahead, READERS))
        while person in left:
            person = chance.randint(1, READERS)
        token = tokens.make(Purpose.UNSUBSCRIBE, person, spool.campaign.id)
        answer = browser.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
        left[person] = utc_now()
        assert answer.status_code == 200
        assert thread.is_alive(), "the run had ended"
    transport.allow(READERS)
    thread.join(_PATIENCE_SECONDS)
    assert ended

    rows = {
        number: (state, claimed)
        for number, state, claimed in db.conn.execute(
            "SELECT subscriber_id, state, claimed_at FROM deliveries WHERE subscriber_id IN "
            f"({', '.join('?' * len(left))})",
            list(left),
        )
    }
    assert len(rows) == LEAVERS
    skipped = {number for number, (state, _) in rows.items() if state == "skipped"}
    assert not skipped & transport.taken
    for number, (state, claimed) in rows.items():
        if number not in skipped:
            assert state == "accepted"
            assert claimed < left[number], f"{number} had left before the claim, and got it"
    assert len(skipped) > LEAVERS // 4, "too few left in time to prove anything"
    assert len(skipped) < LEAVERS, "too few left late to prove anything"
    counts = spool.counts()
    assert counts["accepted"] == len(transport.taken) == READERS - len(skipped)
    assert counts["skipped"] == len(skipped)
    assert ended[0].outcomes == {"accepted": READERS - len(skipped)}
    db.conn.close()

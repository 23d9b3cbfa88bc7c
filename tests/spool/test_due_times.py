"""The same people are due before and after the migration that made due times NULL and deliveries held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.campaign.status import Event
from mailer.spool.open import spools_of
from mailer.store.database import open_store
from mailer.store.tables import migrations

NOW = "2026-11-21T08:00:00.000000Z"
PAST, SOON, NEVER = (
    "2026-11-21T07:59:59.000000Z",
    "2026-11-21T09:00:00.000000Z",
    "9999-12-31T23:59:59.999999Z",
)
#: (subscriber, state, due time as versions up to 0.5 wrote it, since when it is deferred)
BEFORE = (
    (1, "pending", "", ""),
    (2, "pending", PAST, ""),  # parked, and its turn has come
    (3, "pending", SOON, ""),  # parked
    (4, "pending", NEVER, ""),  # behind a canary, or a missed morning
    (5, "deferred", "", PAST),  # made due at once
    (6, "deferred", PAST, PAST),
    (7, "deferred", SOON, PAST),
    (8, "deferred", NEVER, PAST),  # given up by version 0.1
    (9, "accepted", "", ""),
    (10, "rejected", NEVER, ""),
    (11, "uncertain", "", ""),
    (12, "skipped", "", ""),
)
#: The statement by which version 0.5 found what it claimed.
DUE = "SELECT subscriber_id FROM deliveries WHERE state IN ('pending', 'deferred') AND due_at <= ? ORDER BY 1"


def nobody(people: Sequence[int]) -> dict[int, str]:
    return {}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database as version 0.5 left it."""
    database = tmp_path / "subscribers.db"
    names = [step.name for step in migrations._migrations]
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[: names.index("m013_held")])
        old = open_store(database)
        old.conn.execute(
            "INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject, "
            "transport, status, created_at) VALUES "
            "('a', 'i', 'h', 'morning', '2026-11-21', 'p', '{}', 'S', 'smtp://mx.example.org', 'ready', ?)",
            [NOW],
        )
        for number, state, due, since in BEFORE:
            old.conn.execute(
                "INSERT INTO subscribers (id, address, address_key, joined_at, updated_at) "
                "VALUES (?1, ?2, ?2, ?3, ?3)",
                [number, f"reader{number}@example.org", NOW],
            )
            old.conn.execute(
                "INSERT INTO deliveries (campaign_id, subscriber_id, state, due_at, deferred_since) "
                "VALUES (1, ?, ?, ?, ?)",
                [number, state, due, since],
            )
        assert due_before(old, NOW) == [1, 2, 5, 6]
        old.close()
    return database


def due_before(db: Database, now: str) -> list[int]:
    return [row[0] for row in db.conn.execute(DUE, [now])]


@pytest.mark.clock(NOW)
@pytest.mark.usefixtures("clock")
def test_the_same_people_are_claimed_after_the_migration(path: Path) -> None:
    spools = spools_of(open_store(path))
    spool = spools.open(spools.find("a"), owner="one")
    assert spool.apply(Event.BEGIN)
    claims = spool.claim(100, nobody) or []
    assert sorted(claim.person for claim in claims) == [1, 2, 5, 6]
    assert spool.claim(100, nobody) is None


@pytest.mark.clock(NOW)
@pytest.mark.usefixtures("clock")
def test_the_others_wait_for_their_time_or_for_a_decision(path: Path) -> None:
    spools = spools_of(open_store(path))
    spool = spools.open(spools.find("a"))
    times = {one.person: (one.due_at, one.held) for one in spool.deliveries()}
    assert {person: time for person, time in times.items() if time != (None, False)} == {
        2: (PAST, False),
        3: (SOON, False),
        4: (None, True),
        6: (PAST, False),
        7: (SOON, False),
        8: (None, True),
        10: (None, True),
    }
    assert spool.held() == 1
    spool.release_held()
    assert spool.held() == 0

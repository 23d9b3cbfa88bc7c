"""The step to `held` and due times that are NULL: the same people are due before and after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.campaign.campaign import Campaign
from mailer.errors import StoreError
from mailer.spool.base import Spool
from mailer.spool.open import spools_of
from mailer.store.database import open_store
from mailer.store.tables import migrations
from tests.clock import Clock

NOW = "2026-11-21T12:00:00.000000Z"
EARLIER, LATER = "2026-11-21T08:00:00.000000Z", "2026-11-21T18:00:00.000000Z"
#: Up to 0.5, where a delivery waited that only a decision freed.
NEVER = "9999-12-31T23:59:59.999999Z"
NO_TIME = ""

#: (state, due at, deferred since) of every delivery of a campaign; the person is its place, from 1 on.
DELIVERIES = {
    "pending": ("pending", NO_TIME, ""),
    "at its own time": ("pending", EARLIER, ""),
    "before its own time": ("pending", LATER, ""),
    "parked until its turn": ("pending", "2026-11-21T12:00:00.000001Z", ""),
    "due at this very moment": ("pending", NOW, ""),
    "held behind a canary, or missed": ("pending", NEVER, ""),
    "deferred and given back": ("pending", EARLIER, EARLIER),
    "deferred until later": ("deferred", LATER, EARLIER),
    "deferred, and due": ("deferred", EARLIER, EARLIER),
    "deferred, and made due": ("deferred", NO_TIME, EARLIER),
    "given up by an earlier version": ("deferred", NEVER, ""),
    "claimed": ("sending", NO_TIME, ""),
    "claimed at its own time": ("sending", EARLIER, ""),
    "accepted": ("accepted", NO_TIME, ""),
    "rejected": ("rejected", NO_TIME, ""),
    "uncertain": ("uncertain", NO_TIME, ""),
    "skipped": ("skipped", NO_TIME, ""),
    "skipped behind a canary": ("skipped", NEVER, ""),
}
PERSON = {name: person for person, name in enumerate(DELIVERIES, 1)}
HELD = {PERSON["held behind a canary, or missed"], PERSON["given up by an earlier version"]}

#: What a claim of 0.5 took.
_DUE_BEFORE = """
    SELECT subscriber_id FROM deliveries
    WHERE state IN ('pending', 'deferred') AND due_at <= ? ORDER BY subscriber_id
"""


def fill(connection: sqlite3.Connection, deliveries: Sequence[tuple[str, str, str]], local_time: str) -> None:
    """Writes a campaign of 0.5 and its deliveries."""
    connection.execute(
        "INSERT INTO campaigns (id, slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject, "
        "transport, status, created_at, started_at, local_time, stable_ids) VALUES (1, 'x', 'issues/x.yaml', "
        "'h', 'morning', '2026-11-21', 'p', '{}', 's', 'smtp://mx.example.org', 'stopped', ?, ?, ?, 1)",
        [EARLIER, EARLIER, local_time],
    )
    for person, (state, due_at, since) in enumerate(deliveries, 1):
        connection.execute(
            "INSERT INTO subscribers (id, address, address_key, joined_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?)",
            [person, f"r{person}@example.org", f"r{person}@example.org", EARLIER, EARLIER],
        )
        connection.execute(
            "INSERT INTO deliveries (campaign_id, subscriber_id, variant, state, attempt, due_at, "
            "deferred_since, provider_id, reason, cause, in_folder) "
            "VALUES (1, ?, ?, ?, 2, ?, ?, 'id', 'words', 'them', 1)",
            [person, person % 3, state, due_at, since],
        )


@pytest.fixture
def old(tmp_path: Path, request: pytest.FixtureRequest, clock: Clock) -> Path:
    """A database as 0.5 left it."""
    path = tmp_path / "subscribers.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.create_function("address_hash", 1, lambda key: key, deterministic=True)
        connection.execute("PRAGMA journal_mode=WAL")
        migrations.apply(Database(connection), stop_before="m013_held")
        fill(connection, list(DELIVERIES.values()), getattr(request, "param", ""))
    return path


def due_before(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(_DUE_BEFORE, [NOW])]


@pytest.fixture
def new(old: Path) -> Iterator[Database]:
    """The same, migrated."""
    db = open_store(old)
    yield db
    db.conn.close()


def campaign(db: Database) -> Campaign:
    return spools_of(db).find("x")


def spool_of(db: Database) -> Spool:
    return spools_of(db).open(campaign(db), owner="me", into_folder=True)


def claimed(db: Database) -> list[int]:
    claims = spool_of(db).claim(1000, lambda people: {})
    return sorted(claim.person for claim in claims or ())


def test_the_same_people_are_due(old: Path) -> None:
    before = due_before(old)
    assert before == [
        PERSON[name]
        for name in (
            "pending",
            "at its own time",
            "due at this very moment",
            "deferred and given back",
            "deferred, and due",
            "deferred, and made due",
        )
    ]
    with closing(open_store(old).conn) as connection:
        assert claimed(Database(connection)) == before


def test_everything_else_stays_as_it_was(old: Path) -> None:
    columns = (
        "campaign_id, subscriber_id, variant, state, attempt, claimed_at, settled_at, provider_id, reason, "
        "cause, deferred_since, in_folder"
    )
    with closing(sqlite3.connect(old)) as connection:
        before = connection.execute(f"SELECT {columns} FROM deliveries ORDER BY 1, 2").fetchall()
    with closing(open_store(old).conn) as connection:
        assert connection.execute(f"SELECT {columns} FROM deliveries ORDER BY 1, 2").fetchall() == before
        assert connection.execute("SELECT DISTINCT owner FROM deliveries").fetchall() == [("",)]
        assert not connection.execute("SELECT 1 FROM deliveries WHERE due_at LIKE '9999%'").fetchall()
        assert not connection.execute("SELECT 1 FROM deliveries WHERE due_at = ''").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nobody_is_held_but_those_who_waited_for_a_decision(new: Database) -> None:
    rows = new.conn.execute(
        "SELECT subscriber_id, due_at FROM deliveries WHERE held = 1 AND state IN ('pending', 'deferred')"
    ).fetchall()
    assert rows == [(person, None) for person in sorted(HELD)]


def test_a_run_that_is_not_asked_for_leaves_the_held_alone(new: Database) -> None:
    spool = spool_of(new)
    spool.make_parked_deliveries_due()
    spool.make_deferred_deliveries_due(due_after=EARLIER)
    assert set(claimed(new)) & HELD == set()


def test_those_behind_a_canary_are_released(new: Database) -> None:
    spool_of(new).release_held_deliveries()
    assert PERSON["held behind a canary, or missed"] in claimed(new)


@pytest.mark.parametrize("old", ["08:00"], indirect=True)
def test_those_who_missed_their_time_are_sent_to_by_a_decision(new: Database) -> None:
    spool = spool_of(new)
    assert spool.next_scheduled_time() == EARLIER
    assert spool.count_held_deliveries() == 1
    before = set(due_before_now(new))
    spool.release_waiting_deliveries(include_scheduled=False)
    assert set(claimed(new)) == before | {PERSON["held behind a canary, or missed"]}


def due_before_now(db: Database) -> list[int]:
    """Returns those who are due without a claim."""
    rows = db.conn.execute(
        "SELECT subscriber_id FROM deliveries WHERE state IN ('pending', 'deferred') AND held = 0 "
        "AND (due_at IS NULL OR due_at <= ?)",
        [NOW],
    )
    return [row[0] for row in rows]


def test_who_was_given_up_is_retried_where_it_is_asked_for(new: Database) -> None:
    spool_of(new).make_deferred_deliveries_due()
    assert PERSON["given up by an earlier version"] in claimed(new)


def test_a_retry_frees_who_was_given_up(new: Database) -> None:
    assert spool_of(new).retry_refused_deliveries(lambda refusals: set()) == len(
        [state for state, _, _ in DELIVERIES.values() if state in ("deferred", "rejected")]
    )
    assert PERSON["given up by an earlier version"] in claimed(new)


def test_claims_of_a_killed_run_are_taken_over(new: Database) -> None:
    spool = spool_of(new)
    keys = spool.take_over_claims()
    assert [person for person, _ in keys] == [PERSON["claimed"], PERSON["claimed at its own time"]]
    spool.release(keys)
    assert {PERSON["claimed"], PERSON["claimed at its own time"]} <= set(claimed(new))


def test_a_migration_that_fails_changes_nothing(old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("UPDATE deliveries SET subscriber_id = 999 WHERE subscriber_id = 1")
        before = list(connection.iterdump())
    with pytest.raises(StoreError):
        open_store(old)
    with closing(sqlite3.connect(old)) as connection:
        assert list(connection.iterdump()) == before

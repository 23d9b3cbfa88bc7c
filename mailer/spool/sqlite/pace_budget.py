"""Stores the usage of rate limits in subscribers.db. It outlives a run, and all runs share it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailer.clock import utc_text
from mailer.spool.ledger import LedgerEntry, RateLimitLedger
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["StoredRateLimitLedger"]


class StoredRateLimitLedger(RateLimitLedger):
    """Stores the usage of rate limits in subscribers.db. Each update is one committed transaction, so that
    the updates of several runs never interleave."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db

    def update_entry(self, limit_name: str, update: Callable[[LedgerEntry], LedgerEntry]) -> None:
        with writing(self._db) as db:
            row = db.conn.execute(
                # Reads the use of this limit.
                "SELECT since, used FROM paces WHERE name = ?",
                [limit_name],
            ).fetchone()
            before = (datetime.fromisoformat(row[0]).timestamp(), int(row[1])) if row else (0.0, 0)
            after = update(before)
            if after == before:
                return
            since = utc_text(datetime.fromtimestamp(after[0], UTC))
            db.conn.execute(
                # Stores the changed use of this limit.
                "INSERT INTO paces (name, since, used) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET since = excluded.since, used = excluded.used",
                [limit_name, since, after[1]],
            )

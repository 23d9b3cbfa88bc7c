"""Stores the usage of rate limits in subscribers.db, so that it outlives a run and all runs share it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailer.clock import utc_text
from mailer.spool.ledger import Entry, Ledger
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["StoredLedger"]


class StoredLedger(Ledger):
    """Keeps the ledger in subscribers.db. Each change is one committed transaction, so that changes never
    interleave."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db

    def change(self, name: str, change: Callable[[Entry], Entry]) -> None:
        with writing(self._db) as db:
            row = db.conn.execute(
                # What is known of this limit.
                "SELECT since, used FROM paces WHERE name = ?",
                [name],
            ).fetchone()
            before = (datetime.fromisoformat(row[0]).timestamp(), int(row[1])) if row else (0.0, 0)
            after = change(before)
            if after == before:
                return
            since = utc_text(datetime.fromtimestamp(after[0], UTC))
            db.conn.execute(
                # The same, after this change.
                "INSERT INTO paces (name, since, used) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET since = excluded.since, used = excluded.used",
                [name, since, after[1]],
            )

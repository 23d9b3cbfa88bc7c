"""Contains the migration to version 0.6: `held` and `owner` of deliveries, and NULL in `due_at`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["m013_held"]

# `due_at` is NULL where a delivery may be claimed at once, else the time (UTC) from which it may. `held` is 1
# where only a decision makes it claimable. `owner` names the run that claimed it last. SQLite cannot drop NOT
# NULL, so the table is rebuilt.
_HELD = (
    """
    CREATE TABLE deliveries_new (
        campaign_id    INTEGER NOT NULL REFERENCES campaigns (id),
        subscriber_id  INTEGER NOT NULL REFERENCES subscribers (id),
        variant        INTEGER NOT NULL DEFAULT 0,
        state          TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
            ('pending', 'sending', 'accepted', 'rejected', 'deferred', 'uncertain', 'skipped')),
        attempt        INTEGER NOT NULL DEFAULT 0,
        due_at         TEXT,
        held           INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
        owner          TEXT NOT NULL DEFAULT '',
        claimed_at     TEXT,
        settled_at     TEXT,
        provider_id    TEXT NOT NULL DEFAULT '',
        reason         TEXT NOT NULL DEFAULT '',
        cause          TEXT NOT NULL DEFAULT '',
        deferred_since TEXT NOT NULL DEFAULT '',
        in_folder      INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (campaign_id, subscriber_id)
    ) WITHOUT ROWID
    """,
    # Up to 0.5, a due time at the end of the year 9999 meant that the delivery was held.
    """
    INSERT INTO deliveries_new SELECT campaign_id, subscriber_id, variant, state, attempt,
        CASE WHEN due_at = '' OR due_at >= '9999-12-31' THEN NULL ELSE due_at END,
        due_at >= '9999-12-31', '', claimed_at, settled_at, provider_id, reason, cause, deferred_since,
        in_folder
    FROM deliveries ORDER BY campaign_id, subscriber_id
    """,
    "DROP TABLE deliveries",
    "ALTER TABLE deliveries_new RENAME TO deliveries",
    # Finds the unfinished deliveries of a campaign without reading the finished ones.
    """
    CREATE INDEX deliveries_open ON deliveries (campaign_id, state, held, due_at)
    WHERE state IN ('pending', 'sending', 'deferred', 'uncertain')
    """,
    "CREATE INDEX deliveries_subscriber ON deliveries (subscriber_id)",
)


def m013_held(db: Database) -> None:
    """Makes `due_at` NULL if a delivery is due at once, and adds the columns `held` and `owner`."""
    for statement in _HELD:
        db.conn.execute(statement)

"""Contains the migrations that create the first tables: people, consents, campaigns, deliveries, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["m001_audience", "m002_delivery"]

_AUDIENCE = (
    # One person. `address` is used for sending; `address_key` is the same for every spelling
    # of it (case, IDN form). Both are NULL once the person is erased.
    """
    CREATE TABLE subscribers (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        address     TEXT,
        address_key TEXT UNIQUE,
        domain      TEXT NOT NULL DEFAULT '',
        name        TEXT NOT NULL DEFAULT '',
        language    TEXT NOT NULL DEFAULT '',
        timezone    TEXT NOT NULL DEFAULT '',
        tags        TEXT NOT NULL DEFAULT '[]',
        attributes  TEXT NOT NULL DEFAULT '{}',
        status      TEXT NOT NULL DEFAULT 'active' CHECK (status IN
            ('pending', 'active', 'unsubscribed', 'bounced', 'complained', 'erased')),
        joined_at   TEXT NOT NULL,
        updated_at  TEXT NOT NULL,
        CHECK (status = 'erased' OR (address IS NOT NULL AND address_key IS NOT NULL))
    )
    """,
    "CREATE INDEX subscribers_status ON subscribers (status)",
    # The editions that a person reads.
    """
    CREATE TABLE subscriptions (
        edition       TEXT NOT NULL,
        subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
        since         TEXT NOT NULL,
        PRIMARY KEY (edition, subscriber_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX subscriptions_subscriber ON subscriptions (subscriber_id)",
    # When, how and from where consent was given. Rows are only ever added.
    """
    CREATE TABLE consents (
        id            INTEGER PRIMARY KEY,
        subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
        given_at      TEXT NOT NULL,
        method        TEXT NOT NULL,
        origin        TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX consents_subscriber ON consents (subscriber_id)",
    # Addresses that must never be written to again, whoever asks. The key is SHA-256 of the
    # address_key, so that the list outlives an erasure without keeping the address.
    """
    CREATE TABLE suppressions (
        address_hash TEXT PRIMARY KEY,
        reason       TEXT NOT NULL,
        added_at     TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)


def m001_audience(db: Database) -> None:
    """Creates the tables of people, their editions, their consents and the suppression list."""
    for statement in _AUDIENCE:
        db.conn.execute(statement)


_DELIVERY = (
    # One sending of an issue to an audience. `issue` is its path in the workspace, with slashes.
    """
    CREATE TABLE campaigns (
        id          INTEGER PRIMARY KEY,
        slug        TEXT NOT NULL UNIQUE,
        issue       TEXT NOT NULL,
        issue_hash  TEXT NOT NULL,
        edition     TEXT NOT NULL,
        issue_date  TEXT NOT NULL,
        segment     TEXT NOT NULL DEFAULT '',
        plan_hash   TEXT NOT NULL,
        plan        TEXT NOT NULL,
        subject     TEXT NOT NULL,
        transport   TEXT NOT NULL,
        status      TEXT NOT NULL DEFAULT 'ready' CHECK (status IN
            ('ready', 'sending', 'paused', 'stopped', 'sent', 'cancelled')),
        status_note TEXT NOT NULL DEFAULT '',
        created_at  TEXT NOT NULL,
        started_at  TEXT,
        finished_at TEXT
    )
    """,
    "CREATE INDEX campaigns_edition ON campaigns (edition, issue_date)",
    # One row for each person and campaign: the record of who received what.
    # `variant` is the number of the rendition, `attempt` counts the claims.
    """
    CREATE TABLE deliveries (
        campaign_id   INTEGER NOT NULL REFERENCES campaigns (id),
        subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
        variant       INTEGER NOT NULL DEFAULT 0,
        state         TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
            ('pending', 'sending', 'accepted', 'rejected', 'deferred', 'uncertain', 'skipped')),
        attempt       INTEGER NOT NULL DEFAULT 0,
        due_at        TEXT NOT NULL DEFAULT '',
        claimed_at    TEXT,
        settled_at    TEXT,
        provider_id   TEXT NOT NULL DEFAULT '',
        reason        TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (campaign_id, subscriber_id)
    ) WITHOUT ROWID
    """,
    # Finds the unfinished deliveries of a campaign without reading the finished ones.
    """
    CREATE INDEX deliveries_open ON deliveries (campaign_id, state, due_at)
    WHERE state IN ('pending', 'sending', 'deferred', 'uncertain')
    """,
    "CREATE INDEX deliveries_subscriber ON deliveries (subscriber_id)",
    # Unsubscribes, bounces, complaints and so on. Rows are only ever added.
    """
    CREATE TABLE events (
        id            INTEGER PRIMARY KEY,
        at            TEXT NOT NULL,
        kind          TEXT NOT NULL,
        subscriber_id INTEGER REFERENCES subscribers (id),
        campaign_id   INTEGER REFERENCES campaigns (id),
        edition       TEXT NOT NULL DEFAULT '',
        reason        TEXT NOT NULL DEFAULT '',
        source        TEXT NOT NULL DEFAULT '',
        provider_key  TEXT UNIQUE
    )
    """,
    "CREATE INDEX events_campaign ON events (campaign_id, kind)",
    "CREATE INDEX events_subscriber ON events (subscriber_id)",
)


def m002_delivery(db: Database) -> None:
    """Creates the tables of campaigns, deliveries and events."""
    for statement in _DELIVERY:
        db.conn.execute(statement)

"""Contains the migrations up to version 0.3: schedules, causes of refusals, rate limits, plans and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "m003_schedule",
    "m004_causes",
    "m005_paces",
    "m006_deferrals",
    "m007_plans",
    "m008_runs",
    "m009_accepted_by",
]


def m003_schedule(db: Database) -> None:
    """Adds columns to campaigns: the due time, the readers' local time, the canary, and the end of a hold."""
    for statement in (
        # SQLite cannot change a CHECK, so the table is rebuilt. `due_at` is when it may begin (UTC),
        # `local_time` the readers' own hour (`08:00`), `canary` JSON about the canary, and `held_until`
        # the end of its hold (UTC). Empty means that there is none.
        """
        CREATE TABLE campaigns_new (
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
            status      TEXT NOT NULL DEFAULT 'ready' CHECK (status IN ('ready', 'scheduled',
                'sending', 'held', 'missed', 'paused', 'stopped', 'sent', 'cancelled')),
            status_note TEXT NOT NULL DEFAULT '',
            created_at  TEXT NOT NULL,
            started_at  TEXT,
            finished_at TEXT,
            due_at      TEXT NOT NULL DEFAULT '',
            local_time  TEXT NOT NULL DEFAULT '',
            canary      TEXT NOT NULL DEFAULT '',
            held_until  TEXT NOT NULL DEFAULT ''
        )
        """,
        "INSERT INTO campaigns_new SELECT *, '', '', '', '' FROM campaigns",
        "DROP TABLE campaigns",
        "ALTER TABLE campaigns_new RENAME TO campaigns",
        "CREATE INDEX campaigns_edition ON campaigns (edition, issue_date)",
    ):
        db.conn.execute(statement)


def m004_causes(db: Database) -> None:
    """Adds a column with the cause of a refusal: `address`, `mailbox`, `us` or `them`.

    The cause is empty if no server refused the message.
    """
    db.conn.execute("ALTER TABLE deliveries ADD COLUMN cause TEXT NOT NULL DEFAULT ''")


def m005_paces(db: Database) -> None:
    """Adds a table of how much of each rate limit is used up; all runs share these limits."""
    db.conn.execute(
        # `name` is a domain (empty: all of them) and the unit of time: `/h`, `gmail.com/s`. Of so many an
        # hour or a day, `since` is when the newest window began and `used` how many were spent in it; of
        # so many a second, `since` is when the next may leave (UTC).
        """
        CREATE TABLE paces (
            name  TEXT PRIMARY KEY,
            since TEXT NOT NULL,
            used  INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """
    )


def m006_deferrals(db: Database) -> None:
    """Adds columns to deliveries: the time of the first deferral, and whether only an outbox was used."""
    for statement in (
        # `deferred_since` is UTC, empty where a delivery never was; `in_folder` is 1 where the newest
        # hand-over was to a folder, which reached nobody.
        "ALTER TABLE deliveries ADD COLUMN deferred_since TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deliveries ADD COLUMN in_folder INTEGER NOT NULL DEFAULT 0",
        # An outbox gives a file name as the provider's id, even if the campaign has another transport now.
        """
        UPDATE deliveries SET in_folder = 1 WHERE provider_id LIKE '%.eml' AND campaign_id IN
            (SELECT id FROM campaigns WHERE lower(transport) LIKE 'outbox:%')
        """,
    ):
        db.conn.execute(statement)


def m007_plans(db: Database) -> None:
    """Adds a table of the plans that `mailer plan` made, so that `send --plan` can compare with them."""
    db.conn.execute(
        # `plan` is the plan as it was shown and `content` what is sent, each as JSON; `people` are the packed
        # (subscriber id, variant) of `audience.planned`.
        """
        CREATE TABLE plans (
            hash    TEXT PRIMARY KEY,
            made_at TEXT NOT NULL,
            plan    TEXT NOT NULL,
            content TEXT NOT NULL,
            people  BLOB NOT NULL
        )
        """
    )


def m008_runs(db: Database) -> None:
    """Adds a record of where the last run was, which shows that a database in use is a copy."""
    db.conn.execute(
        # One row: the path, device and inode of this file as of the last run, the machine as a salted hash
        # and its boot (empty: unknown), when it began (UTC), and a random token. `.mailer/last-run` holds the
        # same token, so that an earlier copy in the same place is noticed too.
        """
        CREATE TABLE last_run (
            id      INTEGER PRIMARY KEY CHECK (id = 1),
            path    TEXT NOT NULL,
            device  TEXT NOT NULL,
            inode   TEXT NOT NULL,
            boot    TEXT NOT NULL,
            machine TEXT NOT NULL,
            at      TEXT NOT NULL,
            token   TEXT NOT NULL
        )
        """
    )


def m009_accepted_by(db: Database) -> None:
    """Adds a column to campaigns: the transport that has accepted mail of the campaign.

    If a transport has accepted mail, its refusals concern the recipients, not the sender.
    """
    for statement in (
        # The transport's URL, empty where no mail was accepted except into a folder.
        "ALTER TABLE campaigns ADD COLUMN accepted_by TEXT NOT NULL DEFAULT ''",
        """
        UPDATE campaigns SET accepted_by = transport WHERE EXISTS (SELECT 1 FROM deliveries AS d
            WHERE d.campaign_id = campaigns.id AND d.state = 'accepted' AND d.in_folder = 0)
        """,
    ):
        db.conn.execute(statement)

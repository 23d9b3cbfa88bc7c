"""The tables of subscribers.db, as the steps that made them. A step that was released is never changed.

What is added comes as a step of its own, at the end. Times are UTC, ISO 8601 to the microsecond, with a `Z`.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

__all__ = ["migrations"]

migrations = Migrations("mailer")


@migrations()
def m001_audience(db: Database) -> None:
    """Who may be written to, since when, and why."""
    for statement in (
        # One person. `address` is what is written to; `address_key` is the same for every spelling
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
        # Which editions a person reads.
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
    ):
        db.conn.execute(statement)


@migrations()
def m002_delivery(db: Database) -> None:
    """What was sent to whom, and what came back."""
    for statement in (
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
        # One row a person and campaign: the truth about who received what.
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
        # What is left to do in a campaign is found without reading what is done.
        """
        CREATE INDEX deliveries_open ON deliveries (campaign_id, state, due_at)
        WHERE state IN ('pending', 'sending', 'deferred', 'uncertain')
        """,
        "CREATE INDEX deliveries_subscriber ON deliveries (subscriber_id)",
        # What comes back: unsubscribes, bounces, complaints and so on. Rows are only ever added.
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
    ):
        db.conn.execute(statement)


@migrations()
def m003_schedule(db: Database) -> None:
    """When a campaign is due, and for how long it is held back."""
    for statement in (
        # SQLite cannot change a CHECK, so the table is built anew. `due_at` is when it may begin (UTC),
        # `local_time` the readers' own hour (`08:00`), `canary` JSON about the first few, and `held_until`
        # when those have been watched for long enough (UTC). Empty means: no such thing.
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


@migrations()
def m004_causes(db: Database) -> None:
    """Whose matter a refusal was: `address`, `mailbox`, `us`, `them`, or empty where nobody refused."""
    db.conn.execute("ALTER TABLE deliveries ADD COLUMN cause TEXT NOT NULL DEFAULT ''")


@migrations()
def m005_paces(db: Database) -> None:
    """What was spent of each limit, shared by all runs."""
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


@migrations()
def m006_deferrals(db: Database) -> None:
    """Since when a delivery has been deferred, and whether it went into an outbox folder only."""
    for statement in (
        # `deferred_since` is UTC, empty where a delivery never was; `in_folder` is 1 where the newest
        # hand-over was to a folder, which reached nobody.
        "ALTER TABLE deliveries ADD COLUMN deferred_since TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deliveries ADD COLUMN in_folder INTEGER NOT NULL DEFAULT 0",
        # An outbox gives the name of the file, and a campaign may have changed its transport since.
        """
        UPDATE deliveries SET in_folder = 1 WHERE provider_id LIKE '%.eml' AND campaign_id IN
            (SELECT id FROM campaigns WHERE lower(transport) LIKE 'outbox:%')
        """,
    ):
        db.conn.execute(statement)


@migrations()
def m007_plans(db: Database) -> None:
    """The plans that `mailer plan` made of late, so that `send --plan` can compare with them."""
    db.conn.execute(
        # `plan` is the plan as it was told and `content` what is sent, each as JSON; `people` are the packed
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


@migrations()
def m008_runs(db: Database) -> None:
    """Where the last run was, by which a copy of the database is noticed when it is used."""
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


@migrations()
def m009_accepted_by(db: Database) -> None:
    """By which transport somebody of a campaign was accepted, so that refusals of others are their own."""
    for statement in (
        # The transport's URL, empty where nobody was accepted but into a folder.
        "ALTER TABLE campaigns ADD COLUMN accepted_by TEXT NOT NULL DEFAULT ''",
        """
        UPDATE campaigns SET accepted_by = transport WHERE EXISTS (SELECT 1 FROM deliveries AS d
            WHERE d.campaign_id = campaigns.id AND d.state = 'accepted' AND d.in_folder = 0)
        """,
    ):
        db.conn.execute(statement)


@migrations()
def m010_former_addresses(db: Database) -> None:
    """Addresses that people had before theirs was changed, as hashes like those of the suppression list."""
    for statement in (
        # `subscriber_id` is the last person who had it, `until` when it became another (UTC).
        """
        CREATE TABLE former_addresses (
            address_hash  TEXT PRIMARY KEY,
            subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
            until         TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX former_addresses_subscriber ON former_addresses (subscriber_id)",
    ):
        db.conn.execute(statement)


@migrations()
def m011_stable_ids(db: Database) -> None:
    """By what links and messages name a reader. Numbers return where an old backup is restored."""
    for statement in (
        # 8 bytes, random for whoever is new. NULL: somebody of before, until a secret key is known (see
        # `audience.stable_ids`). Who was erased before has no address to make one of.
        "ALTER TABLE subscribers ADD COLUMN stable_id BLOB",
        "UPDATE subscribers SET stable_id = randomblob(8) WHERE address IS NULL",
        "CREATE UNIQUE INDEX subscribers_stable_id ON subscribers (stable_id)",
        """
        CREATE TRIGGER subscribers_stable_id AFTER INSERT ON subscribers WHEN new.stable_id IS NULL
        BEGIN UPDATE subscribers SET stable_id = randomblob(8) WHERE id = new.id; END
        """,
        # One row: links of before name readers by number, and are good for nobody who came later.
        "CREATE TABLE numbered_links (last_subscriber INTEGER NOT NULL)",
        "INSERT INTO numbered_links SELECT coalesce(max(id), 0) FROM subscribers",
        # 1: its messages name readers by stable id. 0: it was frozen before, and goes on with numbers.
        "ALTER TABLE campaigns ADD COLUMN stable_ids INTEGER NOT NULL DEFAULT 0",
    ):
        db.conn.execute(statement)


@migrations()
def m012_words_about_the_erased(db: Database) -> None:
    """Clears what servers said of people who were erased by an earlier version."""
    for statement in (
        # They repeat the address, also when they accept. An id in which there can be none stays, and so does
        # the reason of who was skipped, which is a word of ours.
        """
        UPDATE deliveries SET
            provider_id = CASE WHEN instr(provider_id, '@') OR instr(provider_id, '40')
                OR instr(provider_id, '&') THEN '' ELSE provider_id END,
            reason = CASE state WHEN 'skipped' THEN reason ELSE '' END
        WHERE subscriber_id IN (SELECT id FROM subscribers WHERE status = 'erased')
        """,
        """
        UPDATE consents SET method = ''
        WHERE method NOT IN ('import', 'web', 'operator', 'preferences', 'confirm')
            AND subscriber_id IN (SELECT id FROM subscribers WHERE status = 'erased')
        """,
    ):
        db.conn.execute(statement)

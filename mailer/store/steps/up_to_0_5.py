"""Contains the migrations to versions 0.4 and 0.5: former addresses, stable ids, erased people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["m010_former_addresses", "m011_stable_ids", "m012_words_about_the_erased"]


def m010_former_addresses(db: Database) -> None:
    """Adds a table of people's former addresses, as hashes like those of the suppression list."""
    for statement in (
        # `subscriber_id` is the last person who had the address, `until` the time (UTC) when it was changed.
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


def m011_stable_ids(db: Database) -> None:
    """Adds a column of stable ids, by which links and messages identify a reader.

    Subscriber ids are assigned again after an old backup is restored, so they cannot identify readers.
    """
    for statement in (
        # 8 bytes, random for new people. NULL: a person of an earlier version, until a key is known (see
        # `audience.stable_ids`). Erased people get a random id: they have no address to derive it from.
        "ALTER TABLE subscribers ADD COLUMN stable_id BLOB",
        "UPDATE subscribers SET stable_id = randomblob(8) WHERE address IS NULL",
        "CREATE UNIQUE INDEX subscribers_stable_id ON subscribers (stable_id)",
        """
        CREATE TRIGGER subscribers_stable_id AFTER INSERT ON subscribers WHEN new.stable_id IS NULL
        BEGIN UPDATE subscribers SET stable_id = randomblob(8) WHERE id = new.id; END
        """,
        # One row: links of earlier versions name readers by id, and are not valid for ids above this one.
        "CREATE TABLE numbered_links (last_subscriber INTEGER NOT NULL)",
        "INSERT INTO numbered_links SELECT coalesce(max(id), 0) FROM subscribers",
        # 1: its messages name readers by stable id. 0: it was frozen before, and names them by subscriber id.
        "ALTER TABLE campaigns ADD COLUMN stable_ids INTEGER NOT NULL DEFAULT 0",
    ):
        db.conn.execute(statement)


def m012_words_about_the_erased(db: Database) -> None:
    """Clears the server replies of deliveries to people whom an earlier version has erased."""
    for statement in (
        # Servers' answers repeat the address, even on acceptance. Ids that cannot hold one stay, and so
        # do the reasons of skipped deliveries, which mailer itself wrote.
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

"""Assigns stable ids, which name a reader in links and messages even after a backup was restored.

When an older backup is restored, subscriber ids can be assigned a second time, but stable ids cannot. A new
reader gets 8 random bytes (from a trigger of the table; an import counts up from a random start in each
batch). A reader from an earlier version gets an id made of the oldest secret key and the address, so that the
same backup always gives the same ids and links in sent mail stay valid. An erased reader keeps the stable id.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.links.tokens import Token, derive_stable_id
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["assign_missing_ids", "new_stable_ids", "stable_id_of_subscriber", "subscriber_id_of_token"]

_MISSING = "SELECT 1 FROM subscribers WHERE stable_id IS NULL LIMIT 1"

# Two of a million readers get the same 8 bytes in one of ten million lists; the later one then gets others.
_FILL = "UPDATE OR IGNORE subscribers SET stable_id = derive_stable_id(address_key) WHERE stable_id IS NULL"
_FILL_REST = "UPDATE subscribers SET stable_id = randomblob(8) WHERE stable_id IS NULL"

_BY_STABLE_ID = "SELECT id FROM subscribers WHERE stable_id = ?"
_BY_NUMBER = "SELECT s.id FROM subscribers AS s, numbered_links WHERE s.id = ? AND s.id <= last_subscriber"
_STABLE_ID = "SELECT stable_id FROM subscribers WHERE id = ?"

#: The largest integer of SQLite.
_LARGEST = 2**63 - 1


def assign_missing_ids(db: Database, oldest_secret_key: str) -> None:
    """Gives stable ids to readers from earlier versions who have none, in one transaction."""
    if db.conn.execute(_MISSING).fetchone() is None:
        return

    def stable_id_or_none(address_key: str | None) -> bytes | None:
        return None if address_key is None else derive_stable_id(oldest_secret_key, address_key)

    db.conn.create_function("derive_stable_id", 1, stable_id_or_none, deterministic=True)
    with writing(db):
        db.conn.execute(_FILL)
        db.conn.execute(_FILL_REST)


def new_stable_ids() -> Iterator[bytes]:
    """Yields stable ids for the new readers of one transaction.

    The ids count up from a random start, because ids that are stored side by side are written faster.
    """
    start = secrets.randbits(64)
    while True:
        yield start.to_bytes(8, "big")
        start = (start + 1) % 2**64


def subscriber_id_of_token(db: Database, token: Token) -> int | None:
    """Returns the id of the subscriber whom a link's token names, or None. The subscriber may be erased.

    A token of a version up to 0.3.0 cannot name readers who were added since the upgrade. Call
    `assign_missing_ids` first.
    """
    if token.stable_id:
        row = db.conn.execute(_BY_STABLE_ID, (token.stable_id,)).fetchone()
    else:
        row = db.conn.execute(_BY_NUMBER, (min(token.subscriber_number, _LARGEST),)).fetchone()
    return int(row[0]) if row else None


def stable_id_of_subscriber(db: Database, subscriber_id: int) -> bytes:
    """Returns the stable id of an existing subscriber. Call `assign_missing_ids` first."""
    return bytes(db.conn.execute(_STABLE_ID, (subscriber_id,)).fetchone()[0])

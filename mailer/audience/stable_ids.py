"""Assigns stable ids, by which links and messages name a reader even after a backup was restored.

Subscriber ids are assigned again where an older backup is restored; stable ids are not. A new reader gets 8
random bytes as they are inserted (a trigger of the table; an import counts up from a random start in each
batch). Readers from earlier versions get an id made of the oldest secret key and their address, so that the
same backup always gives the same ids and links that were sent stay valid. An erased reader keeps theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.links.tokens import Token, derive_stable_id
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["assign_missing_ids", "new_ids", "stable_id_at", "subscriber_of"]

_MISSING = "SELECT 1 FROM subscribers WHERE stable_id IS NULL LIMIT 1"

# Two of a million readers get the same 8 bytes in one of ten million lists; the later one then gets others.
_FILL = "UPDATE OR IGNORE subscribers SET stable_id = derive_stable_id(address_key) WHERE stable_id IS NULL"
_FILL_REST = "UPDATE subscribers SET stable_id = randomblob(8) WHERE stable_id IS NULL"

_BY_STABLE_ID = "SELECT id FROM subscribers WHERE stable_id = ?"
_BY_NUMBER = "SELECT s.id FROM subscribers AS s, numbered_links WHERE s.id = ? AND s.id <= last_subscriber"
_STABLE_ID = "SELECT stable_id FROM subscribers WHERE id = ?"

#: The largest integer of SQLite.
_LARGEST = 2**63 - 1


def assign_missing_ids(db: Database, oldest_key: str) -> None:
    """Gives readers from earlier versions their stable ids, in one transaction, where any have none."""
    if db.conn.execute(_MISSING).fetchone() is None:
        return

    def made(address_key: str | None) -> bytes | None:
        return None if address_key is None else derive_stable_id(oldest_key, address_key)

    db.conn.create_function("derive_stable_id", 1, made, deterministic=True)
    with writing(db):
        db.conn.execute(_FILL)
        db.conn.execute(_FILL_REST)


def new_ids() -> Iterator[bytes]:
    """Yields stable ids for the new readers of one transaction.

    They count up from a random start, so that they are stored beside each other, which is fast.
    """
    start = secrets.randbits(64)
    while True:
        yield start.to_bytes(8, "big")
        start = (start + 1) % 2**64


def subscriber_of(db: Database, token: Token) -> int | None:
    """Returns the id of the subscriber whom a token names, erased or not; None where there is none.

    A token of a version up to 0.3.0 names nobody who was added since the migration. To be called after
    `assign_missing_ids`.
    """
    if token.stable_id:
        row = db.conn.execute(_BY_STABLE_ID, (token.stable_id,)).fetchone()
    else:
        row = db.conn.execute(_BY_NUMBER, (min(token.number, _LARGEST),)).fetchone()
    return int(row[0]) if row else None


def stable_id_at(db: Database, subscriber_id: int) -> bytes:
    """Returns the stable id of a subscriber who exists. To be called after `assign_missing_ids`."""
    return bytes(db.conn.execute(_STABLE_ID, (subscriber_id,)).fetchone()[0])

"""The addresses that must never be written to again, whoever asks.

Only a hash of the address is kept, so the list outlives an erasure. There is no way off it: an import,
a sign-up and `subscribers add` all look here first, and a send looks again when it claims a delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from mailer.audience import events
from mailer.audience.events import Event
from mailer.store import address_hash, utc_now, writing

__all__ = ["Suppression", "is_suppressed", "suppress", "suppressed_keys", "suppression_of"]


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address is on the list, and since when (UTC)."""

    reason: str
    added_at: str


# The first reason stays: it is what really happened.
_ADD = "INSERT INTO suppressions (address_hash, reason, added_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

_FIND = "SELECT reason, added_at FROM suppressions WHERE address_hash = ?"

_SUBSCRIBER = "SELECT id FROM subscribers WHERE address_key = ?"

# Is there anybody on the list at all? Most lists are empty, and hashing is not free.
_ANY = "SELECT 1 FROM suppressions LIMIT 1"


def suppress(db: Database, key: str, reason: str, *, source: str = "cli") -> bool:
    """Puts the address with this key on the list; False where it is there already.

    The event names the subscriber with this address, where there is one; its reason stands on the list alone.
    """
    now = utc_now()
    with writing(db):
        if not db.conn.execute(_ADD, (address_hash(key), reason, now)).rowcount:
            return False
        row = db.conn.execute(_SUBSCRIBER, (key,)).fetchone()
        events.record(db, Event(now, "suppress", row[0] if row else None, source))
        return True


def suppression_of(db: Database, key: str) -> Suppression | None:
    """Why the address with this key is on the list, or None where it is not."""
    row = db.conn.execute(_FIND, (address_hash(key),)).fetchone()
    return Suppression(*row) if row else None


def is_suppressed(db: Database, key: str) -> bool:
    """Is the address with this key on the list?"""
    return suppression_of(db, key) is not None


def suppressed_keys(db: Database, keys: Iterable[str]) -> dict[str, str]:
    """Those of `keys` that are on the list, with the reason."""
    if db.conn.execute(_ANY).fetchone() is None:
        return {}
    found = {}
    for key in keys:
        row = db.conn.execute(_FIND, (address_hash(key),)).fetchone()
        if row:
            found[key] = str(row[0])
    return found

"""Keeps the suppression list: addresses that must never be written to again.

Only a hash of each address is kept, so the list outlives an erasure. An import, a sign-up and `subscribers
add` check the list first, and a send checks it again when it claims a delivery. An address is removed in one
case only: an operator says how the reader asked, and why the entry no longer holds (`subscribers.add` with
`forced`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.events import Event
from mailer.clock import utc_now
from mailer.store.database import address_hash, writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "OPERATOR",
    "Suppression",
    "append_reason",
    "is_suppressed",
    "lift",
    "suppress",
    "suppressed_keys",
    "suppressed_sql",
    "suppression_of",
]

#: The reason of an entry for which nobody gave one.
OPERATOR = "operator"
#: The reason of an erased person's address.
ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Holds why an address is on the list, and since when (UTC)."""

    reason: str
    added_at: str


# The first reason stays, because it says what happened.
_ADD = "INSERT INTO suppressions (address_hash, reason, added_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

_REMOVE = "DELETE FROM suppressions WHERE address_hash = ?"

# A reason that is there already is not repeated.
_ALSO = f"""
    UPDATE suppressions SET reason = substr(reason || '; ' || ?2, 1, 2000)
    WHERE address_hash = ?1 AND reason <> '{ERASED}' AND instr(reason, ?2) = 0
"""

_FIND = "SELECT reason, added_at FROM suppressions WHERE address_hash = ?"

_SUBSCRIBER = "SELECT id FROM subscribers WHERE address_key = ?"

# Finds whether the list has any entry. Most lists are empty, and each hash costs time.
_ANY = "SELECT 1 FROM suppressions LIMIT 1"


def suppressed_sql(alias: str = "s") -> str:
    """Returns an SQL condition on subscribers under `alias`: 1 if the address is on the list, else 0."""
    # SQLite evaluates the first part once a statement, so an empty list costs nothing for each person.
    return f"""(EXISTS (SELECT 1 FROM suppressions)
    AND ifnull(address_hash({alias}.address_key), '') IN (SELECT address_hash FROM suppressions))"""


def suppress(db: Database, key: str, reason: str, *, source: str = "cli", at: str = "") -> bool:
    """Puts the address with this key on the list; returns False where it is there already.

    The event names the subscriber with this address. Without a subscriber, the event has no reason; the
    reason stands on the list alone. `at` (UTC) is since when, by default now. A reason that equals ERASED is
    put in quotes, because only an erasure may write that.
    """
    now, reason = utc_now(), f'"{ERASED}"' if reason == ERASED else reason
    with writing(db):
        if not db.conn.execute(_ADD, (address_hash(key), reason, at or now)).rowcount:
            return False
        row = db.conn.execute(_SUBSCRIBER, (key,)).fetchone()
        number, words = (row[0], reason) if row else (None, "")
        events.record(db, Event(now, "suppress", number, source, reason=words))
        return True


def append_reason(db: Database, key: str, reason: str) -> None:
    """Appends a reason to that of an address on the list, unless the address is of an erased person."""
    with writing(db):
        db.conn.execute(_ALSO, (address_hash(key), reason))


def lift(db: Database, key: str) -> bool:
    """Removes an address from the list; returns False where it is not there.

    The caller records the reason.
    """
    with writing(db):
        return db.conn.execute(_REMOVE, (address_hash(key),)).rowcount > 0


def suppression_of(db: Database, key: str) -> Suppression | None:
    """Returns the entry of the address with this key, or None where it is not on the list."""
    row = db.conn.execute(_FIND, (address_hash(key),)).fetchone()
    return Suppression(*row) if row else None


def is_suppressed(db: Database, key: str) -> bool:
    """Returns whether the address with this key is on the list."""
    return suppression_of(db, key) is not None


def suppressed_keys(db: Database, keys: Iterable[str]) -> dict[str, str]:
    """Returns those of `keys` that are on the list, each with its reason."""
    if db.conn.execute(_ANY).fetchone() is None:
        return {}
    found = {}
    for key in keys:
        row = db.conn.execute(_FIND, (address_hash(key),)).fetchone()
        if row:
            found[key] = str(row[0])
    return found

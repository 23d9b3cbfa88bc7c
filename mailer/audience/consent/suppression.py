"""Keeps the suppression list: addresses that must never get mail again.

Only a hash of each address is kept, so an entry outlives the erasure of its person. An import, a sign-up and
`subscribers add` check the list before they add anybody, and a run checks it when it claims a delivery. An
address is removed only if an operator says that the reader asked for mail again, and why the entry no longer
holds (`subscribers.add` with `force_reason`).
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
    "append_suppression_reason",
    "is_suppressed",
    "remove_suppression",
    "suppress",
    "suppression_reasons",
    "is_suppressed_sql",
    "suppression_of",
]

#: The reason of an entry for which nobody gave one.
OPERATOR = "operator"
#: The reason of an erased person's address.
ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Holds an entry of the suppression list: the reason, and the UTC time at which the entry was added."""

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


def is_suppressed_sql(table_alias: str = "s") -> str:
    """Returns an SQL condition that is 1 if a subscriber's address is suppressed, else 0.

    `table_alias` is the name of the table `subscribers` in the statement.
    """
    # SQLite evaluates the first part once a statement, so an empty list costs nothing for each person.
    return f"""(EXISTS (SELECT 1 FROM suppressions)
    AND ifnull(address_hash({table_alias}.address_key), '') IN (SELECT address_hash FROM suppressions))"""


def suppress(db: Database, address_key: str, reason: str, *, source: str = "cli", at: str = "") -> bool:
    """Puts an address on the suppression list. Returns False if the address is on the list already.

    An event is recorded for the subscriber with this address. Without a subscriber, the event names nobody
    and has no reason. `source` says how the event came about, such as `cli`. `at` is the UTC time of the
    entry, by default now. A `reason` that equals ERASED is put in quotes, because only an erasure may write
    that word.
    """
    now, reason = utc_now(), f'"{ERASED}"' if reason == ERASED else reason
    with writing(db):
        if not db.conn.execute(_ADD, (address_hash(address_key), reason, at or now)).rowcount:
            return False
        row = db.conn.execute(_SUBSCRIBER, (address_key,)).fetchone()
        number, words = (row[0], reason) if row else (None, "")
        events.record(db, Event(now, "suppress", number, source, reason=words))
        return True


def append_suppression_reason(db: Database, address_key: str, reason: str) -> None:
    """Appends a reason to an address's entry on the suppression list, unless the person was erased."""
    with writing(db):
        db.conn.execute(_ALSO, (address_hash(address_key), reason))


def remove_suppression(db: Database, address_key: str) -> bool:
    """Removes an address from the suppression list. Returns False if the address is not on the list.

    The caller must record the reason.
    """
    with writing(db):
        return db.conn.execute(_REMOVE, (address_hash(address_key),)).rowcount > 0


def suppression_of(db: Database, address_key: str) -> Suppression | None:
    """Returns an address's entry on the suppression list, or None. `address_key` is the `Address.key`."""
    row = db.conn.execute(_FIND, (address_hash(address_key),)).fetchone()
    return Suppression(*row) if row else None


def is_suppressed(db: Database, address_key: str) -> bool:
    """Returns whether the address with this key is on the suppression list."""
    return suppression_of(db, address_key) is not None


def suppression_reasons(db: Database, address_keys: Iterable[str]) -> dict[str, str]:
    """Returns the reasons of suppressed addresses by address key. Keys of other addresses are left out."""
    if db.conn.execute(_ANY).fetchone() is None:
        return {}
    found = {}
    for key in address_keys:
        row = db.conn.execute(_FIND, (address_hash(key),)).fetchone()
        if row:
            found[key] = str(row[0])
    return found

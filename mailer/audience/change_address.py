"""Changes the address of a person, who keeps their id, status, editions, history and deliveries.

The old address is free afterwards and is kept as a hash: an import that still has it adds no second person,
and an unsubscribe that names it reaches the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.suppression import suppression_of
from mailer.audience.events import Event
from mailer.audience.people import Subscriber, address_of, find, get
from mailer.audience.values.address import Address
from mailer.clock import utc_now
from mailer.errors import AudienceError
from mailer.store.database import address_hash, writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["addresses_before", "change_address", "former_holder", "moved_at", "moved_keys"]

#: Separates the two addresses in the reason of an event. No address holds a space outside quotes.
_BECAME = " became "

_MOVE = "UPDATE subscribers SET address = ?, address_key = ?, domain = ?, updated_at = ? WHERE id = ?"

# Records the last person who had an address.
_REMEMBER = """
    INSERT INTO former_addresses (address_hash, subscriber_id, until) VALUES (?, ?, ?)
    ON CONFLICT (address_hash) DO UPDATE SET subscriber_id = excluded.subscriber_id, until = excluded.until
"""

_FORGET = "DELETE FROM former_addresses WHERE address_hash = ?"

# Selects the former holder of an address, unless somebody has the address now.
_HOLDER = """
    SELECT f.subscriber_id FROM former_addresses AS f WHERE f.address_hash = ?1
    AND NOT EXISTS (SELECT 1 FROM subscribers AS s WHERE s.address_key = ?2)
"""

_ANY = "SELECT 1 FROM former_addresses LIMIT 1"

_CURRENT = """
    SELECT s.address_key FROM former_addresses AS f JOIN subscribers AS s ON s.id = f.subscriber_id
    WHERE f.address_hash = ?
"""

_MOVED_AT = "SELECT coalesce(max(until), '') FROM former_addresses WHERE subscriber_id = ?"


def change_address(
    db: Database, person: Subscriber, new: Address, *, reason: str = "", source: str = "cli"
) -> bool:
    """Gives a person another address; returns False where it is theirs already.

    Everything else stays as it is, including an unsubscribe, a bounce or a complaint. Raises AudienceError
    where one of the two addresses is suppressed, or the new one belongs to somebody else, or belonged to
    somebody who is not active now.
    """
    with writing(db):
        person = get(db, person.id) or person
        if person.address is None:
            raise AudienceError(f"subscriber {person.id} was erased and has no address")
        if person.address == new.address:
            return False
        key = address_of(db, person.id).key
        now = utc_now()
        if key != new.key:
            _check(db, person, key, new)
            db.conn.execute(_REMEMBER, (address_hash(key), person.id, now))
            db.conn.execute(_FORGET, (address_hash(new.key),))
        db.conn.execute(_MOVE, (new.address, new.key, new.domain, now, person.id))
        words = f"{person.address}{_BECAME}{new.address}" + (f": {reason}" if reason else "")
        events.record(db, Event(now, "address", person.id, source, reason=words))
        return True


def addresses_before(db: Database, subscriber_id: int) -> tuple[str, ...]:
    """Returns the person's earlier addresses, oldest first, each once; none once they were erased."""
    words = [entry.reason for entry in events.history_of(db, subscriber_id) if entry.what == "address"]
    return tuple(dict.fromkeys(text.partition(_BECAME)[0] for text in words if _BECAME in text))


def former_holder(db: Database, key: str) -> Subscriber | None:
    """Returns the person who had the address with this key before, if nobody has it now; else None."""
    row = db.conn.execute(_HOLDER, (address_hash(key), key)).fetchone()
    return get(db, row[0]) if row else None


def moved_keys(db: Database, keys: Iterable[str]) -> dict[str, str | None]:
    """Returns those of `keys` that were a person's address before, each with the key of their address now.

    The key is None where the person was erased.
    """
    if db.conn.execute(_ANY).fetchone() is None:
        return {}
    found: dict[str, str | None] = {}
    for key in keys:
        row = db.conn.execute(_CURRENT, (address_hash(key),)).fetchone()
        if row:
            found[key] = row[0]
    return found


def moved_at(db: Database, subscriber_id: int) -> str:
    """Returns when this person's address last changed (UTC), or ""."""
    return str(db.conn.execute(_MOVED_AT, (subscriber_id,)).fetchone()[0])


def _check(db: Database, person: Subscriber, key: str, new: Address) -> None:
    for address, of_key in ((person.address, key), (new.address, new.key)):
        stopped = suppression_of(db, of_key)
        if stopped:
            raise AudienceError(
                f"{address} is on the suppression list since {stopped.added_at[:10]} ({stopped.reason}), so "
                "the address was not changed"
            )
    other = find(db, new.address)
    if other is not None:
        raise AudienceError(
            f"{new.address} is another subscriber already ({other.status}), so the address was not changed; "
            f"`mailer subscribers show {new.address}` tells more"
        )
    before = former_holder(db, new.key)
    if before is not None and before.id != person.id and before.status != "active":
        raise AudienceError(
            f"{new.address} was the earlier address of a person who is {before.status} now, so the "
            "address was not changed"
        )

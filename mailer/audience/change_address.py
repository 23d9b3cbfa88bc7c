"""Changes a person's e-mail address. The person's id, status, editions, history and deliveries stay the same.

The old address is kept as a hash. An import that still lists the old address therefore adds no second person,
and an unsubscribe that names the old address reaches the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.suppression import suppression_of
from mailer.audience.events import Event
from mailer.audience.people import Subscriber, address_of, find, get
from mailer.audience.values.address import Address
from mailer.clock import local_day, utc_now
from mailer.errors import AudienceError
from mailer.store.database import address_hash, writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "earlier_addresses",
    "change_address",
    "former_holder",
    "address_changed_at",
    "current_keys_of_former_addresses",
]

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
    db: Database,
    person: Subscriber,
    new_address: Address,
    *,
    reason: str = "",
    source: str = "cli",
    zone: tzinfo = UTC,
) -> bool:
    """Gives a person another address. Returns False if the person has this address already.

    All other data stays as it is, including an unsubscribe, a bounce or a complaint. `reason` is the
    operator's reason for the history, `source` says how the change came about (such as `cli`), and `zone` is
    the time zone of days in messages. Raises
    AudienceError if one of the two addresses is suppressed, or if the new address belongs to another person,
    or belonged to a person who is not active now.
    """
    with writing(db):
        person = get(db, person.id) or person
        if person.address is None:
            raise AudienceError(f"subscriber {person.id} was erased, so there is no address to change")
        if person.address == new_address.address:
            return False
        key = address_of(db, person.id).key
        now = utc_now()
        if key != new_address.key:
            _check_address_change(db, person, key, new_address, zone)
            db.conn.execute(_REMEMBER, (address_hash(key), person.id, now))
            db.conn.execute(_FORGET, (address_hash(new_address.key),))
        db.conn.execute(_MOVE, (new_address.address, new_address.key, new_address.domain, now, person.id))
        words = f"{person.address}{_BECAME}{new_address.address}" + (f": {reason}" if reason else "")
        events.record(db, Event(now, "address", person.id, source, reason=words))
        return True


def earlier_addresses(db: Database, subscriber_id: int) -> tuple[str, ...]:
    """Returns a person's earlier addresses, oldest first and each once. An erased person has none."""
    words = [entry.reason for entry in events.history_of(db, subscriber_id) if entry.what == "address"]
    return tuple(dict.fromkeys(text.partition(_BECAME)[0] for text in words if _BECAME in text))


def former_holder(db: Database, address_key: str) -> Subscriber | None:
    """Returns the person who had an address before. The person may be erased.

    Returns None if nobody had the address before, or if somebody has the address now.
    """
    row = db.conn.execute(_HOLDER, (address_hash(address_key), address_key)).fetchone()
    return get(db, row[0]) if row else None


def current_keys_of_former_addresses(db: Database, address_keys: Iterable[str]) -> dict[str, str | None]:
    """Returns the keys of people's present addresses by the keys of their former addresses.

    Of `address_keys`, those of no former address are left out. The present key is None if the person was
    erased.
    """
    if db.conn.execute(_ANY).fetchone() is None:
        return {}
    found: dict[str, str | None] = {}
    for key in address_keys:
        row = db.conn.execute(_CURRENT, (address_hash(key),)).fetchone()
        if row:
            found[key] = row[0]
    return found


def address_changed_at(db: Database, subscriber_id: int) -> str:
    """Returns the UTC time at which a person's address last changed, or "" if it never changed."""
    return str(db.conn.execute(_MOVED_AT, (subscriber_id,)).fetchone()[0])


def _check_address_change(
    db: Database, person: Subscriber, old_key: str, new_address: Address, zone: tzinfo
) -> None:
    for address, of_key in ((person.address, old_key), (new_address.address, new_address.key)):
        stopped = suppression_of(db, of_key)
        if stopped:
            raise AudienceError(
                f"{address} has been on the suppression list since {local_day(stopped.added_at, zone)} "
                f"({stopped.reason}), so the address was not changed"
            )
    other = find(db, new_address.address)
    if other is not None:
        raise AudienceError(
            f"{new_address.address} already belongs to another subscriber ({other.status}), so the "
            f"address was not changed; see `mailer subscribers show {new_address.address}`"
        )
    before = former_holder(db, new_address.key)
    if before is not None and before.id != person.id and before.status != "active":
        raise AudienceError(
            f"{new_address.address} is the former address of a person who is now {before.status}, so "
            "the address was not changed; choose another address"
        )

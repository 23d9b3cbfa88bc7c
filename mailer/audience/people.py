"""Reads subscribers: one by address or id, or all of them as a stream. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailer.audience.consent.suppression import suppressed_sql, suppression_of
from mailer.audience.segments import SUPPRESSED, Segment
from mailer.audience.values.address import Address, normalize_address

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Subscriber", "address_of", "find", "get", "list_subscribers", "state_of"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Holds one person. `address` is None once erased; times are UTC as the database keeps them.

    `suppressed_at` is since when the address is on the suppression list, or None.
    """

    id: int
    address: str | None
    name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = "active"
    joined_at: str = ""
    updated_at: str = ""
    editions: tuple[str, ...] = ()
    suppressed_at: str | None = None


def state_of(person: Subscriber) -> str:
    """Returns the status, or `suppressed` where only the suppression list prevents mail."""
    waiting = person.status in ("active", "pending")
    return SUPPRESSED if waiting and person.suppressed_at else person.status


# Selects people with their editions as a JSON array, and their key if anybody at all is suppressed.
_SELECT = """
    SELECT s.id, s.address, s.name, s.language, s.timezone, s.tags, s.attributes, s.status,
           s.joined_at, s.updated_at,
           (SELECT json_group_array(x.edition) FROM subscriptions x WHERE x.subscriber_id = s.id),
           CASE WHEN EXISTS (SELECT 1 FROM suppressions) THEN s.address_key END
    FROM subscribers s
"""

# Selects the address of one person, the key by which it is compared, and its domain.
_ADDRESS = "SELECT address, address_key, domain FROM subscribers WHERE id = ?"


def get(db: Database, subscriber_id: int) -> Subscriber | None:
    """Returns the person with this id, erased or not; None where there is none."""
    row = db.conn.execute(f"{_SELECT} WHERE s.id = ?", (subscriber_id,)).fetchone()
    return _subscriber(db, row) if row else None


def find(db: Database, address: str) -> Subscriber | None:
    """Returns the person with this address, in any spelling. Raises AudienceError where it is no address."""
    key = normalize_address(address).key
    row = db.conn.execute(f"{_SELECT} WHERE s.address_key = ?", (key,)).fetchone()
    return _subscriber(db, row) if row else None


def address_of(db: Database, subscriber_id: int) -> Address:
    """Returns the address of a subscriber who exists and is not erased, with its key and domain."""
    return Address(*db.conn.execute(_ADDRESS, (subscriber_id,)).fetchone())


def list_subscribers(
    db: Database, *, status: str | None = None, edition: str | None = None, segment: Segment | None = None
) -> Iterator[Subscriber]:
    """Yields all people who match, in the order of their ids; erased ones only for their `status`.

    The status `suppressed` selects everybody on the suppression list; nobody on it counts as `active` or
    `pending`.
    """
    condition, params = _of_status(status) if status else ("s.status <> 'erased'", [])
    where = [condition]
    if edition:
        where.append("EXISTS (SELECT 1 FROM subscriptions e WHERE e.edition = ? AND e.subscriber_id = s.id)")
        params.append(edition)
    if segment:
        condition, values = segment.sql()
        where.append(condition)
        params.extend(values)
    for row in db.conn.execute(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY s.id", params):
        yield _subscriber(db, row)


def _of_status(status: str) -> tuple[str, list[object]]:
    if status == SUPPRESSED:
        return suppressed_sql("s"), []
    also = f" AND NOT {suppressed_sql('s')}" if status in ("active", "pending") else ""
    return f"s.status = ?{also}", [status]


def _subscriber(db: Database, row: tuple[Any, ...]) -> Subscriber:
    number, address, name, language, zone, tags, attributes, status, joined, updated, editions, key = row
    suppressed = suppression_of(db, key) if key is not None else None
    return Subscriber(
        id=number,
        address=address,
        name=name,
        language=language,
        timezone=zone,
        tags=tuple(map(str, _json(tags, []))),
        attributes=_json(attributes, {}),
        status=status,
        joined_at=joined,
        updated_at=updated,
        editions=tuple(sorted(json.loads(editions))),
        suppressed_at=suppressed.added_at if suppressed else None,
    )


def _json(text: str, empty: Any) -> Any:
    """Returns the JSON of a column; `empty` where it is damaged, so that the person can still unsubscribe."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return empty
    return found if isinstance(found, type(empty)) else empty

"""Reads subscribers: one by address or id, or all as a stream. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailer.audience.consent.suppression import is_suppressed_sql, suppression_of
from mailer.audience.segments import SUPPRESSED, Segment
from mailer.audience.values.address import Address, normalize_address

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Subscriber", "address_of", "find", "get", "list_subscribers", "status_or_suppressed"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Holds one person. `address` is None if the person was erased; times are UTC as the database keeps them.

    `suppressed_at` is the time from which the address is on the suppression list, or None.
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


def status_or_suppressed(person: Subscriber) -> str:
    """Returns a person's status, or `suppressed` if only the suppression list prevents mail to the person."""
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
    """Returns the person with this id, who may be erased, or None if there is no such person."""
    row = db.conn.execute(f"{_SELECT} WHERE s.id = ?", (subscriber_id,)).fetchone()
    return _subscriber_from_row(db, row) if row else None


def find(db: Database, address: str) -> Subscriber | None:
    """Returns the person with this address, in any spelling, or None.

    Raises AudienceError if the text is no address.
    """
    key = normalize_address(address).key
    row = db.conn.execute(f"{_SELECT} WHERE s.address_key = ?", (key,)).fetchone()
    return _subscriber_from_row(db, row) if row else None


def address_of(db: Database, subscriber_id: int) -> Address:
    """Returns a subscriber's address with its key and domain.

    The subscriber must exist and must not be erased.
    """
    return Address(*db.conn.execute(_ADDRESS, (subscriber_id,)).fetchone())


def list_subscribers(
    db: Database, *, status: str | None = None, edition: str | None = None, segment: Segment | None = None
) -> Iterator[Subscriber]:
    """Yields all people who match every given condition, in the order of their ids.

    Erased people are yielded only for the status `erased`. The status `suppressed` selects everybody on the
    suppression list; these people do not count as `active` or `pending`.
    """
    condition, params = _status_condition(status) if status else ("s.status <> 'erased'", [])
    where = [condition]
    if edition:
        where.append("EXISTS (SELECT 1 FROM subscriptions e WHERE e.edition = ? AND e.subscriber_id = s.id)")
        params.append(edition)
    if segment:
        condition, values = segment.sql()
        where.append(condition)
        params.extend(values)
    for row in db.conn.execute(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY s.id", params):
        yield _subscriber_from_row(db, row)


def _status_condition(status: str) -> tuple[str, list[object]]:
    if status == SUPPRESSED:
        return is_suppressed_sql("s"), []
    also = f" AND NOT {is_suppressed_sql('s')}" if status in ("active", "pending") else ""
    return f"s.status = ?{also}", [status]


def _subscriber_from_row(db: Database, row: tuple[Any, ...]) -> Subscriber:
    number, address, name, language, zone, tags, attributes, status, joined, updated, editions, key = row
    suppressed = suppression_of(db, key) if key is not None else None
    return Subscriber(
        id=number,
        address=address,
        name=name,
        language=language,
        timezone=zone,
        tags=tuple(map(str, _parse_json(tags, []))),
        attributes=_parse_json(attributes, {}),
        status=status,
        joined_at=joined,
        updated_at=updated,
        editions=tuple(sorted(json.loads(editions))),
        suppressed_at=suppressed.added_at if suppressed else None,
    )


def _parse_json(text: str, default: Any) -> Any:
    """Returns the value of a JSON column, or `default` if the text is damaged.

    A person with damaged data can therefore still unsubscribe.
    """
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return default
    return found if isinstance(found, type(default)) else default

"""Reads and writes the people of a batch of rows in a fixed number of SQL statements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mailer.audience import events
from mailer.audience.consent.record import record_consents
from mailer.audience.events import Event, EventKind
from mailer.audience.stable_ids import new_stable_ids

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "LEAVING_STATUSES",
    "SOURCE",
    "DEFAULT_REASON",
    "BatchPerson",
    "people_by_address_key",
    "write_people",
]

# Selects the people who have one of these keys.
_EXISTING = """
    SELECT s.id, s.address_key, s.name, s.language, s.timezone, s.tags, s.attributes, s.status
    FROM json_each(?) AS wanted CROSS JOIN subscribers s ON s.address_key = wanted.value
"""

# Selects the editions that these people read.
_READS = """
    SELECT x.subscriber_id, x.edition FROM json_each(?) AS wanted
    CROSS JOIN subscriptions x ON x.subscriber_id = wanted.value
"""

# Ids are assigned here, under the write lock, so that none is used twice.
_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = 'subscribers'"

_INSERT = """
    INSERT INTO subscribers (id, address, address_key, domain, name, language, timezone, tags, attributes,
                             status, joined_at, updated_at, stable_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_UPDATE = """
    UPDATE subscribers SET name = ?, language = ?, timezone = ?, tags = ?, attributes = ?, status = ?,
        updated_at = ?
    WHERE id = ?
"""

_SUBSCRIBE = """
    INSERT INTO subscriptions (edition, subscriber_id, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
"""

_JSON = json.JSONEncoder(ensure_ascii=False).encode
#: Statuses that end mail to a person, each with the kind of event that records it.
LEAVING_STATUSES: Mapping[str, EventKind] = {
    "unsubscribed": "unsubscribe",
    "bounced": "bounce",
    "complained": "complaint",
}
#: The source of events that an import records.
SOURCE = "import"
#: The reason of an event where the list gives none.
DEFAULT_REASON = "an imported list says so"


@dataclass(slots=True)
class BatchPerson:
    """Holds a person of a batch as the batch changes them; `changed` is true if it changes anything.

    `old_status` is the status before the batch. A new person has id 0 and no `old_status` before the person
    is written. `reads` has all editions that the person will read after the batch, and `new_editions` those
    that the batch adds. `left` has the editions that the person ever unsubscribed from. `consents` has the
    consents that the batch adds, as (UTC time, method, origin).
    """

    id: int
    address: str
    key: str
    domain: str
    name: str = ""
    language: str = ""
    timezone: str = ""
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    status: str = "active"
    joined: str = ""
    reads: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    changed: bool = False
    new_editions: list[str] = field(default_factory=list)
    consents: list[tuple[str, str, str]] = field(default_factory=list)
    old_status: str = ""


def people_by_address_key(db: Database, address_keys: list[str]) -> dict[str, BatchPerson]:
    """Returns the people who have one of these addresses, by address key."""
    people, by_id = {}, {}
    for number, key, name, language, timezone, tags, attributes, status in db.conn.execute(
        _EXISTING, (json.dumps(address_keys),)
    ):
        person = BatchPerson(number, "", key, "", name, language, timezone)
        person.tags, person.attributes, person.status = (
            tuple(json.loads(tags)),
            json.loads(attributes),
            status,
        )
        person.old_status = status
        people[key] = by_id[number] = person
    if by_id:
        ids = json.dumps(list(by_id))
        for number, edition in db.conn.execute(_READS, (ids,)):
            by_id[number].reads.add(edition)
        for number, edition in events.unsubscribed_editions(db, by_id):
            by_id[number].left.add(edition)
    return people


@lru_cache(maxsize=4096)
def _tags_json(tags: tuple[str, ...]) -> str:
    return _JSON(tags)


def write_people(db: Database, people: Iterable[BatchPerson], now: str) -> None:
    """Writes the changed people with their editions, consents and events. New people get an id.

    `now` is the UTC time of the changes.
    """
    last = db.conn.execute(_LAST_ID).fetchone()
    number = int(last[0]) if last else 0
    new, old, new_editions, consents = [], [], [], []
    recorded: list[Event] = []
    ids = new_stable_ids()
    for person in people:
        if not person.changed:
            continue
        tags = _tags_json(person.tags)
        attributes = _JSON(person.attributes) if person.attributes else "{}"
        values = (person.name, person.language, person.timezone, tags, attributes, person.status)
        if person.id:
            old.append((*values, now, person.id))
        else:
            number += 1
            person.id = number
            new.append(
                (number, person.address, person.key, person.domain, *values, person.joined, now, next(ids))
            )
        new_editions += [(edition, person.id, now) for edition in person.new_editions]
        consents += [(person.id, *consent) for consent in person.consents]
        recorded += _events_of_person(person, now)
    for statement, rows in (
        (_INSERT, new),
        (_UPDATE, old),
        (_SUBSCRIBE, sorted(new_editions)),
    ):
        if rows:
            db.conn.executemany(statement, rows)
    record_consents(db, consents)
    events.record(db, *recorded)


def _events_of_person(person: BatchPerson, now: str) -> Iterator[Event]:
    """Yields the events of what the batch changed for a person: new editions, or a status that ends mail."""
    for edition in person.new_editions if person.old_status else ():
        yield Event(now, "subscribe", person.id, SOURCE, edition=edition)
    if person.status != person.old_status and person.status in LEAVING_STATUSES:
        kind = LEAVING_STATUSES[person.status]
        words = "" if kind == "unsubscribe" else DEFAULT_REASON
        yield Event(now, kind, person.id, SOURCE, reason=words)

"""Reads and writes the table `events`, which records what happened to people. No other module uses the table.

Every change of whether a person may get mail is recorded as an event, in the transaction of the change. A new
person has an event only if a list adds them as unsubscribed, bounced or complained.

Rows are only added, and their ids grow in the order of the commits. A process that has read up to an id
therefore misses nothing if it asks for later ids. Only the column `reason` is ever changed: a reader may give
a reason later, and an erasure empties it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "Event",
    "HistoryEntry",
    "EventKind",
    "ReturnedMail",
    "add_reason_to_last_unsubscribe",
    "subscribers_last_bounced_in_campaign",
    "bounces_of",
    "redact_reasons",
    "unsubscribed_editions",
    "clear_reasons_of_person",
    "history_of",
    "record_ended_suppression",
    "last_bounce_time",
    "last_event_id",
    "people_with_events_since",
    "record",
    "people_with_returned_mail",
]

#: Kinds that end mail to a person, then kinds that may begin it again. With an edition, `unsubscribe` and
#: `subscribe` are about that edition alone. `suppress` has no person where the address is not a subscriber's.
#: `address` changes a person's address, but not whether they get mail.
EventKind = Literal[
    "unsubscribe",
    "bounce",
    "complaint",
    "suppress",
    "erase",
    "pending",
    "subscribe",
    "confirm",
    "restore",
    "address",
]


class Event(NamedTuple):
    """Holds one event. `at` is the UTC time as the database keeps it.

    `campaign` is the id of the campaign that caused the event, `reason` free text, and `source` says how the
    event became known (`cli`, `one-click`, `preferences`, `import`, `smtp`, …).
    """

    at: str
    kind: EventKind
    subscriber: int | None
    source: str
    campaign: int | None = None
    edition: str = ""
    reason: str = ""


class HistoryEntry(NamedTuple):
    """Holds one event of a person for display.

    `at` is the UTC time, and `campaign` is a slug. Values that are not known are "".
    """

    at: str
    what: EventKind
    edition: str
    campaign: str
    source: str
    reason: str


class ReturnedMail(NamedTuple):
    """Holds a person who bounced or complained, in an answer about one campaign.

    `person` is the subscriber id. `named` is true if one of the person's bounces or complaints names the
    campaign. `at` is the UTC time of the person's newest bounce or complaint that names no campaign, or "".
    """

    person: int
    named: bool
    at: str


# The reason of an erased person's event is left empty: it may hold the address.
_RECORD = """
    INSERT INTO events (at, kind, subscriber_id, source, campaign_id, edition, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6,
        CASE WHEN EXISTS (SELECT 1 FROM subscribers WHERE id = ?3 AND status = 'erased') THEN '' ELSE ?7 END)
"""

_ADD_REASON = """
    UPDATE events SET reason = ?
    WHERE reason = '' AND id = (
        SELECT max(id) FROM events
        WHERE subscriber_id = ? AND kind IN ('unsubscribe', 'complaint') AND edition = ?)
"""

# A reason that is there already is not repeated.
_ADD_WORDS = """
    UPDATE events SET reason = substr(reason || '; ' || ?1, 1, 2000)
    WHERE reason <> '' AND instr(reason, ?1) = 0 AND id = (
        SELECT max(id) FROM events
        WHERE subscriber_id = ?2 AND kind IN ('unsubscribe', 'complaint') AND edition = ?3)
"""

# Reasons that were added to a suppression stand on the list alone, so the event takes them when it ends.
_KEEP_SUPPRESSION = """
    UPDATE events SET reason = ?3 WHERE at >= ?2 AND id = (
        SELECT max(id) FROM events WHERE subscriber_id = ?1 AND kind = 'suppress')
"""

_HISTORY_OF = """
    SELECT e.at, e.kind, e.edition, e.campaign_id, e.source, e.reason FROM events AS e
    WHERE e.subscriber_id = ? ORDER BY e.at, e.id
"""

_FORGET = "UPDATE events SET reason = '' WHERE subscriber_id = ?"

_WORDS = "SELECT id, reason FROM events WHERE reason <> ''"

_REPLACE = "UPDATE events SET reason = ? WHERE id = ? AND reason = ?"

_LAST = "SELECT coalesce(max(id), 0) FROM events"

_SINCE = "SELECT DISTINCT subscriber_id FROM events WHERE id > ? AND id <= ? AND subscriber_id IS NOT NULL"

_LEFT = """
    SELECT e.subscriber_id, e.edition FROM json_each(?) AS wanted
    CROSS JOIN events e ON e.subscriber_id = wanted.value
    WHERE e.kind = 'unsubscribe' AND e.edition <> ''
"""

_BOUNCES_OF = """
    SELECT e.at, e.campaign_id, e.reason, e.source FROM events AS e
    WHERE e.subscriber_id = ? AND e.kind = 'bounce' ORDER BY e.at DESC, e.id DESC
"""

_LAST_BOUNCED = "SELECT coalesce(max(at), '') FROM events WHERE subscriber_id = ? AND kind = 'bounce'"

# Ordered by the time of the bounce, then by id: after a restart an earlier bounce may be recorded later.
_BOUNCES_IN = """
    SELECT DISTINCT b.subscriber_id FROM events AS b WHERE b.campaign_id = ?1 AND b.kind = 'bounce' AND ?1 = (
        SELECT e.campaign_id FROM events AS e WHERE e.subscriber_id = b.subscriber_id AND e.kind = 'bounce'
        ORDER BY e.at DESC, e.id DESC LIMIT 1)
    ORDER BY b.subscriber_id
"""

# Selects each person once. An imported list names no campaign.
_RETURNS_OF = """
    SELECT subscriber_id, max(campaign_id IS NOT NULL), max(CASE WHEN campaign_id IS NULL THEN at ELSE '' END)
    FROM events WHERE kind IN ('bounce', 'complaint') AND (campaign_id = ? OR campaign_id IS NULL)
        AND subscriber_id IS NOT NULL
    GROUP BY subscriber_id
"""


def record(db: Database, *events: Event) -> None:
    """Adds events in the given order.

    The caller must first begin a transaction, which also has the changes that the events record.
    """
    db.conn.executemany(_RECORD, events)


def add_reason_to_last_unsubscribe(
    db: Database, subscriber_id: int, edition: str, reason: str, *, append: bool = False
) -> None:
    """Adds a reason to a person's last unsubscribe or complaint, if that event has no reason yet.

    `edition` is the edition of the unsubscribe, or "" for all mail. If the event has a reason already, the
    new reason is appended with `append`, and otherwise ignored.
    """
    if append:
        db.conn.execute(_ADD_WORDS, (reason, subscriber_id, edition))
    db.conn.execute(_ADD_REASON, (reason, subscriber_id, edition))


def record_ended_suppression(db: Database, subscriber_id: int, began_at: str, reason: str) -> None:
    """Keeps the reason of a suppression that ends: records it in the event with which the suppression began.

    `began_at` is the UTC time at which the suppression began. If the person has no such event, one is added.
    """
    if not db.conn.execute(_KEEP_SUPPRESSION, (subscriber_id, began_at, reason)).rowcount:
        record(db, Event(began_at, "suppress", subscriber_id, "", reason=reason))


def clear_reasons_of_person(db: Database, subscriber_id: int) -> None:
    """Empties the reasons of all events of a person."""
    db.conn.execute(_FORGET, (subscriber_id,))


def history_of(
    db: Database, subscriber_id: int, slugs_by_id: Mapping[int, str] = MappingProxyType({})
) -> tuple[HistoryEntry, ...]:
    """Returns every event of a person, oldest first.

    `slugs_by_id` maps campaign ids to slugs. A campaign that is not in the mapping gets the slug "".
    """
    rows = db.conn.execute(_HISTORY_OF, (subscriber_id,))
    return tuple(
        HistoryEntry(at, kind, edition, slugs_by_id.get(campaign, ""), source, reason)
        for at, kind, edition, campaign, source, reason in rows
    )


def redact_reasons(db: Database, redact: Callable[[str], str]) -> None:
    """Replaces the reason of every event by the result of `redact`, which removes an address."""
    changes = [
        (after, number, before)
        for number, before in db.conn.execute(_WORDS)
        if (after := redact(before)) != before
    ]
    if changes:
        with writing(db):
            db.conn.executemany(_REPLACE, changes)


def last_event_id(db: Database) -> int:
    """Returns the id of the newest event, or 0 if there is no event."""
    return int(db.conn.execute(_LAST).fetchone()[0])


def people_with_events_since(db: Database, event_id: int) -> tuple[frozenset[int], int]:
    """Returns the ids of subscribers with an event newer than `event_id`, and the id of the newest event."""
    newest = last_event_id(db)
    if newest == event_id:
        return frozenset(), event_id
    return frozenset(row[0] for row in db.conn.execute(_SINCE, (event_id, newest))), newest


def unsubscribed_editions(db: Database, subscriber_ids: Iterable[int]) -> list[tuple[int, str]]:
    """Returns (subscriber id, edition) for every edition that one of these people ever unsubscribed from.

    An unsubscribe from all mail does not count.
    """
    return db.conn.execute(_LEFT, (json.dumps(list(subscriber_ids)),)).fetchall()


def bounces_of(
    db: Database, subscriber_id: int, slugs_by_id: Mapping[int, str] = MappingProxyType({})
) -> list[tuple[str, str, str, str]]:
    """Returns (UTC time, campaign's slug, server's answer, source) of each bounce of a person, newest first.

    `slugs_by_id` maps campaign ids to slugs. A campaign that is not in the mapping gets the slug "".
    """
    rows = db.conn.execute(_BOUNCES_OF, (subscriber_id,)).fetchall()
    return [(at, slugs_by_id.get(campaign, ""), words, source) for at, campaign, words, source in rows]


def last_bounce_time(db: Database, subscriber_id: int) -> str:
    """Returns the UTC time of a person's last bounce, or "" if the person never bounced."""
    return str(db.conn.execute(_LAST_BOUNCED, (subscriber_id,)).fetchone()[0])


def subscribers_last_bounced_in_campaign(db: Database, campaign_id: int) -> list[int]:
    """Returns the subscriber ids of the people whose last bounce was caused by this campaign."""
    return [row[0] for row in db.conn.execute(_BOUNCES_IN, (campaign_id,))]


def people_with_returned_mail(db: Database, campaign_id: int) -> Iterator[ReturnedMail]:
    """Yields everybody with a bounce or a complaint that names this campaign or names no campaign."""
    for person, named, at in db.conn.execute(_RETURNS_OF, (campaign_id,)):
        yield ReturnedMail(person, bool(named), at)

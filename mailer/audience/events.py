"""Records what happened to people. The only module that reads or writes the table `events`.

Every change of whether a known person may be written to is an event, in both directions, in the transaction
of the change. A new person has an event only where a list adds them as unsubscribed, bounced or complained.

Rows are only ever added, and their ids grow in the order of the commits. A process that has read up to an id
therefore misses nothing by asking for later ids. In a row only `reason` ever changes: readers may give one
later, and an erasure empties it.
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
    "Kind",
    "ReturnedMail",
    "add_reason",
    "bounces_in",
    "bounces_of",
    "clear_reasons",
    "editions_left",
    "forget_reasons",
    "history_of",
    "record_ended_suppression",
    "last_bounced",
    "last_event",
    "people_since",
    "record",
    "returned_mail_of",
]

#: Kinds that end mail to a person, then kinds that may begin it again. With an edition, `unsubscribe` and
#: `subscribe` are about that edition alone. `suppress` has no person where the address is not a subscriber's.
#: `address` changes a person's address, but not whether they get mail.
Kind = Literal[
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
    """Holds one event, with its time in UTC as the database keeps it.

    `campaign` is the id of the campaign that caused it, `reason` free text, and `source` how it became known
    (`cli`, `one-click`, `preferences`, `import`, `smtp`, …).
    """

    at: str
    kind: Kind
    subscriber: int | None
    source: str
    campaign: int | None = None
    edition: str = ""
    reason: str = ""


class HistoryEntry(NamedTuple):
    """Holds one event of a person for display. `at` is UTC, `campaign` a slug; unknown values are empty."""

    at: str
    what: Kind
    edition: str
    campaign: str
    source: str
    reason: str


class ReturnedMail(NamedTuple):
    """Holds a person who bounced or complained.

    `named` is true where an event names the campaign; `at` is the time (UTC) of the newest event without a
    campaign, or empty.
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
    """Adds events, in their order. To be called in the transaction of the changes that they record."""
    db.conn.executemany(_RECORD, events)


def add_reason(db: Database, subscriber_id: int, edition: str, reason: str, *, further: bool = False) -> None:
    """Adds a reason to a person's last unsubscribe from `edition` ("": all) or complaint, if it has none.

    With `further`, the reason is also appended to an existing one.
    """
    if further:
        db.conn.execute(_ADD_WORDS, (reason, subscriber_id, edition))
    db.conn.execute(_ADD_REASON, (reason, subscriber_id, edition))


def record_ended_suppression(db: Database, subscriber_id: int, at: str, reason: str) -> None:
    """Copies the whole reason of a suppression that ends into an event of this person.

    `at` (UTC) is when the suppression began.
    """
    if not db.conn.execute(_KEEP_SUPPRESSION, (subscriber_id, at, reason)).rowcount:
        record(db, Event(at, "suppress", subscriber_id, "", reason=reason))


def forget_reasons(db: Database, subscriber_id: int) -> None:
    """Empties the reason of every event of this person."""
    db.conn.execute(_FORGET, (subscriber_id,))


def history_of(
    db: Database, subscriber_id: int, slugs: Mapping[int, str] = MappingProxyType({})
) -> tuple[HistoryEntry, ...]:
    """Returns every event of this person, oldest first.

    `slugs` names campaigns by their ids; the slug of another is empty.
    """
    rows = db.conn.execute(_HISTORY_OF, (subscriber_id,))
    return tuple(
        HistoryEntry(at, kind, edition, slugs.get(campaign, ""), source, reason)
        for at, kind, edition, campaign, source, reason in rows
    )


def clear_reasons(db: Database, cleared: Callable[[str], str]) -> None:
    """Replaces the reason of each event by what `cleared` returns for it, to remove an address."""
    changes = [
        (after, number, before)
        for number, before in db.conn.execute(_WORDS)
        if (after := cleared(before)) != before
    ]
    if changes:
        with writing(db):
            db.conn.executemany(_REPLACE, changes)


def last_event(db: Database) -> int:
    """Returns the id of the newest event, 0 where there is none."""
    return int(db.conn.execute(_LAST).fetchone()[0])


def people_since(db: Database, event: int) -> tuple[frozenset[int], int]:
    """Returns the ids of subscribers with an event after this event id, and the id of the newest event."""
    newest = last_event(db)
    if newest == event:
        return frozenset(), event
    return frozenset(row[0] for row in db.conn.execute(_SINCE, (event, newest))), newest


def editions_left(db: Database, subscriber_ids: Iterable[int]) -> list[tuple[int, str]]:
    """Returns (subscriber id, edition) for each single edition that one of these people ever left."""
    return db.conn.execute(_LEFT, (json.dumps(list(subscriber_ids)),)).fetchall()


def bounces_of(
    db: Database, subscriber_id: int, slugs: Mapping[int, str] = MappingProxyType({})
) -> list[tuple[str, str, str, str]]:
    """Returns (time, slug of the campaign, words, source) of each bounce of this person, newest first.

    `slugs` names campaigns by their ids; the slug of another is empty.
    """
    rows = db.conn.execute(_BOUNCES_OF, (subscriber_id,)).fetchall()
    return [(at, slugs.get(campaign, ""), words, source) for at, campaign, words, source in rows]


def last_bounced(db: Database, subscriber_id: int) -> str:
    """Returns when this person last bounced (UTC), or ""."""
    return str(db.conn.execute(_LAST_BOUNCED, (subscriber_id,)).fetchone()[0])


def bounces_in(db: Database, campaign_id: int) -> list[int]:
    """Returns the ids of the people whose last bounce was of this campaign."""
    return [row[0] for row in db.conn.execute(_BOUNCES_IN, (campaign_id,))]


def returned_mail_of(db: Database, campaign_id: int) -> Iterator[ReturnedMail]:
    """Yields everybody who bounced or complained of this campaign, or of one that is not named."""
    for person, named, at in db.conn.execute(_RETURNS_OF, (campaign_id,)):
        yield ReturnedMail(person, bool(named), at)

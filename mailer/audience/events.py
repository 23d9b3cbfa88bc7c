"""What happened to people: the one reader and writer of the table `events`.

Rows are only ever added, and their numbers grow in the order of the commits. Whoever has read up to a number
therefore misses nothing by asking for what came after it.
"""

from __future__ import annotations

from sqlite_utils import Database

__all__ = ["last_event", "people_since"]

_LAST = "SELECT coalesce(max(id), 0) FROM events"

# Everybody to whom anything happened after an event, with the number of the newest.
_SINCE = "SELECT DISTINCT subscriber_id FROM events WHERE id > ? AND id <= ? AND subscriber_id IS NOT NULL"


def last_event(db: Database) -> int:
    """The number of the newest event, 0 where there is none."""
    return int(db.conn.execute(_LAST).fetchone()[0])


def people_since(db: Database, event: int) -> tuple[frozenset[int], int]:
    """The ids of the subscribers with an event after that number, and the number of the newest event."""
    newest = last_event(db)
    if newest == event:
        return frozenset(), event
    return frozenset(row[0] for row in db.conn.execute(_SINCE, (event, newest))), newest

"""Deliveries that wait in the spool for the turn of their domain; a claim for others does not meet them.

Parked is pending with a due time in the future: the index of what is open skips it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from mailer.campaign.times import NEVER
from mailer.spool.sqlite.deliveries import Spool
from mailer.store.database import utc_now, utc_text, writing

__all__ = ["next_turn", "park", "unpark"]


def park(spool: Spool, deliveries: Iterable[tuple[int, int, float]]) -> None:
    """Gives back (subscriber id, attempt, turn) that were claimed too early; a turn is seconds since 1970."""
    values = [(who, attempt, _text(turn)) for who, attempt, turn in deliveries]
    with writing(spool.database) as db:
        db.conn.execute(
            # Never handed over, and not to be claimed before its turn. Without the index SQLite goes through
            # the whole campaign for each of them.
            "UPDATE deliveries INDEXED BY deliveries_subscriber "
            "SET state = 'pending', claimed_at = NULL, due_at = o.value ->> 2 FROM json_each(?) AS o "
            "WHERE campaign_id = ? AND subscriber_id = o.value ->> 0 "
            "AND attempt = o.value ->> 1 AND deliveries.state = 'sending'",
            [json.dumps(values), spool.campaign.id],
        )


def unpark(spool: Spool) -> None:
    """Whoever is parked may be claimed: a new run finds out anew whose turn it is. `NEVER` stays."""
    if spool.campaign.local_time:
        return  # these times are the readers' own
    with writing(spool.database) as db:
        db.conn.execute(
            "UPDATE deliveries SET due_at = '' WHERE campaign_id = ? "
            "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
            "AND due_at > ? AND due_at < ?",
            [spool.campaign.id, utc_now(), NEVER],
        )


def next_turn(spool: Spool) -> float | None:
    """When the first parked delivery may be claimed (seconds since 1970), or None."""
    row = spool.database.conn.execute(
        "SELECT min(due_at) FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = ? "
        "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
        "AND due_at < ?",
        [spool.campaign.id, NEVER],
    ).fetchone()
    if row[0] is None:
        return None
    return datetime.fromisoformat(row[0]).timestamp() if row[0] else 0.0


def _text(turn: float) -> str:
    return utc_text(datetime.fromtimestamp(turn, UTC))

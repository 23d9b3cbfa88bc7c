"""Sets and reads the times at which deliveries may be claimed, on SQLite: schedule, rate limits and retries.

`due_at` is NULL where a delivery may be claimed at once, and else the time (UTC) from which it may. `held` is
1 where only a decision makes it claimable; then `due_at` is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from mailer.clock import utc_now, utc_text
from mailer.spool.sqlite.part import BY_PERSON, CLAIMED, OPEN, Part
from mailer.spool.values import Parked
from mailer.store.database import writing

__all__ = ["Times"]

_PENDING = f"campaign_id = :campaign AND {OPEN} AND state = 'pending'"
_DEFERRED = f"campaign_id = :campaign AND {OPEN} AND state = 'deferred'"

#: Never handed over, and not to be claimed before its turn.
_PARK = f"""
    UPDATE deliveries {BY_PERSON} SET state = 'pending', claimed_at = NULL, due_at = o.value ->> 2
    FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND {CLAIMED}
"""

#: A new run finds out anew whose turn it is.
_UNPARK = f"UPDATE deliveries SET due_at = NULL WHERE {_PENDING} AND held = 0 AND due_at > :now"

_HOLD_MISSED = f"""
    UPDATE deliveries SET held = 1, due_at = NULL
    WHERE {_PENDING} AND held = 0 AND deferred_since = '' AND (due_at IS NULL OR due_at < :before)
"""

_SEND_NOW = f"""
    UPDATE deliveries SET held = 0, due_at = NULL
    WHERE {_PENDING} AND (held = 1 OR (:everybody AND due_at IS NOT NULL))
"""

_RELEASE_HELD = f"UPDATE deliveries SET held = 0, due_at = NULL WHERE {_PENDING} AND held = 1"

_MAKE_ALL_DUE = f"UPDATE deliveries SET held = 0, due_at = NULL WHERE {_DEFERRED}"

_MAKE_DUE = f"UPDATE deliveries SET due_at = NULL WHERE {_DEFERRED} AND held = 0 AND due_at > :after"

#: Given up, with the last words of the server. The cause is `them`, so that the reader is not blamed.
_EXPIRE = f"""
    UPDATE deliveries SET state = 'rejected', cause = 'them', due_at = NULL, held = 0, settled_at = :now
    WHERE {_DEFERRED} AND deferred_since > '' AND deferred_since < :before
"""

_OVERDUE = f"""
    SELECT count(*) FROM deliveries INDEXED BY deliveries_open
    WHERE {_PENDING} AND (held = 1 OR due_at IS NULL OR due_at <= :now)
"""

_LAST_SIGN = """
    SELECT max(max(coalesce(claimed_at, ''), coalesce(settled_at, ''))) FROM deliveries
    WHERE campaign_id = :campaign
"""


class Times(Part):
    """Sets and reads the due times of a campaign's deliveries."""

    def park(self, claims: Iterable[Parked]) -> None:
        """Makes claims pending again with a due time. The index of open deliveries skips them until then."""
        rows = [
            (person, attempt, utc_text(datetime.fromtimestamp(turn, UTC))) for person, attempt, turn in claims
        ]
        self._change(_PARK, rows=json.dumps(rows), owner=self.owner)

    def unpark(self) -> None:
        """Makes parked deliveries due at once. Due times of the schedule stay."""
        if not self.campaign.local_time:
            self._change(_UNPARK, now=utc_now())

    def next_turn(self) -> float | None:
        """Returns when the first pending delivery may be claimed (seconds since 1970), or None."""
        row = self._first(f"{_PENDING} AND held = 0")
        if row is None:
            return None
        return datetime.fromisoformat(row[0]).timestamp() if row[0] else 0.0

    def next_due(self, *, only: int | None = None) -> str | None:
        """Returns when the next deferred delivery is due (UTC), or None; with `only`, this person's."""
        mine = "" if only is None else f" AND subscriber_id = {only:d}"
        row = self._first(f"{_DEFERRED} AND held = 0{mine}")
        return None if row is None else row[0] or utc_now()

    def next_try(self) -> str | None:
        """Returns the same as `next_due`, also for deferred deliveries that were claimed and released."""
        again = self._first(f"{_PENDING} AND held = 0 AND deferred_since > ''")
        due = [found for found in (self.next_due(), again and (again[0] or utc_now())) if found]
        return min(due, default=None)

    def next_slot(self) -> str | None:
        """Returns the earliest scheduled due time (UTC) among deliveries that were never tried, or None."""
        if not self.campaign.local_time:
            return None
        row = self._first(f"{_PENDING} AND held = 0 AND due_at IS NOT NULL")
        return None if row is None else row[0]

    def _first(self, which: str) -> tuple[str | None] | None:
        """Returns a row with the earliest due time of the deliveries that match `which`; None in the row
        means at once."""
        row: tuple[str | None] | None = self._db.conn.execute(
            f"SELECT due_at FROM deliveries INDEXED BY deliveries_open WHERE {which} ORDER BY due_at LIMIT 1",
            {"campaign": self.campaign.id},
        ).fetchone()
        return row

    def hold_missed(self, before: str) -> int:
        """Holds untried deliveries whose scheduled time was before `before` (UTC). Returns how many."""
        return self._change(_HOLD_MISSED, before=before)

    def send_now(self, *, everybody: bool) -> None:
        """Makes held deliveries due at once; with `everybody`, also those that are due later."""
        self._change(_SEND_NOW, everybody=everybody)

    def release_held(self) -> None:
        """Makes all pending deliveries that are held due at once."""
        self._change(_RELEASE_HELD)

    def make_due(self, *, after: str | None = None) -> None:
        """Makes deferred deliveries due now, because the operator asks for it or the clock was wrong.

        With `after` (UTC), only deliveries that are due later than that and are not held. Earlier versions
        held those that they had given up.
        """
        if after is None:
            self._change(_MAKE_ALL_DUE)
        else:
            self._change(_MAKE_DUE, after=after)

    def expire(self, before: str) -> int:
        """Rejects deliveries that have been deferred since before that time (UTC). Returns how many."""
        return self._change(_EXPIRE, now=utc_now(), before=before)

    def overdue(self, now: str) -> int:
        """Returns how many pending deliveries, held ones included, are past their due time at `now` (UTC)."""
        number: int = self._db.conn.execute(_OVERDUE, {"campaign": self.campaign.id, "now": now}).fetchone()[
            0
        ]
        return number

    def last_sign(self) -> str:
        """Returns when a run last claimed or settled a delivery (UTC); empty where none ever did."""
        row = self._db.conn.execute(_LAST_SIGN, {"campaign": self.campaign.id}).fetchone()
        return row[0] or ""

    def _change(self, sql: str, **values: object) -> int:
        with writing(self._db) as db:
            return db.conn.execute(sql, {"campaign": self.campaign.id, **values}).rowcount

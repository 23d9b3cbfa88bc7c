"""When deliveries may be claimed, on SQLite: their own times, their turn of a pace, the next try.

`due_at` is NULL where a delivery may be claimed at once, and else the time (UTC) from which it may. `held` is
1 where only a decision makes it claimable; then `due_at` says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from mailer.spool.sqlite.part import BY_PERSON, CLAIMED, OPEN, Part
from mailer.spool.values import Parked
from mailer.store.database import utc_now, utc_text, writing

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
    """The times of a campaign's deliveries."""

    def park(self, claims: Iterable[Parked]) -> None:
        """Gives back claims until their turn; the index of what is open skips them until then."""
        rows = [
            (person, attempt, utc_text(datetime.fromtimestamp(turn, UTC))) for person, attempt, turn in claims
        ]
        self._change(_PARK, rows=json.dumps(rows), owner=self.owner)

    def unpark(self) -> None:
        """Makes what was parked due at once. Readers' own times stay."""
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
        """Returns the same, counting also what was deferred, claimed, and given back."""
        deferred = self._first(f"{_DEFERRED} AND held = 0")
        again = self._first(f"{_PENDING} AND held = 0 AND deferred_since > ''")
        due = [found[0] or "" for found in (deferred, again) if found is not None]
        return min(due) or utc_now() if due else None

    def next_slot(self) -> str | None:
        """Returns the next reader's own time that nobody has tried yet (UTC), or None."""
        if not self.campaign.local_time:
            return None
        row = self._first(f"{_PENDING} AND held = 0 AND due_at IS NOT NULL")
        return None if row is None else row[0]

    def _first(self, which: str) -> tuple[str | None] | None:
        """Returns the earliest due time of such deliveries; None in it means at once."""
        row: tuple[str | None] | None = self._db.conn.execute(
            f"SELECT due_at FROM deliveries INDEXED BY deliveries_open WHERE {which} ORDER BY due_at LIMIT 1",
            {"campaign": self.campaign.id},
        ).fetchone()
        return row

    def hold_missed(self, before: str) -> int:
        """Holds readers whose own time was before this one (UTC) and who were not tried. Returns how many."""
        return self._change(_HOLD_MISSED, before=before)

    def send_now(self, *, everybody: bool) -> None:
        """Makes what is held due at once; with `everybody`, later times too."""
        self._change(_SEND_NOW, everybody=everybody)

    def release_held(self) -> None:
        """Makes due at once whoever is pending and held."""
        self._change(_RELEASE_HELD)

    def make_due(self, *, after: str | None = None) -> None:
        """Makes deferred deliveries due now: the operator asks for it, or the clock went wrong.

        With `after` (UTC), those alone that wait for a later time than that, and not those that an earlier
        version gave up: these are held.
        """
        if after is None:
            self._change(_MAKE_ALL_DUE)
        else:
            self._change(_MAKE_DUE, after=after)

    def expire(self, before: str) -> int:
        """Rejects what has been deferred since before that time (UTC). Returns how many."""
        return self._change(_EXPIRE, now=utc_now(), before=before)

    def overdue(self, now: str) -> int:
        """Returns how many are pending though their time (UTC) has come, those held included."""
        number: int = self._db.conn.execute(_OVERDUE, {"campaign": self.campaign.id, "now": now}).fetchone()[
            0
        ]
        return number

    def last_sign(self) -> str:
        """Returns when a run last claimed or settled anything (UTC); empty where none ever did."""
        row = self._db.conn.execute(_LAST_SIGN, {"campaign": self.campaign.id}).fetchone()
        return row[0] or ""

    def _change(self, sql: str, **values: object) -> int:
        with writing(self._db) as db:
            return db.conn.execute(sql, {"campaign": self.campaign.id, **values}).rowcount

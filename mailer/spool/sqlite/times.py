"""Sets and reads the times at which deliveries may be claimed: schedule, rate limits and retries.

`due_at` is NULL if a delivery may be claimed at once, and else the time (UTC) from which it may be claimed.
`held` is 1 if a delivery cannot be claimed until it is released; then `due_at` is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from mailer.clock import utc_now, utc_text
from mailer.spool.sqlite.part import BY_PERSON, CLAIMED, OPEN, SpoolPart
from mailer.spool.values import ParkedClaim
from mailer.store.database import writing

__all__ = ["DueTimes"]

_PENDING = f"campaign_id = :campaign AND {OPEN} AND state = 'pending'"
_DEFERRED = f"campaign_id = :campaign AND {OPEN} AND state = 'deferred'"

#: Makes a claim pending again, which was not handed over and may not be claimed before its due time.
_PARK = f"""
    UPDATE deliveries {BY_PERSON} SET state = 'pending', claimed_at = NULL, due_at = o.value ->> 2
    FROM json_each(:rows) AS o WHERE campaign_id = :campaign AND {CLAIMED}
"""

#: Makes parked deliveries due, because a new run computes the pace again.
_UNPARK = f"UPDATE deliveries SET due_at = NULL WHERE {_PENDING} AND held = 0 AND due_at > :now"

_HOLD_MISSED = f"""
    UPDATE deliveries SET held = 1, due_at = NULL
    WHERE {_PENDING} AND held = 0 AND deferred_since = '' AND (due_at IS NULL OR due_at < :before)
"""

_SEND_NOW = f"""
    UPDATE deliveries SET held = 0, due_at = NULL
    WHERE {_PENDING} AND (held = 1 OR (:include_scheduled AND due_at IS NOT NULL))
"""

_RELEASE_HELD = f"UPDATE deliveries SET held = 0, due_at = NULL WHERE {_PENDING} AND held = 1"

_MAKE_ALL_DUE = f"UPDATE deliveries SET held = 0, due_at = NULL WHERE {_DEFERRED}"

_MAKE_DUE = f"UPDATE deliveries SET due_at = NULL WHERE {_DEFERRED} AND held = 0 AND due_at > :after"

#: Rejects with the server's last reply. The cause is `them`, so that it does not count as a bounce.
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


class DueTimes(SpoolPart):
    """Sets and reads the due times of a campaign's deliveries."""

    def park(self, claims: Iterable[ParkedClaim]) -> None:
        """Makes claimed deliveries pending again, each with a due time before which it cannot be claimed."""
        rows = [
            (person, attempt, utc_text(datetime.fromtimestamp(until, UTC)))
            for person, attempt, until in claims
        ]
        self._update_deliveries(_PARK, rows=json.dumps(rows), owner=self.owner)

    def make_parked_deliveries_due(self) -> None:
        """Makes parked deliveries due at once; they were waiting for a rate limit.

        Does nothing if the campaign is sent at each reader's own local time.
        """
        if not self.campaign.local_time:
            self._update_deliveries(_UNPARK, now=utc_now())

    def first_pending_due_time(self) -> float | None:
        """Returns the earliest due time of the pending deliveries (seconds since 1970).

        A delivery that is due at once counts as 0.0. Returns None if no delivery is pending.
        """
        row = self._earliest_due_time_row(f"{_PENDING} AND held = 0")
        if row is None:
            return None
        return datetime.fromisoformat(row[0]).timestamp() if row[0] else 0.0

    def next_deferred_due_time(self, *, only_person: int | None = None) -> str | None:
        """Returns the earliest due time (UTC) of the deferred deliveries; None if there are none.

        With `only_person`, only the delivery to this subscriber id counts.
        """
        mine = "" if only_person is None else f" AND subscriber_id = {only_person:d}"
        row = self._earliest_due_time_row(f"{_DEFERRED} AND held = 0{mine}")
        return None if row is None else row[0] or utc_now()

    def next_retry_time(self) -> str | None:
        """Returns the earliest due time (UTC) of deliveries that were ever deferred; None if there are none.

        These are the deferred deliveries, and those that a run has claimed again and released.
        """
        deferred = self._earliest_due_time_row(f"{_DEFERRED} AND held = 0")
        again = self._earliest_due_time_row(f"{_PENDING} AND held = 0 AND deferred_since > ''")
        due = [found[0] or "" for found in (deferred, again) if found is not None]
        return min(due) or utc_now() if due else None

    def next_scheduled_time(self) -> str | None:
        """Returns the earliest due time (UTC) of the pending deliveries of a campaign that is sent at each
        reader's own local time. Returns None for other campaigns, or if no delivery has a due time."""
        if not self.campaign.local_time:
            return None
        row = self._earliest_due_time_row(f"{_PENDING} AND held = 0 AND due_at IS NOT NULL")
        return None if row is None else row[0]

    def _earliest_due_time_row(self, condition: str) -> tuple[str | None] | None:
        """Returns a row with the earliest due time of the deliveries that match this SQL condition.

        None in the row means that a delivery is due at once. Returns None if no delivery matches.
        """
        row: tuple[str | None] | None = self._db.conn.execute(
            f"SELECT due_at FROM deliveries INDEXED BY deliveries_open WHERE {condition} "
            "ORDER BY due_at LIMIT 1",
            {"campaign": self.campaign.id},
        ).fetchone()
        return row

    def hold_missed_deliveries(self, due_before: str) -> int:
        """Holds pending deliveries that were never deferred and were due before this time (UTC) or at once.

        Returns their number.
        """
        return self._update_deliveries(_HOLD_MISSED, before=due_before)

    def release_waiting_deliveries(self, *, include_scheduled: bool) -> None:
        """Makes held deliveries due at once.

        If `include_scheduled` is True, pending deliveries with a later due time become due at once too.
        """
        self._update_deliveries(_SEND_NOW, include_scheduled=include_scheduled)

    def release_held_deliveries(self) -> None:
        """Releases all held deliveries: they become due at once."""
        self._update_deliveries(_RELEASE_HELD)

    def make_deferred_deliveries_due(self, *, due_after: str | None = None) -> None:
        """Makes deferred deliveries due at once: all if `due_after` is None, and else those that are not held
        and whose due time is after `due_after` (UTC).

        Deferred deliveries are held only in campaigns of versions before 0.6, which held the deliveries that
        they had given up.
        """
        if due_after is None:
            self._update_deliveries(_MAKE_ALL_DUE)
        else:
            self._update_deliveries(_MAKE_DUE, after=due_after)

    def reject_expired_deliveries(self, deferred_before: str) -> int:
        """Rejects deliveries that have been deferred since before this time (UTC). Returns their number."""
        return self._update_deliveries(_EXPIRE, now=utc_now(), before=deferred_before)

    def count_overdue_deliveries(self, now: str) -> int:
        """Returns how many pending deliveries are held, or due at `now` (UTC)."""
        number: int = self._db.conn.execute(_OVERDUE, {"campaign": self.campaign.id, "now": now}).fetchone()[
            0
        ]
        return number

    def last_activity_time(self) -> str:
        """Returns when a run last claimed or settled a delivery (UTC); empty if none ever did."""
        row = self._db.conn.execute(_LAST_SIGN, {"campaign": self.campaign.id}).fetchone()
        return row[0] or ""

    def _update_deliveries(self, sql: str, **values: object) -> int:
        with writing(self._db) as db:
            return db.conn.execute(sql, {"campaign": self.campaign.id, **values}).rowcount

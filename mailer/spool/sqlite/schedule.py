"""When deliveries are due: a campaign's own time, or each reader's morning; and what missed its time.

Two columns tell it: `campaigns.due_at` is when somebody has to look at a campaign next, `deliveries.due_at`
from when a claim may take a reader. What missed its time keeps its state and waits at `HELD` for the
operator. Nothing here sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from mailer.campaign.times import NEVER
from mailer.spool.sqlite.campaigns import Campaign, campaigns
from mailer.spool.sqlite.deliveries import Spool
from mailer.store.database import utc_text, writing

__all__ = [
    "HELD",
    "due_campaigns",
    "goes_on_by_itself",
    "held_number",
    "hold_missed",
    "last_sign",
    "next_slot",
    "overdue_number",
    "readers_by_zone",
    "schedule_again",
    "send_now",
    "set_due",
]

#: Where a reader waits for the operator's word: no run reaches this time.
HELD = NEVER
#: No limit and no deferred mail keeps a campaign waiting for longer: a day, which may have an hour more.
_LATEST_WAIT = timedelta(hours=26)


def due_campaigns(db: Database, now: str) -> list[Campaign]:
    """Scheduled campaigns whose time has come, also those that a dead process left half-way; oldest first.

    Then those that may go on by themselves by now.
    """
    everything = campaigns(db)
    waiting = [c for c in everything if c.status in ("scheduled", "sending") and "" < c.due_at <= now]
    going_on = [c for c in everything if goes_on_by_itself(c, now)]
    return [
        *sorted(waiting, key=lambda campaign: (campaign.due_at, campaign.id)),
        *sorted(going_on, key=lambda campaign: (campaign.held_until, campaign.id)),
    ]


def goes_on_by_itself(campaign: Campaign, now: str) -> bool:
    """Whether a campaign was held after its first few, or stopped for a limit or for deferred mail, and that
    time is over; for the latter two also where only a wrong clock can have set it so late.
    """
    if campaign.status not in ("held", "stopped") or not campaign.held_until:
        return False
    latest = utc_text(datetime.fromisoformat(now) + _LATEST_WAIT)
    return campaign.held_until <= now or (campaign.status == "stopped" and campaign.held_until > latest)


def readers_by_zone(db: Database, recipients: tuple[str, Sequence[Any]]) -> dict[str, int]:
    """How many recipients (SQL that selects their `subscriber_id`) live in each time zone, as written."""
    sql, parameters = recipients
    return dict(
        db.conn.execute(
            "SELECT s.timezone, count(*) "
            f"FROM ({sql}) AS a JOIN subscribers AS s ON s.id = a.subscriber_id GROUP BY s.timezone",
            parameters,
        ).fetchall()
    )


def next_slot(spool: Spool) -> str | None:
    """When the next reader's own time is that nobody has tried yet (UTC), or None. What is held has none."""
    if not spool.campaign.local_time:
        return None
    row = spool.database.conn.execute(
        "SELECT min(due_at) FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = ? "
        "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
        "AND due_at > '' AND due_at < ?",
        [spool.campaign.id, HELD],
    ).fetchone()
    found: str | None = row[0]
    return found


def overdue_number(spool: Spool, now: str) -> int:
    """How many are pending though their time has come, those held included."""
    number: int = spool.database.conn.execute(
        "SELECT count(*) FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = ? "
        "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
        "AND (due_at <= ? OR due_at = ?)",
        [spool.campaign.id, now, HELD],
    ).fetchone()[0]
    return number


def held_number(spool: Spool) -> int:
    """How many missed a time of their own and wait for the operator."""
    if not spool.campaign.local_time:
        return 0
    number: int = spool.database.conn.execute(
        "SELECT count(*) FROM deliveries INDEXED BY deliveries_open WHERE campaign_id = ? "
        "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' AND due_at = ?",
        [spool.campaign.id, HELD],
    ).fetchone()[0]
    return number


def hold_missed(spool: Spool, before: str) -> int:
    """Holds readers whose own time was before this one (UTC) and who were not tried yet. Gives how many."""
    with writing(spool.database) as db:
        return db.conn.execute(
            "UPDATE deliveries SET due_at = ? WHERE campaign_id = ? "
            "AND state IN ('pending', 'sending', 'deferred', 'uncertain') "
            "AND state = 'pending' AND deferred_since = '' AND due_at < ?",
            [HELD, spool.campaign.id, before],
        ).rowcount


def send_now(spool: Spool, *, everybody: bool) -> None:
    """What is held is due at once, because the operator asks for it; with `everybody`, later slots too."""
    with writing(spool.database) as db:
        db.conn.execute(
            "UPDATE deliveries SET due_at = '' WHERE campaign_id = ? "
            "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
            "AND due_at > '' AND (? OR due_at = ?)",
            [spool.campaign.id, everybody, HELD],
        )


def last_sign(spool: Spool) -> str:
    """When a process last did anything for this campaign (UTC); empty where none ever did."""
    row = spool.database.conn.execute(
        "SELECT max(max(coalesce(claimed_at, ''), coalesce(settled_at, ''))) FROM deliveries "
        "WHERE campaign_id = ?",
        [spool.campaign.id],
    ).fetchone()
    return row[0] or ""


def schedule_again(spool: Spool, due_at: str, note: str = "", *, only_from: Sequence[str]) -> bool:
    """The campaign waits (again) for `due_at` (UTC); whether it was in one of these statuses."""
    with writing(spool.database):
        if not spool.set_status("scheduled", note, only_from=only_from):
            return False
        set_due(spool, due_at)
    return True


def set_due(spool: Spool, due_at: str, local_time: str | None = None) -> None:
    """When somebody has to look at the campaign next (UTC; empty: nobody, until the operator does)."""
    with writing(spool.database) as db:
        db.conn.execute(
            "UPDATE campaigns SET due_at = ?, local_time = coalesce(?, local_time) WHERE id = ?",
            [due_at, local_time, spool.campaign.id],
        )

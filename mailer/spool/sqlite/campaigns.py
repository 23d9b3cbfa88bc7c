"""Campaigns as the database knows them: what was sent, from which issue, and how it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from mailer.display_text import nearest
from mailer.errors import CampaignError

__all__ = ["Campaign", "Delivered", "campaigns", "deliveries_of", "find_campaign", "goes_by"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One sending of an issue to an audience, as the database knows it. Times are UTC.

    `due_at` is when it may begin, `local_time` the readers' own hour (`08:00`), `canary` JSON about the first
    few, `held_until` when those have been watched for long enough; empty where there is no such thing.
    `stable_ids` is 0 for a campaign of a version up to 0.3.0, whose messages name readers by number.
    """

    id: int
    slug: str
    issue: str
    issue_hash: str
    edition: str
    issue_date: str
    segment: str
    plan_hash: str
    plan: dict[str, Any]
    subject: str
    transport: str
    status: str
    status_note: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    due_at: str = ""
    local_time: str = ""
    canary: str = ""
    held_until: str = ""
    stable_ids: int = 1


_CAMPAIGN_COLUMNS = (
    "id, slug, issue, issue_hash, edition, issue_date, segment, plan_hash, plan, subject, transport, "
    "status, status_note, created_at, started_at, finished_at, due_at, local_time, canary, held_until, "
    "stable_ids"
)


def _campaign(row: Sequence[Any]) -> Campaign:
    values = list(row)
    values[8] = json.loads(values[8])
    return Campaign(*values)


def campaigns(db: Database) -> list[Campaign]:
    """All campaigns, newest first."""
    rows = db.conn.execute(f"SELECT {_CAMPAIGN_COLUMNS} FROM campaigns ORDER BY id DESC")
    return [_campaign(row) for row in rows]


def find_campaign(db: Database, slug: str) -> Campaign:
    """The campaign of that name. Raises CampaignError with the nearest one there is."""
    row = db.conn.execute(
        f"SELECT {_CAMPAIGN_COLUMNS} FROM campaigns WHERE slug = ?",
        [slug],
    ).fetchone()
    if row is None:
        slugs = [other.slug for other in campaigns(db)]
        best = nearest(slug, slugs)
        hint = f'did you mean "{best}"?' if best else "`mailer campaigns list` shows what there is"
        raise CampaignError(f'there is no campaign "{slug}"; {hint}')
    return _campaign(row)


def goes_by(db: Database, campaign: Campaign, transport: str) -> None:
    """From now on this campaign goes by that transport (a URL). Inside the caller's transaction."""
    if campaign.transport != transport:
        db.conn.execute("UPDATE campaigns SET transport = ? WHERE id = ?", [transport, campaign.id])


@dataclass(frozen=True, slots=True)
class Delivered:
    """How one person's delivery of a campaign stands. `settled_at` is UTC, or None while it is open.

    `in_folder`: it only went into an outbox folder, which reached nobody.
    """

    slug: str
    state: str
    reason: str
    settled_at: str | None
    in_folder: bool = False


def deliveries_of(db: Database, subscriber_id: int, issue_campaigns: Sequence[Campaign]) -> list[Delivered]:
    """This person's deliveries of these campaigns, oldest first."""
    numbers = [campaign.id for campaign in issue_campaigns]
    rows = db.conn.execute(
        # What the spool says of one person.
        "SELECT c.slug, d.state, d.reason, d.settled_at, d.in_folder FROM deliveries AS d "
        "JOIN campaigns AS c ON c.id = d.campaign_id "
        f"WHERE d.subscriber_id = ? AND d.campaign_id IN ({', '.join('?' * len(numbers))}) ORDER BY c.id",
        [subscriber_id, *numbers],
    )
    return [Delivered(slug, state, reason, at, bool(folder)) for slug, state, reason, at, folder in rows]

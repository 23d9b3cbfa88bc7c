"""Reads campaigns from the table `campaigns`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.display_text import nearest_word
from mailer.errors import CampaignError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["all_campaigns", "find_campaign"]

_COLUMNS = (
    "id",
    "slug",
    "issue",
    "issue_hash",
    "edition",
    "issue_date",
    "segment",
    "plan_hash",
    "plan",
    "subject",
    "transport",
    "status",
    "status_note",
    "created_at",
    "started_at",
    "finished_at",
    "due_at",
    "local_time",
    "canary",
    "held_until",
    "stable_ids",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM campaigns"


def _campaign_from_row(row: Sequence[Any]) -> Campaign:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Campaign(**{**values, "plan": json.loads(values["plan"]), "status": Status(values["status"])})


def all_campaigns(db: Database) -> list[Campaign]:
    """Returns all campaigns, newest first."""
    return [_campaign_from_row(row) for row in db.conn.execute(f"{_SELECT} ORDER BY id DESC")]


def find_campaign(db: Database, slug: str) -> Campaign:
    """Returns the campaign with this slug. Raises CampaignError, which suggests the most similar slug."""
    row = db.conn.execute(f"{_SELECT} WHERE slug = ?", [slug]).fetchone()
    if row is None:
        best = nearest_word(slug, [other.slug for other in all_campaigns(db)])
        hint = f'did you mean "{best}"?' if best else "`mailer campaigns list` shows all campaigns"
        raise CampaignError(f'there is no campaign "{slug}"; {hint}')
    return _campaign_from_row(row)

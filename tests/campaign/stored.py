"""A campaign as the spool would give it, without a spool."""

from __future__ import annotations

from typing import Any

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status

__all__ = ["PLANNED", "stored"]

#: What a plan says of a campaign, beside its name, its size and where it goes.
PLANNED: dict[str, Any] = {
    "issue": "issues/x.yaml",
    "issue_hash": "hash",
    "edition": "morning",
    "issue_date": "2026-11-21",
    "segment": "",
    "plan_hash": "plan",
    "subject": "Subject",
}


def stored(number: int = 1, status: Status = Status.READY, **other: Any) -> Campaign:
    """A campaign with this id and status, and other columns as they are given."""
    values: dict[str, Any] = {
        **PLANNED,
        "slug": f"2026-11-21-morning-{number}",
        "plan": {"recipients": 1},
        "transport": "outbox:outbox",
        "status_note": "",
        "created_at": "2026-11-20T00:00:00.000000Z",
        "started_at": None,
        "finished_at": None,
        "stable_ids": 1,
    }
    return Campaign(id=number, status=status, **{**values, **other})

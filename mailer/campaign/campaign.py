"""Defines a campaign, and the state of one person's delivery in a campaign, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mailer.campaign.delivery_state import State
from mailer.campaign.status import Status

__all__ = ["Campaign", "PersonDelivery", "NewCampaign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign:
    """Describes a campaign that is about to be stored in the spool for the first time.

    `issue` is the path of the issue's file, relative to the workspace, and `issue_hash` the hash of that
    file's content. `issue_date` is `YYYY-MM-DD`, `plan` the plan as JSON data, and `transport` the URL of the
    transport.
    """

    slug: str
    issue: str
    issue_hash: str
    edition: str
    issue_date: str
    segment: str
    plan_hash: str
    plan: dict[str, Any] = field(hash=False)
    subject: str
    transport: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(NewCampaign):
    """Describes a campaign as the spool stores it. Times are UTC, ISO 8601 with a `Z`.

    `due_at` is the time at which the campaign may begin. `local_time` is the time of day at which each reader
    gets the message, in the reader's own zone (`08:00`). `canary` is the canary as JSON text, and
    `held_until` the time until which a held or stopped campaign waits. Each of these four is empty if the
    campaign has none. `stable_ids` is 0 for a campaign of version 0.3.0 or earlier, whose messages identify
    readers by row number, and else 1.
    """

    id: int
    status: Status
    status_note: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    stable_ids: int
    due_at: str = ""
    local_time: str = ""
    canary: str = ""
    held_until: str = ""


@dataclass(frozen=True, slots=True)
class PersonDelivery:
    """Describes the state of one person's delivery in the campaign `slug`.

    `settled_at` is the time (UTC) of the outcome; None while the delivery has no final outcome. `in_folder`
    is True if the message was only written to an outbox folder, so that it reached nobody.
    """

    slug: str
    state: State
    reason: str
    settled_at: str | None
    in_folder: bool

"""Which campaigns are due. Pure: campaigns and a time in, campaigns out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status

__all__ = ["due_campaigns", "resumes_automatically"]

#: No limit and no deferred mail keeps a campaign waiting for longer: a day, which may have an hour more.
_LATEST_WAIT = timedelta(hours=26)


def due_campaigns(campaigns: Iterable[Campaign], now: str) -> list[Campaign]:
    """Returns the scheduled campaigns whose time (UTC) has come, then those that may go on by themselves.

    Among the former are those that a dead process left half-way. Each group has the oldest first.
    """
    known = list(campaigns)
    waiting = [
        campaign
        for campaign in known
        if campaign.status in (Status.SCHEDULED, Status.SENDING) and "" < campaign.due_at <= now
    ]
    going_on = [campaign for campaign in known if resumes_automatically(campaign, now)]
    return [
        *sorted(waiting, key=lambda campaign: (campaign.due_at, campaign.id)),
        *sorted(going_on, key=lambda campaign: (campaign.held_until, campaign.id)),
    ]


def resumes_automatically(campaign: Campaign, now: str) -> bool:
    """Returns whether a campaign was held behind its canary, or stopped for a limit or for deferred mail, and
    that time is over.

    For the latter two this holds also where only a wrong clock can have set the time so late.
    """
    if campaign.status not in (Status.HELD, Status.STOPPED) or not campaign.held_until:
        return False
    latest = datetime.fromisoformat(now) + _LATEST_WAIT
    latest_text = latest.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    is_too_late = campaign.status is Status.STOPPED and campaign.held_until > latest_text
    return campaign.held_until <= now or is_too_late

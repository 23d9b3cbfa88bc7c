"""Selects the campaigns that are due at a given time, without SQL or I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.clock import utc_text

__all__ = ["LATE", "due_campaigns", "may_resume_automatically"]

#: A campaign, or a delivery with a scheduled time, is still sent automatically this long after its time.
LATE = timedelta(hours=1)
#: No rate limit or back-off makes a campaign wait for longer: a day of up to 25 hours, and an hour.
_LATEST_WAIT = timedelta(hours=26)


def due_campaigns(campaigns: Iterable[Campaign], now: str) -> list[Campaign]:
    """Returns the scheduled campaigns that are due at `now` (UTC), then those that may resume automatically.

    A campaign whose process died while it was sending counts as scheduled if it has a due time. Each of the
    two groups is sorted by time, the earliest first.
    """
    known = list(campaigns)
    waiting = [
        campaign
        for campaign in known
        if campaign.status in (Status.SCHEDULED, Status.SENDING) and "" < campaign.due_at <= now
    ]
    going_on = [campaign for campaign in known if may_resume_automatically(campaign, now)]
    return [
        *sorted(waiting, key=lambda campaign: (campaign.due_at, campaign.id)),
        *sorted(going_on, key=lambda campaign: (campaign.held_until, campaign.id)),
    ]


def may_resume_automatically(campaign: Campaign, now: str) -> bool:
    """Returns whether a held or stopped campaign may resume at `now` (UTC) without a decision of the
    operator.

    A campaign is held while its canary is watched. It is stopped if a rate limit is used up or mail was
    deferred. A stopped campaign also resumes if `held_until` is so far ahead that only a wrong clock can have
    set it.
    """
    if campaign.status not in (Status.HELD, Status.STOPPED) or not campaign.held_until:
        return False
    latest_text = utc_text(datetime.fromisoformat(now) + _LATEST_WAIT)
    is_too_late = campaign.status is Status.STOPPED and campaign.held_until > latest_text
    return campaign.held_until <= now or is_too_late

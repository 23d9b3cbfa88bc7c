"""Which campaigns the scheduler takes up, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.campaign.due import LATE, due_campaigns, may_resume_automatically
from mailer.campaign.status import Status
from tests.campaign.stored import stored

NOW = "2026-11-21T08:00:00.000000Z"
JUST_BEFORE = "2026-11-21T07:59:59.999999Z"
JUST_AFTER = "2026-11-21T08:00:00.000001Z"
LONG_AGO = "2025-01-01T00:00:00.000000Z"
IN_26_HOURS = "2026-11-22T10:00:00.000000Z"
JUST_AFTER_26_HOURS = "2026-11-22T10:00:00.000001Z"

OTHERS = sorted(set(Status) - {Status.SCHEDULED, Status.SENDING})
NOT_WAITING = sorted(set(Status) - {Status.HELD, Status.STOPPED})


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.SENDING])
@pytest.mark.parametrize(
    ("due_at", "is_due"),
    [(LONG_AGO, True), (JUST_BEFORE, True), (NOW, True), (JUST_AFTER, False), ("", False)],
)
def test_a_scheduled_campaign_is_due_from_its_time_on(status: Status, due_at: str, is_due: bool) -> None:
    campaign = stored(status=status, due_at=due_at)
    assert due_campaigns([campaign], NOW) == ([campaign] if is_due else [])


@pytest.mark.parametrize("status", OTHERS)
def test_a_time_alone_makes_no_campaign_due(status: Status) -> None:
    assert due_campaigns([stored(status=status, due_at=LONG_AGO)], NOW) == []


@pytest.mark.parametrize(
    ("status", "held_until", "may_resume"),
    [
        (Status.HELD, "", False),
        (Status.HELD, LONG_AGO, True),
        (Status.HELD, JUST_BEFORE, True),
        (Status.HELD, NOW, True),
        (Status.HELD, JUST_AFTER, False),
        (Status.HELD, JUST_AFTER_26_HOURS, False),  # a canary may be watched for days
        (Status.HELD, "2026-12-21T08:00:00.000000Z", False),
        (Status.STOPPED, "", False),
        (Status.STOPPED, LONG_AGO, True),
        (Status.STOPPED, JUST_BEFORE, True),
        (Status.STOPPED, NOW, True),
        (Status.STOPPED, JUST_AFTER, False),
        (Status.STOPPED, IN_26_HOURS, False),
        (Status.STOPPED, JUST_AFTER_26_HOURS, True),  # a clock was wrong
        (Status.STOPPED, "2036-11-21T08:00:00.000000Z", True),
    ],
)
def test_a_campaign_goes_on_by_itself_at_its_time(status: Status, held_until: str, may_resume: bool) -> None:
    campaign = stored(status=status, held_until=held_until)
    assert may_resume_automatically(campaign, NOW) is may_resume
    assert due_campaigns([campaign], NOW) == ([campaign] if may_resume else [])


@pytest.mark.parametrize("status", NOT_WAITING)
@pytest.mark.parametrize("held_until", ["", LONG_AGO, NOW, JUST_AFTER_26_HOURS])
def test_no_other_campaign_goes_on_by_itself(status: Status, held_until: str) -> None:
    assert may_resume_automatically(stored(status=status, held_until=held_until), NOW) is False


def test_scheduled_campaigns_come_first_and_each_group_in_the_order_of_its_times() -> None:
    early, late = "2026-11-21T07:00:00.000000Z", "2026-11-21T07:30:00.000000Z"
    campaigns = [
        stored(1, Status.HELD, held_until=late),
        stored(2, Status.SCHEDULED, due_at=NOW),
        stored(3, Status.STOPPED, held_until=early, due_at=LONG_AGO),
        stored(5, Status.SENDING, due_at=late),
        stored(4, Status.SCHEDULED, due_at=late),
        stored(7, Status.STOPPED, held_until=late),
        stored(6, Status.HELD, held_until=late),
        stored(8, Status.SCHEDULED, due_at=JUST_AFTER),
        stored(9, Status.SCHEDULED, due_at=early),
        stored(10, Status.SENT, due_at=early, held_until=early),
    ]
    expected = [9, 4, 5, 2, 3, 1, 6, 7]
    assert [campaign.id for campaign in due_campaigns(campaigns, NOW)] == expected
    assert [campaign.id for campaign in due_campaigns(reversed(campaigns), NOW)] == expected
    assert due_campaigns(iter(()), NOW) == []


def test_an_hour_is_too_late() -> None:
    assert timedelta(hours=1) == LATE

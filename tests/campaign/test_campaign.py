"""Campaigns are values."""

from __future__ import annotations

from tests.campaign.stored import stored


def test_equal_campaigns_are_one_in_a_set_though_a_plan_is_a_dictionary() -> None:
    one, same, other = stored(1), stored(1, plan={"recipients": 1}), stored(2)
    assert {one, same, other} == {one, other}
    assert stored(1, plan={"recipients": 2}) not in {one, other}


def test_a_new_campaign_has_no_time_no_canary_and_waits_for_nothing() -> None:
    campaign = stored()
    assert (campaign.due_at, campaign.local_time, campaign.canary, campaign.held_until) == ("", "", "", "")

"""The table of transitions is whole, and the drawing in the documentation is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.campaign.delivery_state import CHANGES, State
from mailer.campaign.status import TRANSITIONS, Event, Status, check_may_be_sent
from mailer.errors import CampaignError
from tools.transitions import BEGIN, END, drawing

DELIVERY = Path(__file__).parents[2] / "docs" / "delivery.md"


def test_every_event_has_one_row() -> None:
    assert [transition.event for transition in TRANSITIONS] == list(Event)


def test_every_status_is_reached_from_a_new_campaign() -> None:
    reached = {Status.READY}
    while True:
        more = {t.target for t in TRANSITIONS if reached & set(t.sources)} - reached
        if not more:
            break
        reached |= more
    assert reached == set(Status)


def test_nothing_follows_a_cancel() -> None:
    assert not [t.event for t in TRANSITIONS if Status.CANCELLED in t.sources]


def test_every_change_of_a_delivery_names_states() -> None:
    for change in CHANGES:
        assert change.sources
        assert change.targets
    assert {state for change in CHANGES for state in change.targets} == set(State)


def test_the_drawing_in_the_documentation_is_made_of_the_table() -> None:
    text = DELIVERY.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip() == drawing().strip()


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.PAUSED])
def test_a_campaign_that_was_ended_is_not_open(status: Status) -> None:
    with pytest.raises(CampaignError, match="campaign x"):
        check_may_be_sent("x", status)


def test_all_others_are_open() -> None:
    for status in set(Status) - {Status.CANCELLED, Status.PAUSED}:
        check_may_be_sent("x", status)

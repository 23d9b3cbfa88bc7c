"""The tables of transitions are whole, and the drawings in the documentation are made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.campaign.delivery_state import CHANGES, STATES, TO_SEND, State
from mailer.campaign.status import (
    ENDED,
    FINAL,
    TRANSITIONS,
    Event,
    Status,
    check_may_be_sent,
    source_statuses,
    target_status,
)
from mailer.errors import CampaignError
from tools.transitions import BEGIN, BEGIN_STATES, END, END_STATES, drawing, drawing_of_states

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


def test_the_states_have_the_names_that_scripts_and_databases_know() -> None:
    assert STATES == ("pending", "sending", "accepted", "rejected", "deferred", "uncertain", "skipped")


def test_a_run_is_over_once_nothing_is_pending_claimed_or_deferred() -> None:
    assert set(TO_SEND) == {"pending", "sending", "deferred"}


def test_the_drawing_in_the_documentation_is_made_of_the_table() -> None:
    text = DELIVERY.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip() == drawing()


def test_the_states_of_a_delivery_are_drawn_from_their_table() -> None:
    text = DELIVERY.read_text(encoding="utf-8")
    drawn = text[text.index(BEGIN_STATES) + len(BEGIN_STATES) : text.index(END_STATES)]
    assert drawn.strip() == drawing_of_states()


@pytest.mark.parametrize(
    ("event", "sources", "target"),
    [
        (Event.SCHEDULE, {"ready"}, "scheduled"),
        (Event.BEGIN, {"ready", "scheduled", "sending", "missed", "stopped", "sent"}, "sending"),
        (Event.HOLD, {"sending"}, "held"),
        (Event.CANARY_FAILED, {"sending", "held"}, "paused"),
        (Event.RESUME, {"paused"}, "stopped"),
        (Event.CANCEL_REST, {"sent"}, "cancelled"),
    ],
)
def test_an_event_leads_from_any_of_its_statuses_to_one(event: Event, sources: set[str], target: str) -> None:
    assert set(source_statuses(event)) == sources
    assert target_status(event) == target


def test_each_event_is_asked_for_by_itself() -> None:
    for transition in TRANSITIONS:
        assert source_statuses(transition.event) == transition.sources
        assert target_status(transition.event) is transition.target


def test_nothing_is_claimed_of_a_campaign_that_may_not_be_sent() -> None:
    refused = set()
    for status in Status:
        try:
            check_may_be_sent("x", status)
        except CampaignError:
            refused.add(status)
    assert set(ENDED) == refused == {"paused", "cancelled"}


def test_a_campaign_is_over_when_it_is_sent_or_cancelled() -> None:
    assert set(FINAL) == {"sent", "cancelled"}


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.PAUSED])
def test_a_campaign_that_was_ended_is_not_open(status: Status) -> None:
    with pytest.raises(CampaignError, match="campaign x"):
        check_may_be_sent("x", status)


def test_all_others_are_open() -> None:
    for status in set(Status) - {Status.CANCELLED, Status.PAUSED}:
        check_may_be_sent("x", status)

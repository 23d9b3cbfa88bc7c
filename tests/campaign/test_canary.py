"""How many are in a canary, and who."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.campaign.canary import Canary, canary_of, draw_recipients, make_canary
from tests.campaign.stored import stored

SLUG = "2026-11-21-morning"
PEOPLE = range(1, 101)


@pytest.mark.parametrize(
    ("share", "recipients", "expected"),
    [
        (0.02, 100, 2),
        (0.02, 101, 3),  # a part of a person is a whole one
        (0.02, 149, 3),
        (0.5, 3, 2),
        (0.07, 100, 7),  # which is 7.000000000000001 for a computer
        (0.29, 100, 29),  # and this one 28.999999999999996
        (0.05, 1_000_000, 50_000),
        (0.001, 10, 1),  # somebody is tried at least
        (0.02, 1, 1),
        (0.99, 2, 2),
        (0.02, 0, 0),
    ],
)
def test_a_share_of_people_is_rounded_up(share: float, recipients: int, expected: int) -> None:
    assert make_canary(share, None, recipients) == Canary(share, expected, None, "first")


def test_a_canary_remembers_how_long_the_others_wait() -> None:
    assert make_canary(0.02, 1800.0, 100) == Canary(0.02, 2, 1800.0, "first")


@given(st.integers(1, 9999), st.integers(1, 10**7))
def test_a_canary_is_the_least_number_that_is_such_a_share(hundredths: int, recipients: int) -> None:
    number = make_canary(hundredths / 10_000, None, recipients).number
    assert 1 <= number <= recipients
    assert (number - 1) * 10_000 < hundredths * recipients <= number * 10_000


@pytest.mark.parametrize("hold", [None, 1800.0])
def test_a_canary_is_read_as_it_was_stored(hold: float | None) -> None:
    canary = replace(make_canary(0.02, hold, 100), phase="held")
    assert canary.to_json() == {"share": 0.02, "number": 2, "hold": hold, "phase": "held"}
    assert canary_of(stored(canary=json.dumps(canary.to_json()))) == canary


def test_a_campaign_without_a_canary_has_none() -> None:
    assert canary_of(stored()) is None


def test_a_restart_and_another_version_draw_the_same_people() -> None:
    drawn = {10, 21, 38, 39, 63}
    assert draw_recipients(SLUG, PEOPLE, 5) == drawn
    assert draw_recipients(SLUG, reversed(PEOPLE), 5) == drawn
    assert draw_recipients(SLUG, iter(PEOPLE), 3) == {21, 39, 63}


def test_another_campaign_draws_other_people() -> None:
    assert draw_recipients("2026-11-22-morning", PEOPLE, 5) == {10, 12, 55, 71, 77}
    assert draw_recipients("早报", PEOPLE, 5) != draw_recipients("晚报", PEOPLE, 5)


def test_the_digits_of_a_slug_are_not_taken_for_those_of_a_person() -> None:
    drawn = draw_recipients("x-11", range(10, 100), 20)
    assert draw_recipients("x-1", range(110, 200), 20) != {person + 100 for person in drawn}


def test_no_more_are_drawn_than_there_are() -> None:
    assert draw_recipients(SLUG, [7, 8], 5) == {7, 8}
    assert draw_recipients(SLUG, [], 1) == frozenset()


@given(st.sets(st.integers(1, 10**9), max_size=50), st.integers(0, 60))
def test_who_is_drawn_is_drawn_again_when_somebody_else_has_left(people: set[int], count: int) -> None:
    drawn = draw_recipients(SLUG, people, count)
    assert len(drawn) == min(count, len(people))
    assert drawn <= people
    if others := people - drawn:
        assert draw_recipients(SLUG, people - {min(others)}, count) == drawn


def test_everybody_is_drawn_about_as_often() -> None:
    times = Counter(p for day in range(500) for p in draw_recipients(f"{day}-morning", range(20), 5))
    assert all(90 < times[person] < 160 for person in range(20))

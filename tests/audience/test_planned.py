"""The packed people of a plan: what goes in comes out, and two of them compare as sets of pairs do."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience import planned as module
from mailer.audience.planned import (
    PlanDifference,
    PlannedPeople,
    PlannedPeopleBuilder,
    compare_planned_people,
)
from mailer.errors import StoreError

IDS = st.integers(1, 2**63 - 1) | st.integers(1, 40)
PEOPLE = st.dictionaries(IDS, st.integers(0, 3) | st.integers(0, 2**62), max_size=60)


def packed(people: Mapping[int, int], *, at_once: int = 7, block: int = 10) -> PlannedPeople:
    builder = PlannedPeopleBuilder()
    ids = sorted(people)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        for begin in range(0, len(ids), at_once):
            some = ids[begin : begin + at_once]
            builder.add(some, [people[number] for number in some])
        return builder.build()


@given(PEOPLE, st.integers(1, 30), st.integers(1, 30))
def test_unpacking_gives_what_was_packed(people: dict[int, int], at_once: int, block: int) -> None:
    found = packed(people, at_once=at_once, block=block)
    assert list(found) == sorted(people.items())
    assert len(found) == len(people)


@given(PEOPLE, st.data())
def test_without_takes_out_that_person_and_nobody_else(people: dict[int, int], data: st.DataObject) -> None:
    gone = data.draw(IDS | st.sampled_from(sorted(people)) if people else IDS)
    rest = {number: variant for number, variant in people.items() if number != gone}
    found = packed(people).without_subscriber(gone)
    assert list(found) == sorted(rest.items())
    assert len(found) == len(rest)


def test_everybody_can_be_taken_out() -> None:
    people = packed(dict.fromkeys(range(1, 31), 0))
    for number in range(1, 31):
        people = people.without_subscriber(number)
    assert people == packed({})


@given(PEOPLE, PEOPLE)
def test_a_comparison_counts_as_sets_do(before: dict[int, int], now: dict[int, int]) -> None:
    both = before.keys() & now.keys()
    assert compare_planned_people(packed(before), packed(now)) == PlanDifference(
        added=len(now.keys() - before.keys()),
        other_variant=sum(before[number] != now[number] for number in both),
        removed=len(before.keys() - now.keys()),
    )


@given(PEOPLE)
def test_who_stays_with_the_same_variant_makes_no_difference(people: dict[int, int]) -> None:
    assert compare_planned_people(packed(people), packed(people, at_once=60, block=60)) == PlanDifference(
        0, 0, 0
    )


def test_a_million_readers_fit_into_four_megabytes() -> None:
    """A million take 2.4 MB: ids from the whole range of 32 bits, sixteen variants. Here a tenth of them."""
    draw = random.Random(5)
    ids = sorted(draw.sample(range(1, 2**32), 100_000))
    builder = PlannedPeopleBuilder()
    builder.add(ids, [draw.randrange(16) for _ in ids])
    assert len(builder.build().data) * 10 < 4_000_000


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x01short", b"\x01" + bytes(100)])
def test_damaged_bytes_are_told(data: bytes) -> None:
    with pytest.raises(StoreError, match="is damaged; make it again with `mailer plan`"):
        list(PlannedPeople(data))


def test_a_block_of_another_length_is_told() -> None:
    sound = packed({1: 0, 2: 0}).data
    with pytest.raises(StoreError, match="is damaged"):
        list(PlannedPeople(sound[:17] + b"\x03\x00\x00\x00" + sound[21:]))
    with pytest.raises(StoreError, match="is damaged"):
        list(PlannedPeople(sound[:-3]))

"""The slugs of campaigns, which are names of folders, too."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.campaign.slug import is_slug, slug_of

DAY = dt.date(2026, 11, 21)


def test_the_first_campaign_of_an_issue_has_no_number_and_the_next_ones_count_from_two() -> None:
    assert slug_of("morning", DAY) == "2026-11-21-morning"
    assert slug_of("morning", DAY, 1) == "2026-11-21-morning"
    assert slug_of("morning", DAY, 2) == "2026-11-21-morning-2"
    assert slug_of("evening", dt.date(987, 1, 2), 10) == "0987-01-02-evening-10"


@pytest.mark.parametrize("text", ["a", "7", "2026-11-21-morning", "Morning_2.b", "x" * 100])
def test_a_slug_is_letters_digits_and_three_signs(text: str) -> None:
    assert is_slug(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-option",
        "_x",
        "x" * 101,
        "a/b",
        "../a",
        "a\\b",
        "a b",
        "a\n",
        "\na",
        "é",
        "a\0",
    ],
)
def test_what_is_no_name_of_a_visible_folder_is_no_slug(text: str) -> None:
    assert is_slug(text) is False


@given(st.dates(), st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True), st.integers(1, 10**6))
def test_what_is_made_is_a_slug(date: dt.date, edition: str, number: int) -> None:
    assert is_slug(slug_of(edition, date, number))

"""What the way does to the last part of a link is undone, and how far two texts differ is counted."""

from __future__ import annotations

import string
from functools import cache
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.links.mangled import begins_nearly_with, possible_token_texts

SMALL = frozenset(string.ascii_lowercase + "234567")


@cache
def distance(one: str, other: str) -> int:
    """How many letters are lost, wrong or added from one text to the other (Levenshtein)."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        distance(one[:-1], other) + 1,
        distance(one, other[:-1]) + 1,
        distance(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    )


@given(
    st.text("ab", min_size=3, max_size=8), st.text("ab", max_size=11), st.integers(0, 2), st.integers(0, 8)
)
def test_a_text_follows_where_a_beginning_of_it_differs_in_no_more_possible_texts(
    expected: str, given_: str, edits: int, kept: int
) -> None:
    given_ = expected[:kept] + given_
    nearest = min(distance(expected, given_[:length]) for length in range(len(given_) + 1))
    assert begins_nearly_with(expected, given_, edits) is (nearest <= edits)


@pytest.mark.parametrize(
    ("given_", "edits", "is_near"),
    [
        ("abcdefgh", 0, True),
        ("abcdefghxyz", 0, True),
        ("abcdefg", 0, False),
        ("abcdefg", 1, True),
        ("xabcdefgh", 1, True),
        ("abxdefgh", 1, True),
        ("bcdefgh", 1, True),
        ("abdefg", 1, False),
        ("abdefg", 2, True),
        ("axbcdexfgh", 2, True),
        ("xbcdxfgx", 2, False),
        ("", 2, False),
    ],
)
def test_so_many_letters_may_be_lost_wrong_or_added(given_: str, edits: int, is_near: bool) -> None:
    assert begins_nearly_with("abcdefgh", given_, edits) is is_near


def test_a_whole_piece_at_the_end_is_enough_to_look_closer() -> None:
    assert begins_nearly_with("abcdefg", "abxdexg", 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ab%FFcd", "abcd"),  # no UTF-8
        ("ab=3=\r\nDcd", "abcd"),  # a line that was broken within `=3D`
        ("ab=3= \t Dcd", "abcd"),  # the same where the end of the line was lost
        ("ab=3=20Dcd", "ab3dcd"),  # a quoted space joins nothing
        ("=61" * 10, "a" * 10),  # every letter is quoted
        ("=61" * 9, "6" * 9),  # an `=` before letters of its own
        (quote(quote("a%2Eb", safe=""), safe=""), "ab"),
        (quote(quote(quote("a%2Eb", safe=""), safe=""), safe=""), "a2eb"),
    ],
)
def test_what_was_encoded_is_read_up_to_three_times(text: str, found: str) -> None:
    assert possible_token_texts(text, SMALL)[0] == found


def test_letters_that_look_like_digits_are_a_second_reading() -> None:
    assert possible_token_texts("A0B1C8", SMALL) == ["abc", "aoblcb"]
    assert possible_token_texts("abc", SMALL) == ["abc"]
    assert possible_token_texts("A0b", SMALL | {"0", "A"}) == ["A0b"]


def test_what_is_far_behind_is_not_looked_at() -> None:
    assert possible_token_texts("a" * 200, SMALL) == ["a" * 160]
    assert possible_token_texts("." * 1999 + "ab", SMALL) == ["a"]

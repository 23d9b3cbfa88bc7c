"""Signed tokens: what they say, for whom, and what is not one."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.links import Links, Purpose, Token, Tokens

TOKENS = Tokens(("key one",))
numbers = st.integers(0, 2**64 - 1)
campaigns = st.integers(0, 2**32 - 1)
purposes = st.sampled_from([p for p in Purpose if p is not Purpose.BOUNCE])


@given(purposes, numbers, campaigns)
def test_a_token_says_what_was_put_into_it(purpose: Purpose, subscriber: int, campaign: int) -> None:
    text = TOKENS.make(purpose, subscriber, campaign)
    assert TOKENS.read(text, purpose) == Token(purpose, subscriber, campaign)


@given(numbers, campaigns)
def test_a_token_is_forty_characters_that_no_url_escapes(subscriber: int, campaign: int) -> None:
    text = TOKENS.make(Purpose.UNSUBSCRIBE, subscriber, campaign)
    assert len(text) == 40
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


@given(numbers, campaigns)
def test_a_bounce_token_fits_a_local_part_and_survives_a_change_of_case(
    subscriber: int, campaign: int
) -> None:
    text = TOKENS.make_bounce(subscriber, campaign)
    assert len(text) == 48
    assert set(text) <= set(string.ascii_lowercase + string.digits)
    expected = Token(Purpose.BOUNCE, subscriber, campaign)
    assert TOKENS.read(text, Purpose.BOUNCE) == TOKENS.read(text.upper(), Purpose.BOUNCE) == expected


@pytest.mark.parametrize("made", list(Purpose))
@pytest.mark.parametrize("asked", list(Purpose))
def test_a_token_of_one_purpose_is_worth_nothing_for_another(made: Purpose, asked: Purpose) -> None:
    raw = base64.urlsafe_b64decode(TOKENS.make(made, 7, 3))
    forms = [TOKENS.make(made, 7, 3), base64.b32encode(raw).decode().lower()]
    assert any(TOKENS.read(form, asked) is not None for form in forms) == (made is asked)


@given(st.integers(0, 29), st.integers(1, 255))
def test_a_token_with_one_changed_byte_is_worth_nothing(position: int, flip: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKENS.make(Purpose.UNSUBSCRIBE, 7, 3)))
    raw[position] ^= flip
    text = base64.urlsafe_b64encode(bytes(raw)).decode()
    assert TOKENS.read(text, Purpose.UNSUBSCRIBE) is None


@given(st.text(max_size=60) | st.text(alphabet=string.ascii_letters + string.digits + "-_=+/", max_size=60))
def test_whatever_else_arrives_is_not_a_token(text: str) -> None:
    for purpose in Purpose:
        assert TOKENS.read(text, purpose) is None


def test_a_token_that_was_cut_or_lengthened_is_worth_nothing() -> None:
    text = TOKENS.make(Purpose.UNSUBSCRIBE, 7, 3)
    for wrong in (text[:-1], text[1:], text + "A", text + "AAAA", f" {text}", f"{text}.", text * 2):
        assert TOKENS.read(wrong, Purpose.UNSUBSCRIBE) is None


def test_a_token_of_an_older_key_still_works_after_a_rotation() -> None:
    old = Tokens(("old",)).make(Purpose.UNSUBSCRIBE, 7, 3)
    rotated = Tokens(("new", "old"))
    assert rotated.read(old, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, 7, 3)
    assert rotated.make(Purpose.UNSUBSCRIBE, 7, 3) == Tokens(("new",)).make(Purpose.UNSUBSCRIBE, 7, 3)
    assert rotated.make(Purpose.UNSUBSCRIBE, 7, 3) != old


def test_a_token_of_a_key_that_was_dropped_is_worth_nothing() -> None:
    old = Tokens(("old",)).make(Purpose.UNSUBSCRIBE, 7, 3)
    assert Tokens(("new",)).read(old, Purpose.UNSUBSCRIBE) is None


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="at least one secret key"):
        Tokens(())


def test_nothing_of_a_key_is_in_a_token() -> None:
    key = "AAAAAAAAAAAAAAAAAAAAAAAA"
    raw = base64.urlsafe_b64decode(Tokens((key,)).make(Purpose.UNSUBSCRIBE, 7, 3))
    assert key.encode()[:2] != raw[:2]
    assert key.encode() not in raw


@pytest.mark.parametrize("base", ["https://news.example.org", "https://example.org/news/"])
def test_links_stand_below_the_base_url(base: str) -> None:
    links = Links(base, TOKENS)
    stem = base.rstrip("/")
    assert links.unsubscribe(7, 3) == f"{stem}/u/{TOKENS.make(Purpose.UNSUBSCRIBE, 7, 3)}"
    assert links.preferences(7, 3) == f"{stem}/p/{TOKENS.make(Purpose.PREFERENCES, 7, 3)}"
    assert links.archive("2026-11-21-morning") == f"{stem}/archive/2026-11-21-morning/"
    assert links.archive() == f"{stem}/archive/"

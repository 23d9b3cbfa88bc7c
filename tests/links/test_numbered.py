"""Tokens of versions up to 0.3.0: what is read of them, what is not, and which are of a key that is gone."""

from __future__ import annotations

import pytest

from mailer.links.numbered import NumberedTokenReader
from tests.numbered import numbered

KEY = "key one"
READER = NumberedTokenReader((KEY, "key before"))


@pytest.mark.parametrize("purpose", [b"u", b"p", b"c"])
def test_a_token_of_a_key_that_is_gone_is_told_apart(purpose: bytes) -> None:
    assert READER.has_unknown_key(numbered("gone", purpose, 7, 3))
    assert READER.has_unknown_key(numbered("gone", purpose, 2**34 - 1, 2**24 - 1))
    assert not READER.has_unknown_key(numbered(KEY, purpose, 7, 3))
    assert not READER.has_unknown_key(numbered("key before", purpose, 7, 3))


@pytest.mark.parametrize(
    "text",
    [
        numbered("gone", b"u", 7, 3)[:-1],
        numbered("gone", b"u", 7, 3) + "A",
        numbered("gone", b"x", 7, 3),
        numbered("gone", b"u", 2**34, 3),
        numbered("gone", b"u", 7, 2**24),
    ],
)
def test_what_is_no_whole_token_is_of_no_key(text: str) -> None:
    assert not READER.has_unknown_key(text)


def test_a_return_path_of_another_signature_names_nobody() -> None:
    text = numbered(KEY, b"b", 7, 3)
    assert READER.read(text, b"b") == (7, 3)
    assert READER.read(text[:-1] + ("a" if text[-1] != "a" else "b"), b"b") is None


def test_up_to_two_letters_of_the_signature_are_repaired() -> None:
    text = numbered(KEY, b"u", 7, 3)
    for changed in (text, text.lower()):
        assert READER.read(changed[:-2], b"u") == (7, 3)
        assert READER.read(changed[:-3], b"u") is None


def test_one_letter_of_the_signature_is_repaired_where_the_beginning_is_lost() -> None:
    text = numbered(KEY, b"u", 7, 3)[4:]
    assert READER.read(text[:-1], b"u") == (7, 3)
    assert READER.read(text[:-2], b"u") is None


def test_before_a_token_that_lost_its_beginning_up_to_seven_letters_may_stand() -> None:
    text = numbered(KEY, b"u", 7, 3)[4:]
    assert READER.read("-" * 7 + text, b"u") == (7, 3)
    assert READER.read("-" * 8 + text, b"u") is None


def test_capitals_may_be_lost_altogether_and_not_in_part() -> None:
    text = numbered(KEY, b"u", 7, 3)
    small = text[20:].lower()
    place = next(
        place for place, letter in enumerate(small) if text[20 + place] == letter.lower() != letter.upper()
    )
    mixed = small[:place] + small[place].upper() + small[place + 1 :]
    assert READER.read("before" + text.lower(), b"u") == (7, 3)
    assert READER.read(text[:20] + small, b"u") == (7, 3)
    assert READER.read(text[:20] + mixed, b"u") is None


@pytest.mark.parametrize("kept", [4, 12, 19, 20])
def test_the_beginning_of_a_token_at_the_end_of_a_text_is_none(kept: int) -> None:
    text = numbered(KEY, b"u", 7, 3)[:kept]
    for given in (text, "-" * 30 + text, text.lower(), "z" * 30 + text.lower()):
        assert READER.read(given, b"u") is None

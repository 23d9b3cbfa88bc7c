"""Signed tokens: what they say, for whom, and what is not one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.links import tokens as tokens_module
from mailer.links.tokens import MAX_TRIES, derive_stable_id
from mailer.links.urls import NOBODY, LinkBuilder, Purpose, Token, TokenCodec
from tests.numbered import numbered

KEY = "key one"
TOKENS = TokenCodec((KEY,))
ANNA = bytes.fromhex("0123456789abcdef")
ids = st.binary(min_size=8, max_size=8)
campaigns = st.integers(0, 2**32 - 1)
purposes = st.sampled_from(list(Purpose))
BASE32 = string.ascii_lowercase + "234567"


def made(purpose: Purpose = Purpose.UNSUBSCRIBE, stable_id: bytes = ANNA, campaign: int = 3) -> str:
    return TOKENS.make(purpose, stable_id, campaign)


@given(purposes, ids, campaigns)
def test_a_token_says_what_was_put_into_it(purpose: Purpose, stable_id: bytes, campaign: int) -> None:
    text = TOKENS.make(purpose, stable_id, campaign)
    assert TOKENS.read(text, purpose) == Token(purpose, stable_id, campaign)


@given(purposes, ids, campaigns)
def test_a_token_is_forty_small_letters_and_digits(purpose: Purpose, stable_id: bytes, campaign: int) -> None:
    text = TOKENS.make(purpose, stable_id, campaign)
    assert len(text) == 40
    assert set(text) <= set(BASE32)
    assert text.endswith("x")


@given(ids, campaigns)
def test_a_token_is_the_base32_of_its_bytes_and_signed_with_hmac(stable_id: bytes, campaign: int) -> None:
    text = TOKENS.make(Purpose.PREFERENCES, stable_id, campaign)
    raw = base64.b32decode(text[:39].upper() + "=")
    key = hashlib.sha256(b"mailer.tokens\0" + KEY.encode()).digest()
    body = hashlib.sha256(key).digest()[:2] + stable_id + campaign.to_bytes(4, "big")
    assert raw == body + hmac.digest(key, b"p" + body, "sha256")[:10]


@pytest.mark.parametrize("campaign", [0, 1, 2**32 - 1])
def test_the_first_token_that_is_made_is_as_any_other(campaign: int) -> None:
    text = TokenCodec((KEY,)).make(Purpose.UNSUBSCRIBE, ANNA, campaign)
    assert TokenCodec((KEY,)).read(text, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, campaign, 0)
    assert TOKENS.make(Purpose.PREFERENCES, ANNA) == TOKENS.make(Purpose.PREFERENCES, ANNA, 0)
    assert base64.b32decode(text[:39].upper() + "=")[2:14] == ANNA + campaign.to_bytes(4, "big")


def test_before_a_token_that_lost_its_beginning_up_to_seven_letters_may_stand() -> None:
    text = made()[3:]
    assert TOKENS.read("a" * 7 + text, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, 3)
    assert TOKENS.read("a" * 8 + text, Purpose.UNSUBSCRIBE) is None


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("asked", list(Purpose))
def test_a_token_of_one_purpose_is_worth_nothing_for_another(purpose: Purpose, asked: Purpose) -> None:
    assert (TOKENS.read(made(purpose), asked) is not None) == (purpose is asked)
    old = numbered(KEY, purpose.value, 7, 3)
    assert (TOKENS.read(old, asked) is not None) == (purpose is asked)


@given(st.text(max_size=60) | st.text(alphabet=string.ascii_letters + string.digits + "-_=+/", max_size=60))
def test_whatever_else_arrives_is_not_a_token(text: str) -> None:
    for purpose in Purpose:
        assert TOKENS.read(text, purpose) is None


CHANGES = {
    "capitals": str.upper,
    "the last letter lost": lambda t: t[:-1],
    "the last two lost": lambda t: t[:-2],
    "the last three lost": lambda t: t[:-3],
    "the first lost": lambda t: t[1:],
    "the first two lost": lambda t: t[2:],
    "the first and the last lost": lambda t: t[1:-1],
    "a full stop": lambda t: t + ".",
    "a bracket": lambda t: t + ")",
    "in angle brackets": lambda t: f"<{t}>",
    "in quotes": lambda t: f'"{t}"',
    "in typographic quotes": lambda t: f"“{t}”",
    "an encoded bracket": lambda t: t + "%3E",
    "a bracket encoded twice": lambda t: t + "%253E",
    "3D behind": lambda t: t + "3D",
    "3D before": lambda t: "3D" + t,
    "=3D before": lambda t: "=3D" + t,
    "an encoded =3D before": lambda t: "%3D3D" + t,
    "a broken line": lambda t: t[:20] + "=\r\n" + t[20:],
    "an encoded broken line": lambda t: t[:20] + "%3D%0D%0A" + t[20:],
    "a line break": lambda t: t[:31] + "\n  " + t[31:],
    "encoded spaces": lambda t: "%20" + t[:5] + "%20" + t[5:] + "%20",
    "a slash": lambda t: t + "/",
    "html": lambda t: t + "&amp;utm_source=mail&amp;utm_medium=email",
    "utm": lambda t: t + "?utm_source=mail&utm_campaign=x",
    "encoded utm": lambda t: t + "%3Futm_source%3Dmail",
    "a fragment": lambda t: t + "#top",
    "full width": lambda t: "".join(chr(ord(c) + 0xFEE0) for c in t),
    "each letter encoded": lambda t: "".join(f"%{ord(c):02X}" for c in t),
    "encoded twice": lambda t: "".join(f"%25{ord(c):02x}" for c in t),
    "a zero-width space": lambda t: t[:9] + "\u200b" + t[9:],
    "a soft hyphen": lambda t: t[:9] + "\u00ad" + t[9:],
    "hyphens": lambda t: "-".join(t[i : i + 8] for i in range(0, 40, 8)),
    "a word behind and letters lost": lambda t: t[:-3] + ".Thanks",
    "two neighbours": lambda t: t[:12] + t[13] + t[12] + t[14:],
    "one lost": lambda t: t[:12] + t[13:],
    "one lost, one of the signature": lambda t: t[:12] + t[13:30] + t[31:],
    "two of the signature lost": lambda t: t[:26] + t[27:33] + t[34:],
    "one wrong": lambda t: t[:12] + ("a" if t[12] != "a" else "b") + t[13:],
    "one more": lambda t: t[:12] + "a" + t[12:],
    "two more": lambda t: t[:12] + "3d" + t[12:],
    "typed with zeros and ones": lambda t: t.replace("o", "0").replace("l", "1"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_the_way_does_to_a_token_is_undone(change: str) -> None:
    for number in range(20):
        stable_id = hashlib.sha256(b"%d" % number).digest()[:8]
        text = CHANGES[change](made(stable_id=stable_id))
        assert TOKENS.read(text, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, stable_id, 3), text


@pytest.mark.parametrize("place", range(40))
def test_a_letter_that_is_lost_wrong_added_or_swapped_anywhere_is_repaired(place: int) -> None:
    text, expected = made(), Token(Purpose.UNSUBSCRIBE, ANNA, 3)
    for wrong in (
        text[:place] + text[place + 1 :],
        text[:place] + ("q" if text[place] != "q" else "r") + text[place + 1 :],
        text[:place] + "q" + text[place:],
        text[:place] + text[place : place + 2][::-1] + text[place + 2 :],
    ):
        assert TOKENS.read(wrong, Purpose.UNSUBSCRIBE) == expected, wrong


def with_wrong_letters(text: str, *places: int) -> str:
    return "".join(
        ("q" if letter != "q" else "r") if place in places else letter for place, letter in enumerate(text)
    )


#: What happens to the signed part of a token, and how many letters of the signature may be wrong beside it.
SIGNED_PART = {
    "whole": (lambda t: t, 2),
    "the key id lost": (lambda t: t[3:], 1),
    "the last letter of the key id swapped": (lambda t: t[:2] + t[3] + t[2] + t[4:], 1),
    "two letters swapped": (lambda t: t[:12] + t[13] + t[12] + t[14:], 1),
    "one lost": (lambda t: t[:12] + t[13:], 1),
    "one wrong": (lambda t: with_wrong_letters(t, 12), 1),
    "one added": (lambda t: t[:12] + "q" + t[12:], 1),
    "two added": (lambda t: t[:12] + "qr" + t[12:], 1),
}


@pytest.mark.parametrize("change", list(SIGNED_PART))
def test_beside_a_repair_of_the_signed_part_one_letter_of_the_signature_may_be_wrong(change: str) -> None:
    way, allowed = SIGNED_PART[change]
    for number in range(4):
        text = way(with_wrong_letters(made(), *(27, 31, 35)[:number]))
        expected = Token(Purpose.UNSUBSCRIBE, ANNA, 3) if number <= allowed else None
        assert TOKENS.read(text, Purpose.UNSUBSCRIBE) == expected, number


@pytest.mark.parametrize("before", ["", "q", "qrst", made()[:3], made()[:3] * 2, made()[:3] * 20])
def test_where_the_signed_part_is_whole_it_is_no_matter_what_stands_before(before: str) -> None:
    text = before + with_wrong_letters(made(), 27, 31)
    assert TOKENS.read(text, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, 3)


def test_the_same_letter_may_stand_before_a_token_that_begins_with_it_three_times() -> None:
    codec = TokenCodec(("key 634",))
    text = with_wrong_letters(codec.make(Purpose.UNSUBSCRIBE, ANNA, 3), 27, 31)
    assert text.startswith("vvv")
    for before in ("v", "vv", "vvv"):
        assert codec.read(before + text, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, 3), before


OLD_CHANGES = {
    name: CHANGES[name]
    for name in (
        *("the last letter lost", "the last two lost", "the first lost", "the first two lost", "a full stop"),
        *("a bracket", "in angle brackets", "an encoded bracket", "3D behind", "3D before", "=3D before"),
        *("a broken line", "encoded spaces", "html", "utm", "full width", "each letter encoded", "a slash"),
    )
}


@pytest.mark.parametrize("change", [*OLD_CHANGES, "small letters", "capitals"])
def test_what_the_way_does_to_a_token_of_before_is_undone(change: str) -> None:
    way = {**OLD_CHANGES, "small letters": str.lower, "capitals": str.upper}[change]
    for number in (*range(40), 8_388_607, 99_999_999):
        token = Token(Purpose.UNSUBSCRIBE, b"", number % 50, number)
        text = way(numbered(KEY, b"u", number, number % 50))
        assert TOKENS.read(text, Purpose.UNSUBSCRIBE) == token, text


@given(st.integers(0, 2**64 - 1), campaigns, purposes)
def test_a_token_of_before_says_what_was_put_into_it(number: int, campaign: int, purpose: Purpose) -> None:
    old = numbered(KEY, purpose.value, number, campaign)
    expected = Token(purpose, b"", campaign, number)
    assert TOKENS.read(old, purpose) == expected
    if purpose is Purpose.BOUNCE:
        assert TOKENS.read(old.upper(), purpose) == expected


@given(st.data())
def test_what_is_read_is_right_or_nothing(data: st.DataObject) -> None:
    """However a token is mangled, it is never read as somebody else's."""
    text = made()
    for _ in range(data.draw(st.integers(1, 6))):
        place, letter = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from(BASE32))
        text = data.draw(
            st.sampled_from([text[:place] + text[place + 1 :], text[:place] + letter + text[place:]])
        )
    assert TOKENS.read(text, Purpose.UNSUBSCRIBE) in (None, Token(Purpose.UNSUBSCRIBE, ANNA, 3))


@pytest.mark.parametrize(
    "text",
    [made()[:23] + "a" * 17, made()[:3] * 500, "a" * 5000, made()[:-12] * 40, "=\n" * 3000, "%25" * 3000,
     numbered(KEY, b"u", 1)[:4].lower() + "a" * 156, "０" * 2000, (made()[:3] + "018") * 30,
     made()[:23] + "018" * 5],
)  # fmt: skip
def test_a_text_that_is_none_costs_a_bounded_number_of_signatures(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = 0
    real_sign, real_digest = tokens_module._HmacSigner.sign, hmac.digest

    def sign(self: tokens_module._HmacSigner, data: bytes) -> bytes:
        nonlocal signed
        signed += 1
        return real_sign(self, data)

    def digest(*given: object) -> bytes:
        nonlocal signed
        signed += 1
        return real_digest(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(tokens_module._HmacSigner, "sign", sign)
    monkeypatch.setattr(hmac, "digest", digest)
    assert TOKENS.read(text, Purpose.UNSUBSCRIBE) is None
    assert signed <= MAX_TRIES + 600


def test_a_token_of_an_older_key_still_works_after_a_rotation() -> None:
    old = TokenCodec(("old",)).make(Purpose.UNSUBSCRIBE, ANNA, 3)
    rotated = TokenCodec(("new", "old"))
    assert rotated.read(old, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, 3)
    assert rotated.read(old[1:-1].upper(), Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, ANNA, 3)
    assert rotated.make(Purpose.UNSUBSCRIBE, ANNA, 3) == TokenCodec(("new",)).make(
        Purpose.UNSUBSCRIBE, ANNA, 3
    )
    assert rotated.make(Purpose.UNSUBSCRIBE, ANNA, 3) != old
    before = numbered("old", b"u", 7, 3)
    assert rotated.read(before, Purpose.UNSUBSCRIBE) == Token(Purpose.UNSUBSCRIBE, b"", 3, 7)


def test_a_token_of_a_key_that_was_dropped_is_worth_nothing_and_is_told_apart() -> None:
    old, now = TokenCodec(("old",)).make(Purpose.UNSUBSCRIBE, ANNA, 3), TokenCodec(("new",))
    assert now.read(old, Purpose.UNSUBSCRIBE) is None
    assert now.has_unknown_key(old)
    ours = now.make(Purpose.UNSUBSCRIBE, ANNA, 3)
    assert not now.has_unknown_key(ours[:20])
    assert not now.has_unknown_key(ours[:30] + "a" * 9 + "x")
    assert not TokenCodec(("new", "old")).has_unknown_key(old)
    assert now.has_unknown_key(numbered("old", b"u", 7, 3))
    for part in (old[:-1], old[:-1] + "a", old[1:], "x"):  # no whole token
        assert not now.has_unknown_key(part)


def test_a_token_that_is_whole_costs_one_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[bytes] = []
    real = tokens_module._HmacSigner.sign

    def counted(self: tokens_module._HmacSigner, data: bytes) -> bytes:
        signed.append(data)
        return real(self, data)

    monkeypatch.setattr(tokens_module._HmacSigner, "sign", counted)
    assert TOKENS.read(made(), Purpose.UNSUBSCRIBE) is not None
    assert len(signed) <= 2  # that of `made`, and the one that is compared


def test_three_wrong_letters_of_the_signature_are_too_many() -> None:
    for places in ((25, 30, 38), (25, 30, 35)):
        assert TOKENS.read(with_wrong_letters(made(), *places), Purpose.UNSUBSCRIBE) is None


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="at least one secret key"):
        TokenCodec(())


def test_nothing_of_a_key_is_in_a_token() -> None:
    key = "AAAAAAAAAAAAAAAAAAAAAAAA"
    raw = base64.b32decode(TokenCodec((key,)).make(Purpose.UNSUBSCRIBE, ANNA, 3)[:39].upper() + "=")
    assert key.encode()[:2] != raw[:2]
    assert key.encode() not in raw


def test_a_test_copy_is_told_by_its_token() -> None:
    for text in (made(stable_id=NOBODY, campaign=0), numbered(KEY, b"u", 0)):
        token = TOKENS.read(text, Purpose.UNSUBSCRIBE)
        assert token is not None
        assert token.is_of_test_copy
    for text in (made(), numbered(KEY, b"u", 1)):
        token = TOKENS.read(text, Purpose.UNSUBSCRIBE)
        assert token is not None
        assert not token.is_of_test_copy


def test_a_stable_id_of_before_is_the_same_for_the_same_key_and_address() -> None:
    assert derive_stable_id("k", "anna@example.org") == derive_stable_id("k", "anna@example.org")
    assert len({derive_stable_id(k, a) for k in "kl" for a in ("anna@example.org", "ben@example.org")}) == 4
    key = hashlib.sha256(b"mailer.stable-ids\0k").digest()
    assert derive_stable_id("k", "anna@example.org") == hmac.digest(key, b"anna@example.org", "sha256")[:8]


@pytest.mark.parametrize("base", ["https://news.example.org", "https://example.org/news/"])
def test_links_stand_below_the_base_url(base: str) -> None:
    links = LinkBuilder(base, TOKENS)
    stem = base.rstrip("/")
    assert links.unsubscribe_url(ANNA, 3) == f"{stem}/u/{made()}"
    assert links.preferences_url(ANNA, 3) == f"{stem}/p/{made(Purpose.PREFERENCES)}"
    assert links.archive_url("2026-11-21-morning") == f"{stem}/archive/2026-11-21-morning/"
    assert links.archive_url() == f"{stem}/archive/"

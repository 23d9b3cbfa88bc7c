"""Makes and reads signed tokens, which name a reader in 40 small letters and digits.

A token is for one purpose. It names a subscriber by their stable id, and the campaign in whose mail it was
sent. A token contains no address and never expires, because a reader may find the mail years later.

    key id 2 | stable id 8 | campaign 4 | signature 10   = 24 bytes = 39 letters of base32, and one more

The signature is HMAC-SHA-256 of the purpose and of all bytes before the signature, cut to 80 bits (RFC 2104
section 5). With several secret keys, the first signs and all of them verify. The reasons are in
docs/decisions/013-links-that-hold.md. `numbered` reads the tokens of versions up to 0.3.0.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mailer.links.mangled import begins_nearly_with, possible_token_texts
from mailer.links.numbered import NumberedTokenReader

__all__ = ["TOKEN_LENGTH", "MAX_TRIES", "NOBODY", "Purpose", "Token", "TokenCodec", "derive_stable_id"]

#: Characters of a token.
TOKEN_LENGTH = 40
#: The stable id in test copies and samples, which names nobody.
NOBODY = bytes(8)
#: At most this many repairs of an unreadable text are tried; each costs a signature.
MAX_TRIES = 1400

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_ALPHABET = frozenset(_DIGITS)
#: The digits that `int(…, 32)` reads.
_TO_INT = str.maketrans(_DIGITS, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
#: The last letter carries no information, because the end of a URL is what often gets lost.
_LAST = "x"
#: The last two bits, and the last letter.
_ENDS = tuple(_DIGITS[bits << 3] + _LAST for bits in range(4))
_SIGNATURE = 10
#: 30 bits: Python computes with numbers that have no more at twice the speed.
_SMALL = 2**30 - 1
#: Letters that hold what is signed; the last of them also holds three bits of the signature.
_HEAD = 23
#: Letters of the key id alone; one bit of it is in the next.
_KEY = 3
#: Fewer letters than these may stand before a token that lost its key id.
_MAX_BEFORE = 8


class Purpose(Enum):
    """Lists the purposes of tokens. A token of one purpose is not valid for another."""

    UNSUBSCRIBE = b"u"
    PREFERENCES = b"p"
    BOUNCE = b"b"


@dataclass(frozen=True, slots=True)
class Token:
    """Holds the content of a valid token. `campaign_id` is 0 if the token belongs to no campaign.

    `subscriber_number` is the subscriber's number in a token of a version up to 0.3.0, whose `stable_id` is
    empty.
    """

    purpose: Purpose
    stable_id: bytes
    campaign_id: int
    subscriber_number: int = 0

    @property
    def is_of_test_copy(self) -> bool:
        """Returns whether the token was made for a test copy, and so belongs to no reader."""
        return self.subscriber_number == 0 if not self.stable_id else self.stable_id == NOBODY


def derive_stable_id(secret_key: str, address_key: str) -> bytes:
    """Returns the stable id (8 bytes) for a reader whom a version of mailer without stable ids has stored.

    `address_key` is the address in the form in which addresses are compared. Equal arguments give equal ids.
    """
    return hmac.digest(_derive_key(b"mailer.stable-ids", secret_key), address_key.encode(), "sha256")[:8]


class _HmacSigner:
    """Computes HMAC-SHA-256 (RFC 2104) of a prefix and data, fast, by copying two stored hash states."""

    def __init__(self, key: bytes, prefix: bytes = b"") -> None:
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + prefix)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(self, data: bytes) -> bytes:
        """Returns the signature (32 bytes) of the prefix followed by `data`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


def _derive_key(use: bytes, secret_key: str) -> bytes:
    """Returns a key for one use, such as `b"mailer.tokens"`, derived from a secret key."""
    return hashlib.sha256(use + b"\0" + secret_key.encode()).digest()


class _TokenKey:
    """Makes tokens with one secret key. `id` is the key id (2 bytes) in these tokens."""

    def __init__(self, secret_key: str) -> None:
        derived = _derive_key(b"mailer.tokens", secret_key)
        self.id = hashlib.sha256(derived).digest()[:2]
        self._id = int.from_bytes(self.id, "big") << 64
        self._signers = {purpose.value: _HmacSigner(derived, purpose.value + self.id) for purpose in Purpose}
        #: The letters that every token of this key begins with.
        self.first_letters = _base32_letters(self._id >> 65, _KEY)
        # The parts that were made last: a message has several tokens of one reader, a campaign has one id.
        self._campaign = (-1, b"", "", 0)
        self._last = (b"", -1, b"", "", 0)

    def make_token(self, purpose: Purpose, stable_id: bytes, campaign_id: int) -> str:
        """Returns the token of a reader and a campaign for one purpose."""
        last_id, last_campaign, body, head, rest = self._last
        if last_id != stable_id or last_campaign != campaign_id:
            body, head, rest = self._encode_signed_part(stable_id, campaign_id)
            self._last = stable_id, campaign_id, body, head, rest
        rest |= int.from_bytes(self._signers[purpose._value_].sign(body)[:_SIGNATURE], "big")
        pairs, a, b, c = _PAIRS, rest >> 62, rest >> 32 & _SMALL, rest >> 2 & _SMALL
        return (
            f"{head}{pairs[a >> 10]}{pairs[a & 1023]}{pairs[b >> 20]}{pairs[b >> 10 & 1023]}{pairs[b & 1023]}"
            f"{pairs[c >> 20]}{pairs[c >> 10 & 1023]}{pairs[c & 1023]}{_ENDS[rest & 3]}"
        )

    def _encode_signed_part(self, stable_id: bytes, campaign_id: int) -> tuple[bytes, str, int]:
        """Returns the signed bytes without the key id, the first 22 letters of the token, and two more bits.

        The two bits are the last ones of the campaign id, shifted to stand before the 80 bits of a signature.
        """
        last_campaign, end, campaign_letters, rest = self._campaign
        pairs = _PAIRS
        if last_campaign != campaign_id:
            end, rest = campaign_id.to_bytes(4, "big"), (campaign_id & 3) << 80
            campaign_letters = _base32_letters(campaign_id >> 2, 6)
            self._campaign = campaign_id, end, campaign_letters, rest
        who = self._id | int.from_bytes(stable_id, "big")
        a, b, c = who >> 60, who >> 30 & _SMALL, who & _SMALL
        head = (
            f"{pairs[a >> 10]}{pairs[a & 1023]}{pairs[b >> 20]}{pairs[b >> 10 & 1023]}{pairs[b & 1023]}"
            f"{pairs[c >> 20]}{pairs[c >> 10 & 1023]}{pairs[c & 1023]}{campaign_letters}"
        )
        return stable_id + end, head, rest


def _base32_letters(value: int, count: int) -> str:
    return "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(count)))


class TokenCodec:
    """Makes tokens with the first of the secret keys, and reads tokens that were made with any of them."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        self._keys = [_TokenKey(key) for key in dict.fromkeys(secret_keys)]
        self._make_token = self._keys[0].make_token
        self._numbered = NumberedTokenReader(secret_keys)

    def make(self, purpose: Purpose, stable_id: bytes, campaign_id: int = 0) -> str:
        """Returns a token for the reader with a stable id (8 bytes). A `campaign_id` of 0 is no campaign."""
        return self._make_token(purpose, stable_id, campaign_id)

    def read(self, text: str, purpose: Purpose) -> Token | None:
        """Returns the content of the token in `text`, or None if `text` holds no valid token for `purpose`.

        Case and characters around the token are ignored. If the signature does not match, a few lost, wrong
        or added letters are repaired: at most `MAX_TRIES` candidates are tested, and one is returned only if
        its signature is correct.
        """
        texts = possible_token_texts(text, _ALPHABET)
        for letters in texts:
            candidates = self._candidate_tokens(letters)
            token = next(
                filter(None, (self._verified_token(purpose, *candidate) for candidate in candidates)), None
            )
            if token is not None:
                return token
        numbered = self._numbered.read(text, purpose.value)
        if numbered is not None:
            return Token(purpose, b"", numbered[1], numbered[0])
        tries = MAX_TRIES // len(texts)
        for letters in texts:
            for _, candidate in zip(range(tries), self._repaired_tokens(letters), strict=False):
                token = self._verified_token(purpose, *candidate)
                if token is not None:
                    return token
        return None

    def has_unknown_key(self, text: str) -> bool:
        """Returns whether `text` looks like a whole token that was signed with a key not in the list."""
        (letters, *_) = possible_token_texts(text, _ALPHABET)
        is_known = any(letters.startswith(key.first_letters) for key in self._keys)
        is_whole = len(letters) == TOKEN_LENGTH and letters.endswith(_LAST)
        return (is_whole and not is_known) or self._numbered.has_unknown_key(text)

    def _verified_token(
        self, purpose: Purpose, key: _TokenKey, head: str, rest: str, max_edits: int
    ) -> Token | None:
        """Returns the token with the first letters `head`, or None if the signature in `rest` is not valid.

        `head` has 23 letters, and `rest` begins with the last of them. Of the signature, up to `max_edits`
        letters may be lost, wrong or added.
        """
        value = int(head.translate(_TO_INT), 32) >> 3
        stable_id, campaign_id = (value >> 32 & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big"), value & 0xFFFFFFFF
        if value >> 96 != int.from_bytes(key.id, "big"):
            return None
        expected = key.make_token(purpose, stable_id, campaign_id)
        if not begins_nearly_with(expected[_HEAD - 1 : -1], rest, max_edits):
            return None
        return Token(purpose, stable_id, campaign_id)

    def _candidate_tokens(self, text: str) -> Iterator[tuple[_TokenKey, str, str, int]]:
        """Yields (key, head, rest, max_edits), as `_verified_token` takes them, for each possible token.

        A token may begin anywhere in `text`, may have lost the key id, or may have the last letter of the key
        id swapped with the next letter.
        """
        for key in self._keys:
            for begin in _indexes_of(text, key.first_letters):
                if len(head := text[begin : begin + _HEAD]) == _HEAD:
                    yield key, head, text[begin + _HEAD - 1 :], 2
            if len(text) >= _HEAD:  # the last letter of the key id and the one behind it changed places
                yield key, key.first_letters + text[_KEY - 1] + text[_KEY + 1 : _HEAD], text[_HEAD - 1 :], 1
        for begin in range(_MAX_BEFORE):
            for key in self._keys:
                head = key.first_letters + text[begin : begin + _HEAD - _KEY]
                if len(head) == _HEAD:
                    yield key, head, text[begin + _HEAD - _KEY - 1 :], 1

    def _repaired_tokens(self, text: str) -> Iterator[tuple[_TokenKey, str, str, int]]:
        """Yields (key, head, rest, max_edits) for `_verified_token`, for each repair of a token's head."""
        for key in self._keys:
            for begin in _indexes_of(text, key.first_letters):
                token_text = text[begin:]
                if len(token_text) >= _HEAD:
                    yield from ((key, *repair) for repair in _repaired_token_heads(token_text))


def _indexes_of(text: str, piece: str) -> Iterator[int]:
    """Yields each index at which `piece` begins in `text`."""
    place = text.find(piece)
    while place >= 0:
        yield place
        place = text.find(piece, place + 1)


def _repaired_token_heads(text: str) -> Iterator[tuple[str, str, int]]:
    """Yields (head, rest, max_edits) for each repair of the 23 first letters of `text` after the key id.

    A repair assumes that one letter was lost or wrong, that one or two were added, or that two were swapped.
    """
    last = _HEAD - 1
    for place in range(_KEY, _HEAD):  # one or two were added
        for more in (1, 2):
            yield text[:place] + text[place + more : _HEAD + more], text[last + more :], 1
    for place in range(_KEY, last):  # two changed places
        yield text[:place] + text[place + 1] + text[place] + text[place + 2 : _HEAD], text[last:], 1
    for letter in "aiqy":  # the letter that also holds bits of the signature was lost, or is wrong
        yield text[:last] + letter, text[last:], 2
    for place in range(_KEY, last):
        for letter in _DIGITS:
            yield text[:place] + letter + text[place:last], text[last - 1 :], 1  # it was lost
            if letter != text[place]:
                yield text[:place] + letter + text[place + 1 : _HEAD], text[last:], 1  # it is wrong

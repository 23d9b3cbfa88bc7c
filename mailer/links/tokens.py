"""Makes and reads signed tokens, which name a reader in 40 small letters and digits.

A token names a subscriber by their stable id and the campaign that carried it, for one purpose. It holds no
address and never expires, because a reader may find the mail years later.

    key id 2 | stable id 8 | campaign 4 | signature 10   = 24 bytes = 39 letters of base32, and one more

The signature is HMAC-SHA-256 of the purpose and of all before it, cut to 80 bits (RFC 2104 section 5).
Several keys may be known: the first signs, all of them verify. docs/decisions/013-links-that-hold.md tells
why it is so.
Versions up to 0.3.0 made tokens that name a subscriber by number (`numbered`); they are read and never made.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mailer.links.mangled import begins_with, possible_texts
from mailer.links.numbered import NumberedTokens

__all__ = ["LENGTH", "MOST_TRIES", "NOBODY", "Purpose", "Token", "Tokens", "stable_id_of"]

#: Characters of a token.
LENGTH = 40
#: The stable id in test copies and samples, which names nobody.
NOBODY = bytes(8)
#: The most repairs that are tried of an unreadable text; each costs a signature.
MOST_TRIES = 1400

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_ALPHABET = frozenset(_DIGITS)
#: The digits that `int(…, 32)` reads.
_TO_INT = str.maketrans(_DIGITS, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
#: The last letter carries no information, because the end of an address is what often gets lost.
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
#: The most letters that may stand before a token that lost its key id.
_BEFORE = 8


class Purpose(Enum):
    """Lists the purposes of tokens. A token of one purpose is not valid for another."""

    UNSUBSCRIBE = b"u"
    PREFERENCES = b"p"
    BOUNCE = b"b"


@dataclass(frozen=True, slots=True)
class Token:
    """Holds the content of a valid token. `campaign_id` is 0 where it belongs to no campaign.

    A token of a version up to 0.3.0 has no `stable_id` and names the subscriber by `number`.
    """

    purpose: Purpose
    stable_id: bytes
    campaign_id: int
    number: int = 0

    @property
    def is_copy(self) -> bool:
        """Returns whether the token was in a test copy, and so belongs to nobody."""
        return self.number == 0 if not self.stable_id else self.stable_id == NOBODY


def stable_id_of(key: str, address_key: str) -> bytes:
    """Returns the 8-byte stable id of a reader of an earlier version; the same key gives the same id."""
    return hmac.digest(_derived(b"mailer.stable-ids", key), address_key.encode(), "sha256")[:8]


class _Signer:
    """Computes HMAC-SHA-256 (RFC 2104) of `prefix` and more data, fast, by copying two hash states."""

    def __init__(self, key: bytes, prefix: bytes = b"") -> None:
        block = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + prefix)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(self, data: bytes) -> bytes:
        """Returns the signature of `prefix` and `data`: 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


def _derived(use: bytes, key: str) -> bytes:
    """Returns a key for one use, derived from a secret key."""
    return hashlib.sha256(use + b"\0" + key.encode()).digest()


class _Key:
    """Holds one secret key: its id, and the signers of its tokens."""

    def __init__(self, key: str) -> None:
        derived = _derived(b"mailer.tokens", key)
        self.id = hashlib.sha256(derived).digest()[:2]
        self._id = int.from_bytes(self.id, "big") << 64
        self._signers = {purpose.value: _Signer(derived, purpose.value + self.id) for purpose in Purpose}
        #: The letters that every token of this key begins with.
        self.letters = _letters(self._id >> 65, _KEY)
        # The parts made last: a message has several tokens of one person, and a campaign has one id.
        self._campaign = (-1, b"", "", 0)
        self._last = (b"", -1, b"", "", 0)

    def text(self, purpose: Purpose, stable_id: bytes, campaign_id: int) -> str:
        """Returns the token of a reader and a campaign for one purpose."""
        last_id, last_campaign, body, head, rest = self._last
        if last_id != stable_id or last_campaign != campaign_id:
            body, head, rest = self._head(stable_id, campaign_id)
            self._last = stable_id, campaign_id, body, head, rest
        rest |= int.from_bytes(self._signers[purpose._value_].sign(body)[:_SIGNATURE], "big")
        pairs, a, b, c = _PAIRS, rest >> 62, rest >> 32 & _SMALL, rest >> 2 & _SMALL
        return (
            f"{head}{pairs[a >> 10]}{pairs[a & 1023]}{pairs[b >> 20]}{pairs[b >> 10 & 1023]}{pairs[b & 1023]}"
            f"{pairs[c >> 20]}{pairs[c >> 10 & 1023]}{pairs[c & 1023]}{_ENDS[rest & 3]}"
        )

    def _head(self, stable_id: bytes, campaign_id: int) -> tuple[bytes, str, int]:
        """Returns the signed bytes, their first 22 letters, and their last two bits, as the 23rd has them."""
        last_campaign, end, letters_of_it, rest = self._campaign
        pairs = _PAIRS
        if last_campaign != campaign_id:
            end, rest = campaign_id.to_bytes(4, "big"), (campaign_id & 3) << 80
            letters_of_it = _letters(campaign_id >> 2, 6)
            self._campaign = campaign_id, end, letters_of_it, rest
        who = self._id | int.from_bytes(stable_id, "big")
        a, b, c = who >> 60, who >> 30 & _SMALL, who & _SMALL
        head = (
            f"{pairs[a >> 10]}{pairs[a & 1023]}{pairs[b >> 20]}{pairs[b >> 10 & 1023]}{pairs[b & 1023]}"
            f"{pairs[c >> 20]}{pairs[c >> 10 & 1023]}{pairs[c & 1023]}{letters_of_it}"
        )
        return stable_id + end, head, rest


def _letters(value: int, number: int) -> str:
    return "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(number)))


class Tokens:
    """Makes and reads tokens with a list of secret keys, newest first."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError("at least one secret key is needed")
        self._keys = [_Key(key) for key in dict.fromkeys(keys)]
        self._text = self._keys[0].text
        self._numbered = NumberedTokens(keys)

    def make(self, purpose: Purpose, stable_id: bytes, campaign_id: int = 0) -> str:
        """Returns a token of 40 small letters and digits, for a stable id of 8 bytes."""
        return self._text(purpose, stable_id, campaign_id)

    def read(self, text: str, purpose: Purpose) -> Token | None:
        """Returns the content of the token in `text`; None for any other text or purpose.

        Case and what stands around it do not matter. A few letters that are lost, wrong or added are repaired
        where the signature then is exactly right; that costs `MOST_TRIES` signatures at most.
        """
        found = possible_texts(text, _ALPHABET)
        for given in found:
            token = next(filter(None, (self._tried(purpose, *way) for way in self._whole(given))), None)
            if token is not None:
                return token
        numbered = self._numbered.read(text, purpose.value)
        if numbered is not None:
            return Token(purpose, b"", numbered[1], numbered[0])
        tries = MOST_TRIES // len(found)
        for given in found:
            for _, way in zip(range(tries), self._mended(given), strict=False):
                token = self._tried(purpose, *way)
                if token is not None:
                    return token
        return None

    def is_of_unknown_key(self, text: str) -> bool:
        """Returns whether `text` looks like a whole token of a key that is not known here."""
        (given, *_) = possible_texts(text, _ALPHABET)
        ours = any(given.startswith(key.letters) for key in self._keys)
        whole = len(given) == LENGTH and given.endswith(_LAST)
        return (whole and not ours) or self._numbered.is_of_unknown_key(text)

    def _tried(self, purpose: Purpose, key: _Key, head: str, rest: str, edits: int) -> Token | None:
        """Returns the token with these 23 first letters, if `rest` is its signature within so many edits."""
        value = int(head.translate(_TO_INT), 32) >> 3
        stable_id, campaign_id = (value >> 32 & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big"), value & 0xFFFFFFFF
        if value >> 96 != int.from_bytes(key.id, "big"):
            return None
        expected = key.text(purpose, stable_id, campaign_id)
        if not begins_with(expected[_HEAD - 1 : -1], rest, edits):
            return None
        return Token(purpose, stable_id, campaign_id)

    def _whole(self, given: str) -> Iterator[tuple[_Key, str, str, int]]:
        """Yields (key, head, rest, edits) for each token whose head is whole, or has lost its key id."""
        for key in self._keys:
            for begin in _places(given, key.letters):
                if len(head := given[begin : begin + _HEAD]) == _HEAD:
                    yield key, head, given[begin + _HEAD - 1 :], 2
            if len(given) >= _HEAD:  # the last letter of the key id and the one behind it changed places
                yield key, key.letters + given[_KEY - 1] + given[_KEY + 1 : _HEAD], given[_HEAD - 1 :], 1
        for begin in range(min(_BEFORE, max(0, len(given) - _HEAD + _KEY))):
            for key in self._keys:
                head = key.letters + given[begin : begin + _HEAD - _KEY]
                if len(head) == _HEAD:
                    yield key, head, given[begin + _HEAD - _KEY - 1 :], 1

    def _mended(self, given: str) -> Iterator[tuple[_Key, str, str, int]]:
        """Yields (key, head, rest, edits) for each repair of one letter of the head, or of two adjacent."""
        for key in self._keys:
            for begin in _places(given, key.letters):
                text = given[begin:]
                if len(text) >= _HEAD:
                    yield from ((key, *way) for way in _heads(text))


def _places(text: str, part: str) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _heads(text: str) -> Iterator[tuple[str, str, int]]:
    """Yields (head, rest, edits left) with one letter after the key id lost, wrong, added or swapped."""
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

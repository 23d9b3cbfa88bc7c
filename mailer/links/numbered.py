"""Reads tokens of versions up to 0.3.0, which hold the number of a subscriber.

    key id 2 | purpose 1 | subscriber 8 | campaign 4 | signature 15   = 30 bytes = 40 characters of base64

In a return path (VERP) the same bytes stand as 48 characters of base32. Numbers return where an old backup is
restored, so that only those who were there at the migration may be named by one: see `audience.stable_ids`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import string
import struct
from collections.abc import Iterator
from itertools import islice, product

from mailer.links.mangled import begins_with, possible_texts

__all__ = ["NumberedTokens"]

_BODY = struct.Struct(">2scQI")
_SIGNATURE = 15
#: Characters of a token, of what is signed, and at its beginning of the key id and the purpose.
_LENGTH, _HEAD, _KEY = 40, 20, 4
_BASE64 = frozenset(string.ascii_letters + string.digits + "-_")
_BASE32 = frozenset(string.ascii_lowercase + "234567")
_BOUNCE = b"b"
#: The purposes of tokens in links.
_PURPOSES = (b"u", b"p", b"c")
#: The most letters that may stand before a token that lost its first letters.
_BEFORE = 8
#: The most spellings that are tried of a token in lower case.
_MOST_SPELLINGS = 512


class NumberedTokens:
    """Reads such tokens with a list of secret keys."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        derived = [hashlib.sha256(b"mailer.links\0" + key.encode()).digest() for key in dict.fromkeys(keys)]
        self._keys = [(hashlib.sha256(key).digest()[:2], key) for key in derived]

    def read(self, text: str, purpose: bytes) -> tuple[int, int] | None:
        """Returns (subscriber, campaign) of the token in `text`, or None. A few lost letters are repaired."""
        if purpose == _BOUNCE:
            (given, *_) = possible_texts(text, _BASE32)
            if len(given) != 48:
                return None
            raw = base64.b32decode(given.upper())
            body, signature = raw[: _BODY.size], raw[_BODY.size :]
            found = (self._numbers(key, body, purpose) for key in self._of(body[:2]))
            return next((n for n, s in found if n and hmac.compare_digest(s, signature)), None)
        (given,) = possible_texts(text, _BASE64)
        for key_id, key in self._keys:
            beginning = base64.urlsafe_b64encode(key_id + purpose).decode()
            for head, rest, edits in _ways(given, beginning):
                numbers, signature = self._numbers(key, base64.urlsafe_b64decode(head), purpose)
                expected = base64.urlsafe_b64encode(signature).decode()
                if begins_with(expected, rest, edits) or (
                    rest.islower() and begins_with(expected.lower(), rest, edits)
                ):
                    return numbers
        return None

    def is_of_unknown_key(self, text: str) -> bool:
        """Returns whether `text` looks like a whole token in base64 of a key that is not known here."""
        (given,) = possible_texts(text, _BASE64)
        if len(given) != _LENGTH:
            return False
        key_id, purpose, subscriber, campaign = _BODY.unpack(base64.urlsafe_b64decode(given[:_HEAD]))
        ours = any(key_id == known for known, _ in self._keys)
        return purpose in _PURPOSES and subscriber < 2**34 and campaign < 2**24 and not ours

    def _of(self, key_id: bytes) -> list[bytes]:
        return [key for known, key in self._keys if known == key_id]

    @staticmethod
    def _numbers(key: bytes, body: bytes, purpose: bytes) -> tuple[tuple[int, int] | None, bytes]:
        """Returns (subscriber, campaign) of the signed bytes, None for another purpose; and their HMAC."""
        _, kind, subscriber, campaign = _BODY.unpack(body)
        signature = hmac.digest(key, body, "sha256")[:_SIGNATURE]
        return ((subscriber, campaign) if kind == purpose else None), signature


def _ways(given: str, beginning: str) -> Iterator[tuple[str, str, int]]:
    """Yields (head, rest, edits) for a token that is whole, that lost its first letters, or its capitals."""
    place = given.find(beginning)
    if 0 <= place <= len(given) - _HEAD:
        yield given[place : place + _HEAD], given[place + _HEAD :], 2
    for place in range(min(_BEFORE, max(0, len(given) - _HEAD + _KEY))):
        head = beginning + given[place : place + _HEAD - _KEY]
        if len(head) == _HEAD:
            yield head, given[place + _HEAD - _KEY :], 1
    if given not in (given.lower(), given.upper()):
        return
    given = given.lower()
    place = given.find(beginning.lower())
    if 0 <= place <= len(given) - _HEAD:
        # Numbers are below 2**34 and campaigns below 2**24, so that these letters stand for zeros.
        small = given[place + 9 : place + 15], given[place + 16 : place + _HEAD]
        spellings = [product(*({letter.upper(): 0, letter: 0} for letter in part)) for part in small]
        for first, second in islice(product(*spellings), _MOST_SPELLINGS):
            head = f"{beginning}AAAAA{''.join(first)}A{''.join(second)}"
            yield head, given[place + _HEAD :], 2

"""Reads tokens that versions up to 0.3.0 made, which hold the number of a subscriber.

    key id 2 | purpose 1 | subscriber 8 | campaign 4 | signature 15   = 30 bytes = 40 characters of base64

In a return path (VERP) the same bytes stand as 48 characters of base32. After an older backup is restored, a
number may be given to another reader. So `audience.stable_ids` accepts only the numbers of readers who were
in the database when it was migrated to stable ids.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import string
import struct
from collections.abc import Iterator
from itertools import islice, product

from mailer.links.mangled import begins_nearly_with, possible_token_texts

__all__ = ["NumberedTokenReader"]

_BODY = struct.Struct(">2scQI")
_SIGNATURE = 15
#: Characters of a token, of the signed bytes, and of the key id and the purpose at the beginning of both.
_LENGTH, _HEAD, _KEY = 40, 20, 4
_BASE64 = frozenset(string.ascii_letters + string.digits + "-_")
_BASE32 = frozenset(string.ascii_lowercase + "234567")
_BOUNCE = b"b"
#: The purposes of tokens in links.
_PURPOSES = (b"u", b"p", b"c")
#: Fewer letters than these may stand before a token that lost its first letters.
_MAX_BEFORE = 8
#: At most this many spellings are tried of a token in lower case.
_MAX_SPELLINGS = 512


class NumberedTokenReader:
    """Reads tokens of versions up to 0.3.0, and verifies each with a list of secret keys."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        derived = [
            hashlib.sha256(b"mailer.links\0" + key.encode()).digest() for key in dict.fromkeys(secret_keys)
        ]
        self._keys = [(hashlib.sha256(key).digest()[:2], key) for key in derived]

    def read(self, text: str, purpose: bytes) -> tuple[int, int] | None:
        """Returns the numbers (subscriber, campaign) of the token in `text`, or None if it is not valid.

        `purpose` is one letter, the value of a `Purpose`. A few letters of a link may be lost, wrong or
        added.
        """
        if purpose == _BOUNCE:
            (letters, *_) = possible_token_texts(text, _BASE32)
            if len(letters) != 48:
                return None
            raw = base64.b32decode(letters.upper())
            body, signature = raw[: _BODY.size], raw[_BODY.size :]
            found = (self._numbers_and_signature(key, body, purpose) for key in self._keys_with_id(body[:2]))
            return next((n for n, s in found if n and hmac.compare_digest(s, signature)), None)
        (letters,) = possible_token_texts(text, _BASE64)
        for key_id, key in self._keys:
            beginning = base64.urlsafe_b64encode(key_id + purpose).decode()
            for head, rest, max_edits in _candidate_tokens(letters, beginning):
                numbers, signature = self._numbers_and_signature(key, base64.urlsafe_b64decode(head), purpose)
                expected = base64.urlsafe_b64encode(signature).decode()
                if begins_nearly_with(expected, rest, max_edits) or (
                    rest.islower() and begins_nearly_with(expected.lower(), rest, max_edits)
                ):
                    return numbers
        return None

    def has_unknown_key(self, text: str) -> bool:
        """Returns whether `text` looks like a whole token (base64) that was signed with an unknown key."""
        (letters,) = possible_token_texts(text, _BASE64)
        if len(letters) != _LENGTH:
            return False
        key_id, purpose, subscriber, campaign = _BODY.unpack(base64.urlsafe_b64decode(letters[:_HEAD]))
        is_known = any(key_id == known_id for known_id, _ in self._keys)
        return purpose in _PURPOSES and subscriber < 2**34 and campaign < 2**24 and not is_known

    def _keys_with_id(self, key_id: bytes) -> list[bytes]:
        return [key for known_id, key in self._keys if known_id == key_id]

    @staticmethod
    def _numbers_and_signature(
        key: bytes, body: bytes, purpose: bytes
    ) -> tuple[tuple[int, int] | None, bytes]:
        """Returns the numbers (subscriber, campaign) in `body`, and the signature that `body` must have.

        `body` holds the signed bytes of a token. The numbers are None if its purpose is not `purpose`.
        """
        _, found_purpose, subscriber, campaign = _BODY.unpack(body)
        signature = hmac.digest(key, body, "sha256")[:_SIGNATURE]
        return ((subscriber, campaign) if found_purpose == purpose else None), signature


def _candidate_tokens(text: str, beginning: str) -> Iterator[tuple[str, str, int]]:
    """Yields (head, rest, max_edits) for each place in `text` at which a token may begin.

    `beginning` has the letters of the key id and the purpose. `head` has the signed letters, and `rest`
    begins with the signature, of which up to `max_edits` letters may be lost, wrong or added. A token may be
    whole, may have lost the first letters, or may have been changed to lower or upper case.
    """
    place = text.find(beginning)
    if 0 <= place <= len(text) - _HEAD:
        yield text[place : place + _HEAD], text[place + _HEAD :], 2
    for place in range(_MAX_BEFORE):
        head = beginning + text[place : place + _HEAD - _KEY]
        if len(head) == _HEAD:
            yield head, text[place + _HEAD - _KEY :], 1
    if text not in (text.lower(), text.upper()):
        return
    text = text.lower()
    place = text.find(beginning.lower())
    if 0 <= place <= len(text) - _HEAD:
        # Numbers are below 2**34 and campaigns below 2**24, so that these letters stand for zeros.
        small = text[place + 9 : place + 15], text[place + 16 : place + _HEAD]
        spellings = [product(*({letter.upper(): 0, letter: 0} for letter in part)) for part in small]
        for first, second in islice(product(*spellings), _MAX_SPELLINGS):
            head = f"{beginning}AAAAA{''.join(first)}A{''.join(second)}"
            yield head, text[place + _HEAD :], 2

"""Signed tokens, and the URLs made of them. Pure: no clock, no database, no network.

A token names a subscriber and the campaign that carried it, for one purpose. It holds numbers only,
never an address, and it never expires, because a reader may find the mail years later. The
signature is HMAC-SHA-256 cut to 120 bits (RFC 2104 section 5 allows half of the hash or more than 80 bits).

    key id 2 | purpose 1 | subscriber 8 | campaign 4 | signature 15   = 30 bytes = 40 characters

Several keys may be known: the first signs, all of them verify. That is how a key is rotated.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import Enum

__all__ = ["Links", "Purpose", "Token", "Tokens"]

_BODY = struct.Struct(">2scQI")
_SIGNATURE = 15
_LENGTH = _BODY.size + _SIGNATURE


class Purpose(Enum):
    """What a token may be used for. A token of one purpose is worth nothing for another."""

    UNSUBSCRIBE = b"u"
    PREFERENCES = b"p"
    CONFIRM = b"c"
    BOUNCE = b"b"


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid token says. `campaign_id` is 0 where no campaign carried it."""

    purpose: Purpose
    subscriber_id: int
    campaign_id: int


class Tokens:
    """Makes and reads tokens with a list of secret keys, newest first."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError("at least one secret key is needed")
        self._keys: dict[bytes, bytes] = {}
        for key in keys:
            derived = hashlib.sha256(b"mailer.links\0" + key.encode()).digest()
            self._keys.setdefault(hashlib.sha256(derived).digest()[:2], derived)
        self._id, self._key = next(iter(self._keys.items()))
        self._signing = hmac.new(self._key, digestmod="sha256")  # keyed once: copying it is cheaper

    def _raw(self, purpose: Purpose, subscriber_id: int, campaign_id: int) -> bytes:
        body = _BODY.pack(self._id, purpose.value, subscriber_id, campaign_id)
        signing = self._signing.copy()
        signing.update(body)
        return body + signing.digest()[:_SIGNATURE]

    def make(self, purpose: Purpose, subscriber_id: int, campaign_id: int = 0) -> str:
        """A token of 40 URL-safe characters."""
        return base64.urlsafe_b64encode(self._raw(purpose, subscriber_id, campaign_id)).decode()

    def make_bounce(self, subscriber_id: int, campaign_id: int) -> str:
        """A token of 48 lower-case letters and digits, for the local part of a return path (VERP)."""
        raw = self._raw(Purpose.BOUNCE, subscriber_id, campaign_id)
        return base64.b32encode(raw).decode().lower()

    def read(self, text: str, purpose: Purpose) -> Token | None:
        """What the token says, or None for anything that was not made here for this purpose."""
        try:
            if purpose is Purpose.BOUNCE:
                raw = base64.b32decode(text.upper().encode("ascii"))
            else:
                raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        if len(raw) != _LENGTH:
            return None
        key_id, kind, subscriber_id, campaign_id = _BODY.unpack(raw[: _BODY.size])
        key = self._keys.get(key_id, self._key)
        expected = hmac.digest(key, raw[: _BODY.size], "sha256")[:_SIGNATURE]
        if not hmac.compare_digest(expected, raw[_BODY.size :]) or kind != purpose.value:
            return None
        return Token(purpose, subscriber_id, campaign_id)


class Links:
    """The public addresses of a workspace: what stands in messages and what `web/` answers to."""

    def __init__(self, base_url: str, tokens: Tokens) -> None:
        self.base_url = base_url.rstrip("/")
        self.tokens = tokens

    def unsubscribe(self, subscriber_id: int, campaign_id: int) -> str:
        """Where one person leaves: GET shows a page, POST unsubscribes (RFC 8058)."""
        return f"{self.base_url}/u/{self.tokens.make(Purpose.UNSUBSCRIBE, subscriber_id, campaign_id)}"

    def preferences(self, subscriber_id: int, campaign_id: int) -> str:
        """Where one person chooses their editions."""
        return f"{self.base_url}/p/{self.tokens.make(Purpose.PREFERENCES, subscriber_id, campaign_id)}"

    def archive(self, slug: str = "") -> str:
        """The public web page of a campaign, the same for everybody; without a slug, the list of them."""
        return f"{self.base_url}/archive/{slug}/" if slug else f"{self.base_url}/archive/"

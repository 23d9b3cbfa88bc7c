"""Makes tokens as versions up to 0.3.0 did, which are read and not made any more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

__all__ = ["numbered"]


def numbered(key: str, purpose: bytes, subscriber: int, campaign: int = 0) -> str:
    """The token, in base64; in base32 for a return path."""
    derived = hashlib.sha256(b"mailer.links\0" + key.encode()).digest()
    body = struct.pack(">2scQI", hashlib.sha256(derived).digest()[:2], purpose, subscriber, campaign)
    raw = body + hmac.digest(derived, body, "sha256")[:15]
    return (base64.b32encode(raw).lower() if purpose == b"b" else base64.urlsafe_b64encode(raw)).decode()

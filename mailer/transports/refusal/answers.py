"""Removes recipients' addresses from a server's answer, so that answers can be compared and shown."""

from __future__ import annotations

import re

__all__ = ["without_addresses"]

# Servers repeat the recipient's address in their answers, and the return path, which may name the delivery.
_AT = r"(?:@|%40|&#0*64;|&#x0*40;)"
_ADDRESS = re.compile(rf"[^\s<>()\[\]:;,\"']+{_AT}[^\s<>()\[\]:;,\"']+", re.IGNORECASE)


def without_addresses(words: str) -> str:
    """Returns the text with every address taken out."""
    may_hold = "@" in words or "%40" in words or "&#" in words
    return _ADDRESS.sub("the address", words) if may_hold else words

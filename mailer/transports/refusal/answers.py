"""Removes e-mail addresses from a server's answer, so that answers can be compared and shown."""

from __future__ import annotations

import re

__all__ = ["without_addresses"]

# Servers repeat the recipient's address in their answers, and the return path, which may name the delivery.
_AT = r"(?:@|%40|&#0*64;|&#x0*40;)"
_ADDRESS = re.compile(rf"[^\s<>()\[\]:;,\"']+{_AT}[^\s<>()\[\]:;,\"']+", re.IGNORECASE)


def without_addresses(text: str) -> str:
    """Returns `text` with each e-mail address replaced by "the address"."""
    may_hold = "@" in text or "%40" in text or "&#" in text
    return _ADDRESS.sub("the address", text) if may_hold else text

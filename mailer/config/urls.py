"""Parses URLs, and rejects a host or a port that cannot be connected to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

__all__ = ["is_loopback", "without_password", "split_url"]

_PASSWORD = re.compile(r"(//[^/@:]*):.*@", re.DOTALL)


def split_url(url: str) -> SplitResult:
    """Returns the parts of a URL, with a usable `hostname` and `port`.

    Raises ValueError with a short message that quotes nothing of the URL, because it may hold a password.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("its host cannot be read") from None
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is not a number from 1 to 65535") from None
    try:
        host.encode("idna")  # as the socket module does; a label may be empty or too long
    except UnicodeError:
        raise ValueError("its host is not the name of one") from None
    return parts


def without_password(url: str) -> str:
    """Returns the URL without its password, as a message may show it."""
    return _PASSWORD.sub(r"\1:…@", url)


def is_loopback(host: str) -> bool:
    """Returns whether a host is this machine, where nobody can listen in between."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

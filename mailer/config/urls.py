"""Parses URLs, and rejects a URL whose host or port is not valid."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

__all__ = ["is_loopback", "without_password", "split_url"]

_PASSWORD = re.compile(r"(//[^/@:]*):.*@", re.DOTALL)


def split_url(url: str) -> SplitResult:
    """Returns the parts of a URL. Raises ValueError if its host or port is not valid.

    The message quotes no part of the URL, because a URL may contain a password.
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
        raise ValueError("its host is not a valid host name") from None
    return parts


def without_password(url: str) -> str:
    """Returns `url` with `…` in place of the password, so that it can be shown."""
    return _PASSWORD.sub(r"\1:…@", url)


def is_loopback(host: str) -> bool:
    """Returns whether `host` is this machine: `localhost` or a loopback IP address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

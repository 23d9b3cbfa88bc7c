"""Finds the proxy for an API in the environment: HTTPS_PROXY, ALL_PROXY, NO_PROXY.

A connection goes through the proxy as a tunnel (CONNECT), so that the proxy sees neither secrets nor
messages. An address on this machine is reached without TLS and without a proxy.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from mailer.errors import ConfigError

__all__ = ["Proxy", "proxy_for"]

_USUAL_PORT: Final = 80  # of a URL with http, as for every program that knows this variable


@dataclass(frozen=True, slots=True)
class Proxy:
    """Holds the place of an HTTP proxy and its login. As text it leaves the login out, for error messages."""

    host: str
    port: int
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        return f"the proxy at {self.host}:{self.port} (HTTPS_PROXY)"

    def __repr__(self) -> str:
        return f"<{self}>"

    def headers(self) -> Mapping[str, str]:
        """Returns the header fields of a CONNECT: the login, where there is one (RFC 7617)."""
        if not self.user and not self.password:
            return {}
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        return {"Proxy-Authorization": f"Basic {login}"}


def proxy_for(base_url: str, peer: str) -> Proxy | None:
    """Returns the proxy for the address of `peer` (a provider), or None where it is reached directly.

    Raises ConfigError where the environment names a proxy that cannot be used.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https":
        return None
    proxies = getproxies()
    named = proxies.get("https") or proxies.get("all") or ""
    place = f"{parts.hostname}:{parts.port or 443}"
    if not named.strip() or proxy_bypass(place):
        return None
    return _read(named.strip(), peer)


def _read(text: str, peer: str) -> Proxy:
    wrong = ConfigError(
        "HTTPS_PROXY is not an HTTP proxy such as http://proxy.example.org:3128; correct it, or name "
        f"{peer}'s host in NO_PROXY"
    )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or _USUAL_PORT
    except ValueError:
        raise wrong from None
    if parts.scheme != "http" or not parts.hostname:
        raise wrong
    return Proxy(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))

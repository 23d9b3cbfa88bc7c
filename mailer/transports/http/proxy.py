"""Finds the HTTP proxy for an API in the environment variables HTTPS_PROXY, ALL_PROXY and NO_PROXY.

The proxy is used as a tunnel (CONNECT), so that it sees neither secrets nor messages. A URL that names this
machine is requested directly, without TLS and without a proxy.
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
    """Holds the host, port and login of an HTTP proxy. Its text (`str`, `repr`) does not show the login."""

    host: str
    port: int
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        return f"the proxy at {self.host}:{self.port} (HTTPS_PROXY)"

    def __repr__(self) -> str:
        return f"<{self}>"

    def connect_headers(self) -> Mapping[str, str]:
        """Returns the header fields of the CONNECT request: the login (RFC 7617), if there is one."""
        if not self.user and not self.password:
            return {}
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        return {"Proxy-Authorization": f"Basic {login}"}


def proxy_for(base_url: str, provider: str) -> Proxy | None:
    """Returns the proxy for requests to `base_url`, or None if no proxy is to be used.

    `provider` is the name for error messages. Raises ConfigError if the environment names a proxy that cannot
    be used.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https":
        return None
    proxies = getproxies()
    named = proxies.get("https") or proxies.get("all") or ""
    place = f"{parts.hostname}:{parts.port or 443}"
    if not named.strip() or proxy_bypass(place):
        return None
    return _parse_proxy(named.strip(), provider)


def _parse_proxy(proxy_url: str, provider: str) -> Proxy:
    wrong = ConfigError(
        "HTTPS_PROXY is not the URL of an HTTP proxy such as http://proxy.example.org:3128; correct it, or "
        f"name {provider}'s host in NO_PROXY"
    )
    try:
        parts = urlsplit(proxy_url if "://" in proxy_url else f"http://{proxy_url}")
        port = parts.port or _USUAL_PORT
    except ValueError:
        raise wrong from None
    if parts.scheme != "http" or not parts.hostname:
        raise wrong
    return Proxy(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))

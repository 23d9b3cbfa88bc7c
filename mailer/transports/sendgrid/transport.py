"""Implements the transport `sendgrid:`, which sends over Twilio SendGrid's v3 API.

A request has up to a thousand recipients. `channel` sends the batches.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from mailer.config import Settings
from mailer.config.urls import split_url
from mailer.errors import ConfigError
from mailer.transports.base import Sleep, is_loopback
from mailer.transports.http.proxy import proxy_for
from mailer.transports.sendgrid.account import SendGridAccount
from mailer.transports.sendgrid.channel import SendGridChannel
from mailer.transports.sendgrid.driver import API_KEY, BASE_URL
from mailer.transports.sendgrid.request import MOST_RECIPIENTS
from mailer.transports.sendgrid.throttle import RateLimitState

__all__ = ["SendGrid", "SendGridChannel"]

_USUAL_URL: Final = "https://api.sendgrid.com"
_ANSWER_SECONDS: Final = 60.0
_PATH: Final = re.compile("[!-~]*")


class SendGrid:
    """Represents the transport for SendGrid, with one account and a channel for each worker thread."""

    batch_size = MOST_RECIPIENTS

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        concurrency: int = 1,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.time,
        timeout: float = _ANSWER_SECONDS,
    ) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.concurrency = concurrency
        self._account = SendGridAccount(
            base_url, api_key, timeout, sleep, clock, RateLimitState(), threading.Lock()
        )

    @classmethod
    def from_settings(cls, url: str, settings: Settings, sleep: Sleep = time.sleep) -> SendGrid:
        """Returns the transport for the URL `sendgrid:`.

        Raises ConfigError if SENDGRID_API_KEY is not set or MAILER_SENDGRID_URL is wrong.
        """
        if url.partition(":")[2]:
            raise ConfigError(
                f'"{url}" is not a transport; write sendgrid: and set MAILER_SENDGRID_URL to use another URL'
            )
        key = settings.environment_variable(API_KEY).strip()
        if not key:
            raise ConfigError("SENDGRID_API_KEY is not set; put the key of your SendGrid account into .env")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError("SENDGRID_API_KEY is not a key; a key has only ASCII characters and no spaces")
        base_url = _checked_base_url(settings.environment_variable(BASE_URL) or _USUAL_URL)
        proxy_for(base_url, "SendGrid")  # reports an unusable proxy before anything is sent
        return cls(base_url, key, concurrency=settings.delivery.connections, sleep=sleep)

    def channel(self) -> SendGridChannel:
        """Returns a new channel, which has its own connection."""
        return SendGridChannel(self._account)


def _checked_base_url(url: str) -> str:
    """Returns the URL of the API. Raises ConfigError unless it begins with https or names this machine."""
    wrong = ConfigError("MAILER_SENDGRID_URL is not a URL such as https://api.sendgrid.com")
    try:
        parts = split_url(url)
    except ValueError:
        raise wrong from None
    usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    if (
        not usable
        or not _PATH.fullmatch(parts.path)
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise wrong
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"MAILER_SENDGRID_URL would send the API key to {parts.hostname} in the clear; use https://"
        )
    return url.rstrip("/")

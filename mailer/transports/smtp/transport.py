"""Implements the transports `smtp://user@host:port` and `smtps://…`, which send over kept connections.

`channel` sends the messages, and `server` opens sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import unquote

from mailer.config import Settings
from mailer.config.urls import split_url, without_password
from mailer.errors import ConfigError
from mailer.transports.base import Sleep
from mailer.transports.oauth.oauth import token_cache_for
from mailer.transports.smtp.channel import SmtpChannel
from mailer.transports.smtp.driver import CA_FILE, PASSWORD
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.server_profile import MESSAGES_PER_CONNECTION, ServerProfile

__all__ = ["MESSAGES_PER_CONNECTION", "Smtp", "SmtpChannel"]


class Smtp:
    """Represents the transport for an SMTP server, with a channel for each worker thread."""

    batch_size = 1

    def __init__(self, server: ServerSettings, *, concurrency: int = 1, sleep: Sleep = time.sleep) -> None:
        self.server = server
        self.concurrency = concurrency
        self._sleep = sleep
        self._profile = ServerProfile()

    @classmethod
    def from_url(
        cls,
        url: str,
        settings: Settings,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Smtp:
        """Returns the transport for `smtp://user@host:port` or `smtps://…`. Raises ConfigError.

        `clock` (monotonic, in seconds) decides when an access token is renewed.
        """
        try:
            parts = split_url(url)
        except ValueError as error:
            raise ConfigError(
                f'"{without_password(url)}" is not a transport: {error}; write smtp://user@host:port'
            ) from None
        host, port = parts.hostname or "", parts.port
        if parts.password is not None:
            raise ConfigError(
                "the transport's URL holds a password; leave it out and set MAILER_SMTP_PASSWORD"
            )
        if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ConfigError(f'"{url}" is not a transport; write smtp://user@host:port')
        user = unquote(parts.username or "")
        password = settings.environment_variable(PASSWORD)
        ca_file = settings.environment_variable(CA_FILE)
        tokens = token_cache_for(settings, user, clock) if user else None
        if user and not password and tokens is None:
            raise ConfigError(
                f"MAILER_SMTP_PASSWORD is not set, and {host} requires a password for {user}; put it into "
                ".env, or leave the user out of the transport's URL"
            )
        implicit = parts.scheme == "smtps"
        server = ServerSettings(
            host,
            port or (465 if implicit else 587 if user else 25),
            implicit_tls=implicit,
            user=user,
            password=password if user and tokens is None else "",
            ca_file=settings.root / ca_file if ca_file else None,
            helo=settings.delivery.helo,
            tokens=tokens,
        )
        return cls(server, concurrency=settings.delivery.connections, sleep=sleep)

    def channel(self) -> SmtpChannel:
        """Returns a new channel, which has its own connection."""
        return SmtpChannel(self.server, self._sleep, self._profile)

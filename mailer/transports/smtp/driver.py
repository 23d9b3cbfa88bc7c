"""Defines the driver of `smtp://user@host:port` and `smtps://…`, which sends to an SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mailer.config.urls import split_url
from mailer.transports.driver import Driver, TransportTrial, UrlForm

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.transports.base import Sleep, Transport
    from mailer.transports.finding import Finding

__all__ = ["CA_FILE", "DRIVER", "PASSWORD"]

PASSWORD: Final = "MAILER_SMTP_PASSWORD"  # noqa: S105 - the name of the variable
CA_FILE: Final = "MAILER_SMTP_CA_FILE"


def _open_transport(url: str, settings: Settings, sleep: Sleep) -> Transport:
    from mailer.transports.smtp.transport import Smtp

    return Smtp.from_url(url, settings, sleep)


def _check_url(url: str) -> None:
    try:
        parts = split_url(url)
    except ValueError as error:
        raise ValueError(f"is not the URL of a server: {error}; write smtp://user@host:port") from None
    if parts.password is not None:
        raise ValueError(f"holds a password; leave it out and set {PASSWORD}")


def _host_in_url(url: str) -> str:
    try:
        return split_url(url).hostname or ""
    except ValueError:
        return ""


def _try_login(settings: Settings) -> Iterator[Finding]:
    from mailer.transports.smtp.trial import try_login

    return try_login(settings)


DRIVER: Final = Driver(
    urls=(
        UrlForm("smtp", "smtp://user@host:port", "smtp://user@host:587"),
        UrlForm("smtps", "smtps://user@host:port", "smtps://user@host:465"),
    ),
    open=_open_transport,
    check_url=_check_url,
    secrets=(PASSWORD, "MAILER_OAUTH_CLIENT_SECRET", "MAILER_OAUTH_REFRESH_TOKEN"),
    variables=(CA_FILE, "MAILER_OAUTH_KEY_FILE"),
    peer="the server",
    source="smtp",
    advice=(
        f"check the user in the transport's URL and {PASSWORD} (or [delivery.oauth]), or ask the operator"
    ),
    host=_host_in_url,
    trial=TransportTrial("smtp", _try_login),
)

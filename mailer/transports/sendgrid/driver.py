"""Defines the driver of `sendgrid:`, which sends over Twilio SendGrid's v3 API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mailer.transports.driver import Driver, ProviderDns, TransportTrial, UnwritableAddresses, UrlForm

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.transports.base import Sleep, Transport
    from mailer.transports.finding import Finding

__all__ = ["API_KEY", "BASE_URL", "DRIVER", "UNWRITABLE"]

API_KEY: Final = "SENDGRID_API_KEY"
BASE_URL: Final = "MAILER_SENDGRID_URL"

#: Domains are ASCII here, so that other letters stand before the @ (RFC 6531).
UNWRITABLE: Final = UnwritableAddresses(
    "SendGrid", "its API takes no letters beyond ASCII before the @", lambda address: not address.isascii()
)


def _open_transport(url: str, settings: Settings, sleep: Sleep) -> Transport:
    from mailer.transports.sendgrid.transport import SendGrid

    return SendGrid.from_settings(url, settings, sleep)


def _try_api_key(settings: Settings) -> Iterator[Finding]:
    from mailer.transports.sendgrid.trial import try_api_key

    return try_api_key(settings)


DRIVER: Final = Driver(
    urls=(UrlForm("sendgrid", "sendgrid:", "sendgrid:"),),
    open=_open_transport,
    secrets=(API_KEY,),
    variables=(BASE_URL,),
    peer="SendGrid",
    source="sendgrid",
    signed_by_us=False,  # it is given pieces, not a message
    unwritable=UNWRITABLE,
    dns=ProviderDns(
        provider="SendGrid",
        domain="sendgrid.net",
        selectors=("s1", "s2"),
        setup_page="Settings, Sender Authentication",
        own_return_path="automated security",
    ),
    trial=TransportTrial("sendgrid key", _try_api_key),
)

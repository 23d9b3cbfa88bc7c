"""Chooses the transport of an issue by the command line, the settings and the existing campaign."""

from __future__ import annotations

from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.errors import ConfigError
from mailer.transports.registry import is_folder_transport, open_transport

__all__ = ["choose_transport", "transport_problem"]


def choose_transport(settings: Settings, existing: Campaign | None, requested: str | None) -> str:
    """Returns the URL of the transport: `requested` if it is given, otherwise the transport in the settings.

    If the settings name an outbox folder, but the existing campaign is sent by mail, returns the transport of
    the campaign, because the operator may have forgotten `--transport` the second time.
    """
    if requested is not None:
        return requested
    url = settings.delivery.transport
    if existing is not None and is_folder_transport(url) and not is_folder_transport(existing.transport):
        return existing.transport
    return url


def transport_problem(url: str, settings: Settings) -> str:
    """Returns why this transport cannot be used, such as a missing secret; "" if it can be used."""
    try:
        open_transport(url, settings)
    except ConfigError as error:
        return str(error)
    return ""

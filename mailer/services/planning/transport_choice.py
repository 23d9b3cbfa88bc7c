"""By which transport an issue goes out: what is asked for, and what its campaign went by before."""

from __future__ import annotations

from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.errors import ConfigError
from mailer.transports.registry import is_folder, open_transport

__all__ = ["choose_transport", "transport_problem"]


def choose_transport(settings: Settings, existing: Campaign | None, requested: str | None) -> str:
    """The transport's URL: `requested`, or that of the settings.

    A campaign that began to be mailed does not end in a folder because nobody repeated `--transport`: it
    goes on as it began.
    """
    if requested is not None:
        return requested
    url = settings.delivery.transport
    if existing is not None and is_folder(url) and not is_folder(existing.transport):
        return existing.transport
    return url


def transport_problem(url: str, settings: Settings) -> str:
    """Why nothing could be sent by this transport, such as a secret that is missing; "" where it could be."""
    try:
        open_transport(url, settings)
    except ConfigError as error:
        return str(error)
    return ""

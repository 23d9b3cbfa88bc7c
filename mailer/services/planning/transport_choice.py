"""By which transport an issue goes out: what is asked for, and what its campaign went by before."""

from __future__ import annotations

from mailer.config import Settings
from mailer.errors import ConfigError
from mailer.spool.sqlite.campaigns import Campaign
from mailer.transports.registry import is_folder, open_transport

__all__ = ["choose_way", "why_not"]


def choose_way(settings: Settings, existing: Campaign | None, asked: str | None) -> str:
    """The transport's URL: `asked`, or that of the settings.

    A campaign that began to be mailed does not end in a folder because nobody repeated `--transport`: it
    goes on as it began.
    """
    if asked is not None:
        return asked
    way = settings.delivery.transport
    if existing is not None and is_folder(way) and not is_folder(existing.transport):
        return existing.transport
    return way


def why_not(way: str, settings: Settings) -> str:
    """Why nothing could be sent by this transport, such as a secret that is missing; "" where it could be."""
    try:
        open_transport(way, settings)
    except ConfigError as error:
        return str(error)
    return ""

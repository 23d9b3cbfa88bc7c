"""By which transport an issue goes out: what is asked for, and what its campaign went by before."""

from __future__ import annotations

from mailer.config import Settings
from mailer.delivery.campaigns import Campaign
from mailer.delivery.transports import open_transport
from mailer.errors import CampaignError, ConfigError

__all__ = ["check_way", "choose_way", "why_not"]


def choose_way(settings: Settings, existing: Campaign | None, asked: str | None) -> str:
    """The transport's URL: `asked`, or that of the settings.

    A campaign that began to be mailed does not end in a folder because nobody repeated `--transport`: it
    goes on as it began.
    """
    if asked is not None:
        return asked
    way = settings.delivery.transport
    if existing is not None and _is_folder(way) and not _is_folder(existing.transport):
        return existing.transport
    return way


def check_way(settings: Settings, way: str, existing: Campaign | None, *, asked: bool) -> None:
    """Raises ConfigError where nothing can be sent by this transport, before anything is written.

    And CampaignError where a campaign that went into a folder would now be mailed, and nobody said so.
    """
    open_transport(way, settings)
    if existing is None or asked or existing.started_at is None:
        return
    if _is_folder(existing.transport) and not _is_folder(way):
        raise CampaignError(
            f"campaign {existing.slug} went into {existing.transport} until now, and mailer.toml says {way}; "
            f"add --transport {existing.transport} or --transport {way} to say which is meant for the rest"
        )


def why_not(way: str, settings: Settings) -> str:
    """Why nothing could be sent by this transport, such as a secret that is missing; "" where it could be."""
    try:
        open_transport(way, settings)
    except ConfigError as error:
        return str(error)
    return ""


def _is_folder(way: str) -> bool:
    return way.partition(":")[0].lower() == "outbox"

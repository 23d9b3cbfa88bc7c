"""Compares the sender that a campaign was frozen with to the sender that mailer.toml names now."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from mailer.archive.campaign import read_manifest
from mailer.archive.recorded_settings import recorded_settings
from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.config import Settings
from mailer.errors import MailerError

__all__ = ["frozen_sender", "changed_sender_note"]


def frozen_sender(settings: Settings, campaign: Campaign) -> str:
    """Returns the From address of every message of a campaign, including messages that a later run sends."""
    with suppress(MailerError):
        recorded = recorded_settings(read_manifest(settings.campaigns / campaign.slug), settings)
        return str(recorded.publication.sender)
    return str(campaign.plan.get("sender", ""))


def changed_sender_note(
    settings: Settings, campaign: Campaign, delivery_counts: Mapping[str, int], *, reached_nobody: bool
) -> str:
    """Returns advice if the sender in mailer.toml was changed after a campaign was frozen; otherwise "".

    `delivery_counts` are the numbers of deliveries of the campaign, by state. `reached_nobody` is true if no
    reader has the issue, or may have it.
    """
    frozen, now = frozen_sender(settings, campaign), str(settings.publication.sender)
    if not frozen or frozen == now or campaign.status is Status.CANCELLED:
        return ""
    if campaign.status is Status.SENT and not delivery_counts["rejected"]:
        return ""  # nothing is left to send
    begin = f"The campaign sends from {frozen}, but mailer.toml now says {now}. "
    slug, issue = campaign.slug, campaign.issue
    if reached_nobody:
        return (
            f"{begin}Nobody has the issue yet: after `mailer campaigns cancel {slug}`, `mailer send {issue}` "
            "plans it with the new sender."
        )
    return (
        f"{begin}Some readers have the issue already, so `mailer send {issue}` sends the rest from "
        f"{frozen}, too; "
        f"`mailer campaigns cancel {slug}` ends the campaign without the rest."
    )

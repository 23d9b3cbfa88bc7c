"""Advises operators about deliveries that were refused or deferred."""

from __future__ import annotations

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.spool.values import Reason

__all__ = ["advice_on"]


def advice_on(reason: Reason, campaign: Campaign) -> str:
    """Returns advice, in sentences, about the deliveries that failed for this reason; empty if there is
    none."""
    if campaign.status is Status.CANCELLED:
        return "the campaign was cancelled, so they are not tried again."
    again = f"`mailer campaigns retry {campaign.slug}`"
    itself = campaign.status is Status.SCHEDULED or (
        campaign.status is Status.STOPPED and campaign.held_until
    )
    how = "by themselves, later each time" if itself else "by the next run"
    later = f" They are tried again {how}." if reason.state == "deferred" else ""
    match reason.cause:
        case "address":
            return "nobody is there. They are marked as bounced and are not written to again."
        case "mailbox":
            last = later or f" {again} tries them again; who refuses for a week is marked as bounced."
            return f"the mailbox is full, or shut for now.{last}"
        case "us":
            return (
                "the refusal is about us, not about the readers. See to SPF, DKIM, DMARC, block lists and "
                f"what is sent (`mailer doctor` looks), then {again}."
            )
        case "them":
            later = later or f" {again} tries them again."
            return f"their server had trouble, or asked to be left for later.{later}"
    return f"{again} tries them again." if reason.state == "rejected" else ""

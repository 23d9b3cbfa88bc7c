"""Advises operators about deliveries that were refused or deferred."""

from __future__ import annotations

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.spool.values import ReasonGroup

__all__ = ["advice_on_failed_deliveries"]


def advice_on_failed_deliveries(reason_group: ReasonGroup, campaign: Campaign) -> str:
    """Returns advice, in sentences, about the deliveries that failed for this reason; empty if there is
    none."""
    if campaign.status is Status.CANCELLED:
        return "the campaign was cancelled, so these deliveries are not tried again."
    again = f"`mailer campaigns retry {campaign.slug}`"
    itself = campaign.status is Status.SCHEDULED or (
        campaign.status is Status.STOPPED and campaign.held_until
    )
    how = "automatically, with growing pauses" if itself else "by the next run"
    later = f" They are tried again {how}." if reason_group.state == "deferred" else ""
    match reason_group.cause:
        case "address":
            return "the address does not exist. The readers are marked as bounced and get no more mail."
        case "mailbox":
            last = (
                later
                or f" {again} tries them again; readers whose mailbox refuses mail for a week are marked as "
                "bounced."
            )
            return f"the mailbox is full or temporarily closed.{last}"
        case "us":
            return (
                "the server refuses us as the sender, not the readers. Check SPF, DKIM, DMARC, block lists "
                f"and the content (`mailer doctor` helps), then run {again}."
            )
        case "them":
            later = later or f" {again} tries them again."
            return f"the receiving server had a problem, or asked us to try later.{later}"
    return f"{again} tries them again." if reason_group.state == "rejected" else ""

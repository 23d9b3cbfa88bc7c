"""Counts the failed deliveries of a campaign: refusals, uncertain deliveries, bounces and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from mailer.audience.events import ReturnedMail, people_with_returned_mail
from mailer.spool.base import Spool

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["CampaignHealth", "count_returned_mail", "campaign_health_of"]

#: This number of events is compared with the spool at once.
_BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class CampaignHealth:
    """Counts the deliveries of a campaign: `tried` is the number of deliveries with an outcome.

    Among the tried deliveries, `refused` were rejected, `doubtful` are uncertain, and `returned` were
    accepted but then bounced or were reported as spam.
    """

    tried: int
    refused: int
    doubtful: int
    returned: int

    @property
    def failures(self) -> int:
        """Returns the number of all failed deliveries."""
        return self.refused + self.doubtful + self.returned


def campaign_health_of(db: Database, spool: Spool) -> CampaignHealth:
    """Returns the current counts for the whole campaign."""
    counts = spool.delivery_counts_by_state()
    refused, doubtful = counts["rejected"], counts["uncertain"]
    return CampaignHealth(
        counts["accepted"] + refused + doubtful, refused, doubtful, count_returned_mail(db, spool)
    )


def count_returned_mail(db: Database, spool: Spool) -> int:
    """Returns how many people bounced or complained after their delivery was accepted. Each person counts
    once.

    An unsubscribe does not count. A bounce from an imported list names no campaign, so it counts for each
    campaign that was accepted before it.
    """
    number = 0
    found: Iterator[ReturnedMail] = people_with_returned_mail(db, spool.campaign.id)
    while some := list(islice(found, _BATCH_SIZE)):
        accepted = spool.acceptance_times([returned.person for returned in some])
        number += sum(
            returned.person in accepted and (returned.named or returned.at >= accepted[returned.person])
            for returned in some
        )
    return number

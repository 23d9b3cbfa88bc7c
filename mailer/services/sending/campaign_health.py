"""Counts the failures of a campaign so far: refusals, uncertain deliveries, bounces and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from mailer.audience.events import ReturnedMail, returned_mail_of
from mailer.spool.base import Spool

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["CampaignHealth", "count_returned", "health_of"]

#: This number of events is compared with the spool at once.
_BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class CampaignHealth:
    """Counts `tried` deliveries with an outcome, and among them `refused` (rejected), `doubtful` (uncertain),
    and `returned` (accepted, then bounced or reported as spam)."""

    tried: int
    refused: int
    doubtful: int
    returned: int

    @property
    def failures(self) -> int:
        """Returns the number of all failures."""
        return self.refused + self.doubtful + self.returned


def health_of(db: Database, spool: Spool) -> CampaignHealth:
    """Returns the counts for the whole campaign as of now."""
    counts = spool.counts()
    refused, doubtful = counts["rejected"], counts["uncertain"]
    return CampaignHealth(
        counts["accepted"] + refused + doubtful, refused, doubtful, count_returned(db, spool)
    )


def count_returned(db: Database, spool: Spool) -> int:
    """Returns how many people bounced or complained after their delivery was accepted, each counted once.

    An unsubscribe does not count. A bounce from an imported list names no campaign, so it counts for each
    campaign that was accepted before it.
    """
    number = 0
    found: Iterator[ReturnedMail] = returned_mail_of(db, spool.campaign.id)
    while some := list(islice(found, _BATCH_SIZE)):
        accepted = spool.accepted_at([returned.person for returned in some])
        number += sum(
            returned.person in accepted and (returned.named or returned.at >= accepted[returned.person])
            for returned in some
        )
    return number

"""Counts the failures of a campaign so far: refusals, uncertain deliveries, bounces and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from mailer.audience.events import ReturnedMail, people_with_returned_mail
from mailer.spool.base import Spool

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Health", "came_back", "health_of"]

#: This number of events is compared with the spool at once.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Health:
    """Counts `tried` deliveries with an outcome, and among them `refused` (rejected), `doubtful` (uncertain),
    and `came_back` (accepted, then bounced or reported as spam)."""

    tried: int
    refused: int
    doubtful: int
    came_back: int

    @property
    def failures(self) -> int:
        """Returns the number of all failures."""
        return self.refused + self.doubtful + self.came_back


def health_of(db: Database, spool: Spool) -> Health:
    """Returns the counts for the whole campaign as of now."""
    counts = spool.counts_by_state()
    refused, doubtful = counts["rejected"], counts["uncertain"]
    return Health(counts["accepted"] + refused + doubtful, refused, doubtful, came_back(db, spool))


def came_back(db: Database, spool: Spool) -> int:
    """Returns how many people bounced or complained after their delivery was accepted, each counted once.

    An unsubscribe does not count. A bounce from an imported list names no campaign, so it counts for each
    campaign that was accepted before it.
    """
    number = 0
    found: Iterator[ReturnedMail] = people_with_returned_mail(db, spool.campaign.id)
    while some := list(islice(found, _AT_ONCE)):
        accepted = spool.acceptance_times([returned.person for returned in some])
        number += sum(
            returned.person in accepted and (returned.named or returned.at >= accepted[returned.person])
            for returned in some
        )
    return number

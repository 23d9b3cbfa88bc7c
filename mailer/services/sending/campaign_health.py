"""Counts how a campaign was taken so far: what servers refused, and what came back later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from mailer.audience.events import ReturnedMail, returned_mail_of
from mailer.spool.base import Spool

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Health", "came_back", "health_of"]

#: So many events are compared with the spool at once.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Health:
    """`tried` deliveries have an outcome: `refused` were rejected, `doubtful` may not have arrived, and
    `came_back` were accepted and bounced or complained of since."""

    tried: int
    refused: int
    doubtful: int
    came_back: int

    @property
    def bad(self) -> int:
        """How many are no good sign."""
        return self.refused + self.doubtful + self.came_back


def health_of(db: Database, spool: Spool) -> Health:
    """Returns what is known of the whole campaign now."""
    counts = spool.counts()
    refused, doubtful = counts["rejected"], counts["uncertain"]
    return Health(counts["accepted"] + refused + doubtful, refused, doubtful, came_back(db, spool))


def came_back(db: Database, spool: Spool) -> int:
    """Returns how many who were accepted have bounced or complained since, each person once.

    A wish to leave is no refusal. A list that is imported names no campaign: what it tells counts for each
    campaign that had been accepted before.
    """
    number = 0
    found: Iterator[ReturnedMail] = returned_mail_of(db, spool.campaign.id)
    while some := list(islice(found, _AT_ONCE)):
        accepted = spool.accepted_at([returned.person for returned in some])
        number += sum(
            returned.person in accepted and (returned.named or returned.at >= accepted[returned.person])
            for returned in some
        )
    return number

"""Defines what the parts of the spool on SQLite share: the connection, the campaign, and pieces of SQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mailer.campaign.campaign import Campaign
from mailer.spool.values import Redaction
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["BY_PERSON", "CLAIMED", "OPEN", "Part"]

#: The very words of the partial index `deliveries_open`: with them in a condition, SQLite uses it.
OPEN = "state IN ('pending', 'sending', 'deferred', 'uncertain')"
#: `o` is a table of [person, attempt, ...], `:owner` the claims' owner; a claim that was settled meanwhile,
#: or belongs to another owner, is left alone.
CLAIMED = (
    "subscriber_id = o.value ->> 0 AND attempt = o.value ->> 1 AND deliveries.state = 'sending' "
    "AND deliveries.owner = :owner"
)
#: Else SQLite goes through the whole campaign for each of them.
BY_PERSON = "INDEXED BY deliveries_subscriber"


class Part:
    """Gives each part of the spool its connection, campaign and owner."""

    def __init__(
        self, db: Database, campaign: Campaign, redaction: Redaction, *, owner: str, into_folder: bool
    ) -> None:
        self._db = db
        self._redaction = redaction
        self.campaign = campaign
        self.owner = owner
        self.into_folder = into_folder

    def together(self) -> AbstractContextManager[object]:
        """Opens a transaction for everything that is written inside it, so that it is synced once."""
        return writing(self._db)

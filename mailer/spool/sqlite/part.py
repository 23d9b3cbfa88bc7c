"""Defines what the parts of the spool on SQLite share: the connection, the campaign, and pieces of SQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mailer.campaign.campaign import Campaign
from mailer.spool.values import Redaction
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["BY_PERSON", "CLAIMED", "OPEN", "SpoolPart"]

#: The condition of the partial index `deliveries_open`, verbatim: only then does SQLite use the index.
OPEN = "state IN ('pending', 'sending', 'deferred', 'uncertain')"
#: `o` is a table of [person, attempt, ...], `:owner` the owner of the claims. A claim that was settled
#: meanwhile, or belongs to another owner, is not changed.
CLAIMED = (
    "subscriber_id = o.value ->> 0 AND attempt = o.value ->> 1 AND deliveries.state = 'sending' "
    "AND deliveries.owner = :owner"
)
#: Without this hint SQLite scans the whole campaign for each of them.
BY_PERSON = "INDEXED BY deliveries_subscriber"


class SpoolPart:
    """Holds the connection, campaign and owner that every part of the spool uses.

    `redaction` removes text that may not be stored. `owner` identifies the run that claims. `into_folder`
    is True if messages are only written to an outbox folder.
    """

    def __init__(
        self, db: Database, campaign: Campaign, redaction: Redaction, *, owner: str, into_folder: bool
    ) -> None:
        self._db = db
        self._redaction = redaction
        self.campaign = campaign
        self.owner = owner
        self.into_folder = into_folder

    def transaction(self) -> AbstractContextManager[object]:
        """Opens one transaction for all writes inside the `with` block, so that they are synced once."""
        return writing(self._db)

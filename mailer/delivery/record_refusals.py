"""Marks readers as bounced by their refusals, in the transaction that settles the deliveries.

A refusal of the address marks the reader as bounced at once. A refusal of the mailbox does so only after
three campaigns in a row, over at least a week. A refusal because of the sender or the server never does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailer.audience.change_address import address_changed_at
from mailer.audience.consent.bounces import last_bounce_time, record_bounce
from mailer.spool.base import Spool, Spools
from mailer.spool.values import RefusedClaim
from mailer.transports.base import OutcomeKind
from mailer.transports.refusal.refusal import Cause

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["MAILBOX_CAMPAIGNS", "MAILBOX_DAYS", "RefusalRecorder"]

#: A reader counts as bounced after this number of refusals of the mailbox in a row, over at least this
#: number of days. So a mailbox that is full for a week is tolerated, also with two issues a day.
MAILBOX_CAMPAIGNS = 3
MAILBOX_DAYS = 7


class RefusalRecorder:
    """Records bounces among the refusals of one campaign.

    `source` is the transport's name in the events of readers (`smtp`).
    """

    def __init__(self, db: Database, spools: Spools, spool: Spool, source: str) -> None:
        self._db = db
        self._spools = spools
        self._spool = spool
        self._source = source

    def record_bounces(self, refused: Iterable[RefusedClaim]) -> None:
        """Marks readers as bounced if the refusals that were just settled are reason enough.

        If a reader's address has changed since the claim, the refusal does not count, and the delivery may be
        tried again.
        """
        for person, attempt, outcome, claimed_at, now in refused:
            if outcome.result is not OutcomeKind.REJECTED or outcome.cause not in (
                Cause.ADDRESS,
                Cause.MAILBOX,
            ):
                continue
            if (moved := address_changed_at(self._db, person)) and moved >= claimed_at:
                self._spool.clear_refusal_causes([(person, attempt)])
            elif outcome.cause is Cause.ADDRESS or self._mailbox_has_refused_for_long(person, now):
                record_bounce(
                    self._db,
                    person,
                    campaign_id=self._spool.campaign.id,
                    edition=self._spool.campaign.edition,
                    server_answer=outcome.reason,
                    source=self._source,
                    at=now,
                )

    def _mailbox_has_refused_for_long(self, person: int, now: str) -> bool:
        """Returns whether this person's mailbox has refused mail for so long that it counts as bounced.

        `now` is UTC.
        """
        since = max(last_bounce_time(self._db, person), address_changed_at(self._db, person))
        number, first = self._spools.count_mailbox_refusals(
            person, since=since, excluded_campaign=self._spool.campaign.id
        )
        if number + 1 < MAILBOX_CAMPAIGNS:
            return False
        age = datetime.fromisoformat(now) - datetime.fromisoformat(first)
        return age >= timedelta(days=MAILBOX_DAYS)

"""Applies an operator's decisions about deliveries, on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from mailer.clock import utc_now
from mailer.spool.sqlite.part import OPEN, SpoolPart
from mailer.store.database import writing

__all__ = ["OperatorDecisions"]

#: Accepted and uncertain deliveries stay, because they may have arrived. `retry_for` starts again.
_RETRY = """
    UPDATE deliveries SET state = 'pending', due_at = NULL, held = 0, deferred_since = ''
    WHERE campaign_id = :campaign AND state IN ('rejected', 'deferred')
        AND (:only_person IS NULL OR subscriber_id = :only_person)
        AND (state = 'deferred' OR subscriber_id NOT IN (SELECT value FROM json_each(:left_out)))
"""

#: A copy in a folder reached nobody. The next claim checks again whether skipped people may be written to.
_REOPEN_COPIES = """
    UPDATE deliveries SET state = 'pending', due_at = NULL, held = 0, reason = '', provider_id = '',
        in_folder = 0, settled_at = NULL
    WHERE campaign_id = :campaign
        AND ((in_folder = 1 AND state IN ('accepted', 'uncertain')) OR state = 'skipped')
"""

_DOUBT_THE_REST = """
    UPDATE deliveries SET state = 'uncertain', reason = :reason, due_at = NULL, held = 0, settled_at = :now
    WHERE campaign_id = :campaign AND state IN ('pending', 'sending', 'deferred', 'rejected')
"""
_DOUBT = "this database is older than the campaign's last run, which may have handed over this message"


class OperatorDecisions(SpoolPart):
    """Applies an operator's decisions to the deliveries of a campaign."""

    def resolve_uncertain_deliveries(self, *, resend: bool, only_person: int | None = None) -> int:
        """Makes uncertain deliveries pending if `resend` is True, and else accepted. Returns their number."""
        state, reason = (
            ("pending", "")
            if resend
            else ("accepted", "the outcome was uncertain; the operator marked the message as sent")
        )
        with writing(self._db) as db:
            return db.conn.execute(
                "UPDATE deliveries SET state = :state, reason = :reason, due_at = NULL, held = 0 "
                f"WHERE campaign_id = :campaign AND {OPEN} AND state = 'uncertain' "
                "AND (:only_person IS NULL OR subscriber_id = :only_person)",
                {"state": state, "reason": reason, "campaign": self.campaign.id, "only_person": only_person},
            ).rowcount

    def retry_refused_deliveries(
        self,
        find_unreachable: Callable[[Sequence[tuple[int, str]]], set[int]],
        *,
        only_person: int | None = None,
    ) -> int:
        """Makes rejected and deferred deliveries pending again. Returns their number.

        `find_unreachable` gets (subscriber id, cause) of each rejected delivery and returns the subscriber
        ids to leave out.
        """
        with writing(self._db) as db:
            rejected = db.conn.execute(
                "SELECT subscriber_id, cause FROM deliveries WHERE campaign_id = :campaign "
                "AND state = 'rejected' AND (:only_person IS NULL OR subscriber_id = :only_person)",
                {"campaign": self.campaign.id, "only_person": only_person},
            ).fetchall()
            left_out = json.dumps(sorted(find_unreachable(rejected)))
            return db.conn.execute(
                _RETRY, {"campaign": self.campaign.id, "only_person": only_person, "left_out": left_out}
            ).rowcount

    def reopen_folder_copies(self) -> int:
        """Makes deliveries pending again that only went into an outbox folder, and skipped deliveries.

        Returns the number of these deliveries.
        """
        with writing(self._db) as db:
            return db.conn.execute(_REOPEN_COPIES, {"campaign": self.campaign.id}).rowcount

    def make_unaccepted_deliveries_uncertain(self) -> int:
        """Makes every delivery uncertain that is neither accepted nor skipped. Returns how many changed.

        Call it before a campaign is cancelled whose database is an old copy, so that nobody in the campaign
        gets the issue again from another campaign.
        """
        values = {"campaign": self.campaign.id, "reason": _DOUBT, "now": utc_now()}
        with writing(self._db) as db:
            return db.conn.execute(_DOUBT_THE_REST, values).rowcount

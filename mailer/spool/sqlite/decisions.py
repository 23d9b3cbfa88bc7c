"""Applies an operator's decisions about deliveries, on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from mailer.clock import utc_now
from mailer.spool.sqlite.part import OPEN, Part
from mailer.store.database import writing

__all__ = ["Decisions"]

#: Never what may have arrived: accepted and uncertain stay. The time of `retry_for` begins anew.
_RETRY = """
    UPDATE deliveries SET state = 'pending', due_at = NULL, held = 0, deferred_since = ''
    WHERE campaign_id = :campaign AND state IN ('rejected', 'deferred')
        AND (:only IS NULL OR subscriber_id = :only)
        AND (state = 'deferred' OR subscriber_id NOT IN (SELECT value FROM json_each(:left_out)))
"""

#: A copy in a folder reached nobody. The next claim looks again whether the skipped may be written to.
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
_DOUBT = "this database is older than the campaign's last run, which may have handed it over"


class Decisions(Part):
    """Applies an operator's decisions to the deliveries of a campaign."""

    def resolve(self, *, resend: bool, only: int | None = None) -> int:
        """Makes uncertain deliveries pending again (`resend`), or else accepted. Returns how many."""
        state, reason = (
            ("pending", "") if resend else ("accepted", "uncertain; taken as sent by the operator")
        )
        with writing(self._db) as db:
            return db.conn.execute(
                "UPDATE deliveries SET state = :state, reason = :reason, due_at = NULL, held = 0 "
                f"WHERE campaign_id = :campaign AND {OPEN} AND state = 'uncertain' "
                "AND (:only IS NULL OR subscriber_id = :only)",
                {"state": state, "reason": reason, "campaign": self.campaign.id, "only": only},
            ).rowcount

    def retry(
        self, unreachable: Callable[[Sequence[tuple[int, str]]], set[int]], *, only: int | None = None
    ) -> int:
        """Makes rejected and deferred deliveries pending again, except to people who cannot be reached."""
        with writing(self._db) as db:
            rejected = db.conn.execute(
                "SELECT subscriber_id, cause FROM deliveries WHERE campaign_id = :campaign "
                "AND state = 'rejected' AND (:only IS NULL OR subscriber_id = :only)",
                {"campaign": self.campaign.id, "only": only},
            ).fetchall()
            left_out = json.dumps(sorted(unreachable(rejected)))
            return db.conn.execute(
                _RETRY, {"campaign": self.campaign.id, "only": only, "left_out": left_out}
            ).rowcount

    def reopen_copies(self) -> int:
        """Makes deliveries to an outbox folder, and those skipped there, pending. Returns how many."""
        with writing(self._db) as db:
            return db.conn.execute(_REOPEN_COPIES, {"campaign": self.campaign.id}).rowcount

    def doubt_the_rest(self) -> int:
        """Makes every delivery uncertain that is not known to be accepted, because the database is an old
        copy. Returns how many.

        It is called before a campaign is cancelled, so that nobody in it gets the issue again from another
        campaign.
        """
        values = {"campaign": self.campaign.id, "reason": _DOUBT, "now": utc_now()}
        with writing(self._db) as db:
            return db.conn.execute(_DOUBT_THE_REST, values).rowcount

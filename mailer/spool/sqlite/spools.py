"""Implements the spool on SQLite: all campaigns of a workspace, and the deliveries of one campaign."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mailer.campaign.campaign import Campaign, NewCampaign, PersonDelivery
from mailer.campaign.delivery_state import State
from mailer.clock import utc_now
from mailer.spool.ledger import RateLimitLedger
from mailer.spool.sqlite.campaign_row import CampaignRow
from mailer.spool.sqlite.claims import ClaimOperations
from mailer.spool.sqlite.decisions import OperatorDecisions
from mailer.spool.sqlite.pace_budget import StoredRateLimitLedger
from mailer.spool.sqlite.reading import DeliveryReader
from mailer.spool.sqlite.rows import all_campaigns, find_campaign
from mailer.spool.sqlite.times import DueTimes
from mailer.spool.values import PlannedDelivery, Redaction
from mailer.store.database import writing
from mailer.transports.registry import is_folder_transport

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SqliteSpool", "SqliteSpools"]

_INSERT_CAMPAIGN = """
    INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, segment, plan_hash, plan, subject,
        transport, created_at, stable_ids)
    VALUES (:slug, :issue, :issue_hash, :edition, :issue_date, :segment, :plan_hash, :plan, :subject,
        :transport, :created_at, 1)
"""

#: Inserts a delivery for each person: pending, or skipped where there is a reason.
_INSERT_DELIVERY = """
    INSERT INTO deliveries (campaign_id, subscriber_id, variant, due_at, held, reason, state, settled_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

#: Reads the deliveries of one person, oldest first.
_DELIVERIES_OF = """
    SELECT c.slug, d.state, d.reason, d.settled_at, d.in_folder FROM deliveries AS d
    JOIN campaigns AS c ON c.id = d.campaign_id
    WHERE d.subscriber_id = ? AND d.campaign_id IN (SELECT value FROM json_each(?)) ORDER BY c.id
"""

#: Deliveries that a cancelled campaign never sent do not count; those that another may still send do.
_RECEIVED = """
    SELECT DISTINCT e.subscriber_id FROM deliveries AS e JOIN campaigns AS c ON c.id = e.campaign_id
    WHERE e.campaign_id IN (SELECT value FROM json_each(:campaigns))
        AND (:folders OR NOT (e.in_folder = 1 OR (e.state NOT IN ('accepted', 'uncertain')
            AND e.campaign_id IN (SELECT value FROM json_each(:in_folders)))))
        AND CASE c.status WHEN 'cancelled' THEN e.state IN ('accepted', 'uncertain', 'sending')
            ELSE e.state <> 'skipped' END
    ORDER BY e.subscriber_id
"""

#: Counts refusals of a mailbox in other campaigns, after the last accepted delivery and a given time.
_MAILBOX_REFUSALS = """
    SELECT count(*), coalesce(min(settled_at), '') FROM deliveries
    WHERE subscriber_id = :person AND campaign_id <> :but AND state = 'rejected' AND cause = 'mailbox'
        AND settled_at > max(:since, coalesce((SELECT max(settled_at) FROM deliveries
            WHERE subscriber_id = :person AND state = 'accepted'), ''))
"""


class SqliteSpool(ClaimOperations, CampaignRow, DueTimes, OperatorDecisions, DeliveryReader):
    """Stores the deliveries of one campaign. Only one thread may use an object of this class."""


class SqliteSpools:
    """Stores all campaigns of a workspace. `redaction` removes text that may not be stored."""

    def __init__(self, db: Database, redaction: Redaction) -> None:
        self._db = db
        self._redaction = redaction

    def transaction(self) -> AbstractContextManager[object]:
        """Opens one transaction for all writes inside the `with` block."""
        return writing(self._db)

    def campaigns(self) -> list[Campaign]:
        """Returns all campaigns, newest first."""
        return all_campaigns(self._db)

    def slugs_by_id(self) -> dict[int, str]:
        """Returns the slugs of all campaigns by campaign id."""
        return dict(self._db.conn.execute("SELECT id, slug FROM campaigns").fetchall())

    def find(self, slug: str) -> Campaign:
        """Returns the campaign with this slug. Raises CampaignError, which suggests the most similar slug."""
        return find_campaign(self._db, slug)

    def open(self, campaign: Campaign, *, owner: str = "", into_folder: bool | None = None) -> SqliteSpool:
        """Returns the spool of a campaign. `owner` names the run that claims; empty if no run claims.

        `into_folder` is True if messages are only written to an outbox folder; None means that the campaign's
        transport decides.
        """
        if into_folder is None:
            into_folder = is_folder_transport(campaign.transport)
        return SqliteSpool(self._db, campaign, self._redaction, owner=owner, into_folder=into_folder)

    def freeze(self, campaign: NewCampaign, deliveries: Iterable[PlannedDelivery]) -> SqliteSpool:
        """Stores a new campaign with its deliveries, in one transaction."""
        now = utc_now()
        with writing(self._db) as db:
            row = {
                name: getattr(campaign, name) for name in NewCampaign.__dataclass_fields__ if name != "plan"
            }
            plan = json.dumps(campaign.plan, ensure_ascii=False)
            cursor = db.conn.execute(_INSERT_CAMPAIGN, {**row, "plan": plan, "created_at": now})
            number = cursor.lastrowid
            db.conn.executemany(
                _INSERT_DELIVERY,
                (
                    (number, person, variant, due, held, reason)
                    + ((State.SKIPPED.value, now) if reason else (State.PENDING.value, None))
                    for person, variant, due, held, reason in deliveries
                ),
            )
            return self.open(self.find(campaign.slug))

    def deliveries_of(self, person: int, campaigns: Sequence[Campaign]) -> list[PersonDelivery]:
        """Returns the deliveries of these campaigns to this subscriber id, oldest campaign first."""
        numbers = json.dumps([campaign.id for campaign in campaigns])
        return [
            PersonDelivery(slug, State(state), reason, at, bool(folder))
            for slug, state, reason, at, folder in self._db.conn.execute(_DELIVERIES_OF, [person, numbers])
        ]

    def people_reached(self, campaign_ids: Sequence[int], *, include_folder_copies: bool) -> Iterator[int]:
        """Returns the subscriber ids, ascending, of people who got or may get the issue by these campaigns.

        The docstring of `base.Spools.people_reached` says which deliveries count.
        """
        if not campaign_ids:
            return
        in_folders = [each.id for each in self.campaigns() if is_folder_transport(each.transport)]
        rows = self._db.conn.execute(
            _RECEIVED,
            {
                "campaigns": json.dumps(list(campaign_ids)),
                "folders": include_folder_copies,
                "in_folders": json.dumps(in_folders),
            },
        )
        for row in rows:
            yield row[0]

    def count_mailbox_refusals(self, person: int, *, since: str, excluded_campaign: int) -> tuple[int, str]:
        """Returns how many campaigns in a row a person's mailbox refused, and the first refusal's time (UTC).

        Only refusals after `since` (UTC) and after the last accepted delivery count. The campaign with the id
        `excluded_campaign` does not count.
        """
        number, first = self._db.conn.execute(
            _MAILBOX_REFUSALS, {"person": person, "since": since, "but": excluded_campaign}
        ).fetchone()
        return number, first

    def rate_limit_ledger(self) -> RateLimitLedger:
        """Returns the ledger of how much of each rate limit is used. All runs share it."""
        return StoredRateLimitLedger(self._db)

"""Counts and lists the deliveries of a campaign, on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from mailer.campaign.delivery_state import STATES, State
from mailer.spool.sqlite.part import OPEN, SpoolPart
from mailer.spool.values import ListedDelivery, ReasonGroup, ReplyText
from mailer.transports.refusal.answers import without_addresses

__all__ = ["DeliveryReader"]

#: This number of different replies is shown for each group of reasons.
_MOST_WORDS = 5

#: Reads the deliveries of a campaign, or those of one state or person, in the order of subscriber ids.
_LIST = """
    SELECT subscriber_id, state, cause, reason, attempt, coalesce(settled_at, claimed_at), due_at, held,
        provider_id, in_folder
    FROM deliveries
    WHERE campaign_id = ?1 AND (?2 = '' OR state = ?2) AND (?3 IS NULL OR subscriber_id = ?3)
    ORDER BY subscriber_id
"""

#: Reads each reply with its frequency, its rank in its group, and the size of the group.
_ANSWERS = """
    WITH answers AS (
        SELECT state, cause, min(reason) AS example, max(reason) > min(reason) AS varies, count(*) AS n
        FROM deliveries
        WHERE campaign_id = ? AND state IN ('rejected', 'deferred', 'uncertain', 'skipped')
        GROUP BY state, cause, without_addresses(reason)),
    ranked AS (
        SELECT state, cause, example, varies, n, sum(n) OVER (PARTITION BY state, cause) AS total,
            row_number() OVER (PARTITION BY state, cause ORDER BY n DESC, example) AS rank FROM answers)
    SELECT state, cause, total, example, n, varies FROM ranked WHERE rank <= ?
    ORDER BY total DESC, state, cause, rank
"""

_COMMONEST_REFUSAL = """
    SELECT without_addresses(reason) AS words FROM deliveries
    WHERE campaign_id = ? AND state = 'rejected' AND reason <> ''
    GROUP BY words ORDER BY count(*) DESC, words LIMIT 1
"""


class DeliveryReader(SpoolPart):
    """Counts and lists the deliveries of a campaign."""

    def delivery_counts_by_state(self) -> dict[str, int]:
        """Returns the number of deliveries by state. States without deliveries are included, with 0."""
        rows = self._db.conn.execute(
            "SELECT state, count(*) FROM deliveries WHERE campaign_id = ? GROUP BY state", [self.campaign.id]
        )
        return {**dict.fromkeys(STATES, 0), **dict(rows.fetchall())}

    def count_folder_copies(self) -> int:
        """Returns how many deliveries only went into an outbox folder."""
        return self._count_deliveries_where("in_folder = 1 AND state IN ('accepted', 'uncertain')")

    def reached_nobody(self, *, including_folder_copies: bool = False) -> bool:
        """Returns whether no reader has the issue or may have it.

        If `including_folder_copies` is True, a copy in an outbox folder counts as reaching a reader.
        """
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND (? OR in_folder = 0) "
            "AND state IN ('accepted', 'uncertain', 'sending') LIMIT 1",
            [self.campaign.id, including_folder_copies],
        ).fetchone()
        return row is None

    def count_never_tried_deliveries(self) -> int:
        """Returns how many deliveries are pending, not held, and were never deferred."""
        return self._count_deliveries_where(
            f"{OPEN} AND state = 'pending' AND held = 0 AND deferred_since = ''"
        )

    def count_held_deliveries(self) -> int:
        """Returns how many pending deliveries are held until the operator or the canary releases them."""
        return self._count_deliveries_where(f"{OPEN} AND state = 'pending' AND held = 1")

    def _count_deliveries_where(self, condition: str) -> int:
        number: int = self._db.conn.execute(
            f"SELECT count(*) FROM deliveries WHERE campaign_id = ? AND {condition}", [self.campaign.id]
        ).fetchone()[0]
        return number

    def non_delivery_reasons(self) -> tuple[ReasonGroup, ...]:
        """Returns why deliveries did not arrive, grouped by state and cause, the largest group first."""
        self._register_sql_functions()
        rows = self._db.conn.execute(_ANSWERS, (self.campaign.id, _MOST_WORDS)).fetchall()
        return tuple(
            ReasonGroup(
                state, cause, number, tuple(ReplyText(row[3], row[4], bool(row[5])) for row in answers)
            )
            for (state, cause, number), answers in groupby(rows, key=lambda row: row[:3])
        )

    def commonest_refusal_text(self) -> str:
        """Returns the most frequent text of the refusals, without e-mail addresses; empty if none has a
        text."""
        self._register_sql_functions()
        row = self._db.conn.execute(_COMMONEST_REFUSAL, [self.campaign.id]).fetchone()
        return str(row[0]) if row else ""

    def _register_sql_functions(self) -> None:
        self._db.conn.create_function("without_addresses", 1, without_addresses, deterministic=True)

    def list_deliveries(self, *, state: str = "", only_person: int | None = None) -> Iterator[ListedDelivery]:
        """Returns the deliveries in the order of subscriber ids.

        If `state` is not empty, only the deliveries in this state are returned; with `only_person`, only the
        delivery to this subscriber id.
        """
        for row in self._db.conn.execute(_LIST, [self.campaign.id, state, only_person]):
            person, now, cause, reason, attempts, at, due_at, held, provider_id, in_folder = row
            yield ListedDelivery(
                person,
                State(now),
                cause,
                reason,
                attempts,
                at,
                due_at,
                bool(held),
                provider_id,
                bool(in_folder),
            )

    def subscriber_ids(self) -> Iterator[int]:
        """Returns the subscriber ids of all deliveries, in ascending order."""
        for row in self._db.conn.execute(
            "SELECT subscriber_id FROM deliveries WHERE campaign_id = ? ORDER BY subscriber_id",
            [self.campaign.id],
        ):
            yield row[0]

    def acceptance_times(self, people: Sequence[int]) -> dict[int, str]:
        """Returns, by subscriber id, the times (UTC) at which the deliveries to these people were accepted.

        A person whose delivery was not accepted is missing in the result.
        """
        rows = self._db.conn.execute(
            "SELECT subscriber_id, coalesce(settled_at, '') FROM deliveries WHERE campaign_id = ? "
            "AND state = 'accepted' AND subscriber_id IN (SELECT value FROM json_each(?))",
            [self.campaign.id, json.dumps(list(people))],
        )
        return dict(rows.fetchall())

"""Counts and lists the deliveries of a campaign, on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from mailer.campaign.delivery_state import STATES, State
from mailer.spool.sqlite.part import OPEN, Part
from mailer.spool.values import Listed, Reason, Words
from mailer.transports.refusal.answers import without_addresses

__all__ = ["Reading"]

#: Of each group of reasons, so many different answers are told.
_MOST_WORDS = 5

#: Every delivery of a campaign, or those of one state or person, in the order of the people.
_LIST = """
    SELECT subscriber_id, state, cause, reason, attempt, coalesce(settled_at, claimed_at), due_at, held,
        provider_id, in_folder
    FROM deliveries
    WHERE campaign_id = ?1 AND (?2 = '' OR state = ?2) AND (?3 IS NULL OR subscriber_id = ?3)
    ORDER BY subscriber_id
"""

#: Each answer with how often it was given, and of its group how many there are in all and how it ranks.
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


class Reading(Part):
    """Counts and lists the deliveries of a campaign."""

    def counts(self) -> dict[str, int]:
        """Returns how many deliveries are in each state; every state is there."""
        rows = self._db.conn.execute(
            "SELECT state, count(*) FROM deliveries WHERE campaign_id = ? GROUP BY state", [self.campaign.id]
        )
        return {**dict.fromkeys(STATES, 0), **dict(rows.fetchall())}

    def copies_in_folder(self) -> int:
        """Returns how many deliveries only went into an outbox folder."""
        return self._number("in_folder = 1 AND state IN ('accepted', 'uncertain')")

    def is_free(self, *, copies: bool = False) -> bool:
        """Returns whether no reader has the issue or may have it; `copies`: a copy in a folder counts."""
        row = self._db.conn.execute(
            "SELECT 1 FROM deliveries WHERE campaign_id = ? AND (? OR in_folder = 0) "
            "AND state IN ('accepted', 'uncertain', 'sending') LIMIT 1",
            [self.campaign.id, copies],
        ).fetchone()
        return row is None

    def never_tried(self) -> int:
        """Returns how many deliveries are pending, not held, and were never tried."""
        return self._number(f"{OPEN} AND state = 'pending' AND held = 0 AND deferred_since = ''")

    def held(self) -> int:
        """Returns how many pending deliveries are held until a decision."""
        return self._number(f"{OPEN} AND state = 'pending' AND held = 1")

    def _number(self, which: str) -> int:
        number: int = self._db.conn.execute(
            f"SELECT count(*) FROM deliveries WHERE campaign_id = ? AND {which}", [self.campaign.id]
        ).fetchone()[0]
        return number

    def reasons(self) -> tuple[Reason, ...]:
        """Returns why deliveries did not arrive, the largest group first."""
        self._give_functions()
        rows = self._db.conn.execute(_ANSWERS, (self.campaign.id, _MOST_WORDS)).fetchall()
        return tuple(
            Reason(state, cause, number, tuple(Words(row[3], row[4], bool(row[5])) for row in answers))
            for (state, cause, number), answers in groupby(rows, key=lambda row: row[:3])
        )

    def commonest_refusal(self) -> str:
        """Returns the most frequent text of a refusal, without addresses; empty if there is none."""
        self._give_functions()
        row = self._db.conn.execute(_COMMONEST_REFUSAL, [self.campaign.id]).fetchone()
        return str(row[0]) if row else ""

    def _give_functions(self) -> None:
        self._db.conn.create_function("without_addresses", 1, without_addresses, deterministic=True)

    def deliveries(self, *, state: str = "", only: int | None = None) -> Iterator[Listed]:
        """Returns the deliveries by subscriber id: all, those in a state, or those to one person."""
        for row in self._db.conn.execute(_LIST, [self.campaign.id, state, only]):
            person, now, cause, reason, attempts, at, due_at, held, provider_id, in_folder = row
            yield Listed(
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

    def people(self) -> Iterator[int]:
        """Returns the subscriber ids of all deliveries, in ascending order."""
        for row in self._db.conn.execute(
            "SELECT subscriber_id FROM deliveries WHERE campaign_id = ? ORDER BY subscriber_id",
            [self.campaign.id],
        ):
            yield row[0]

    def accepted_at(self, people: Sequence[int]) -> dict[int, str]:
        """Returns the times (UTC) at which the deliveries of these people were accepted, where they were."""
        rows = self._db.conn.execute(
            "SELECT subscriber_id, coalesce(settled_at, '') FROM deliveries WHERE campaign_id = ? "
            "AND state = 'accepted' AND subscriber_id IN (SELECT value FROM json_each(?))",
            [self.campaign.id, json.dumps(list(people))],
        )
        return dict(rows.fetchall())

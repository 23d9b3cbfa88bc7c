"""Why deliveries of a campaign did not arrive, gathered by state and by whose matter it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from sqlite_utils import Database

__all__ = ["MOST_WORDS", "Reason", "reasons_of"]

#: Of each group, so many different answers are told; servers like to put an address into theirs.
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries in one state for one cause: how many, and the commonest (words, number) that were said.

    `cause` is a Cause as text, or empty where nobody refused anything (a lost connection, an unsubscribe).
    """

    state: str
    cause: str
    number: int
    words: tuple[tuple[str, int], ...]


# Each answer with how often it was given, and of its group how many there are in all and how it ranks.
_ANSWERS = """
    WITH answers AS (
        SELECT state, cause, reason, count(*) AS n FROM deliveries
        WHERE campaign_id = ? AND state IN ('rejected', 'deferred', 'uncertain', 'skipped')
        GROUP BY state, cause, reason),
    ranked AS (
        SELECT state, cause, reason, n, sum(n) OVER (PARTITION BY state, cause) AS total,
            row_number() OVER (PARTITION BY state, cause ORDER BY n DESC, reason) AS rank FROM answers)
    SELECT state, cause, total, reason, n FROM ranked WHERE rank <= ?
    ORDER BY total DESC, state, cause, rank
"""


def reasons_of(db: Database, campaign_id: int, most_words: int = MOST_WORDS) -> tuple[Reason, ...]:
    """What did not arrive, the largest group first."""
    rows = db.conn.execute(_ANSWERS, (campaign_id, most_words)).fetchall()
    return tuple(
        Reason(state, cause, number, tuple((row[3], row[4]) for row in answers))
        for (state, cause, number), answers in groupby(rows, key=lambda row: row[:3])
    )

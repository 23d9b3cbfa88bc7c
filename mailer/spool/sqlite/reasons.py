"""Why deliveries of a campaign did not arrive, gathered by state and by whose matter it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from sqlite_utils import Database

from mailer.transports.refusal.answers import without_addresses

__all__ = ["MOST_WORDS", "Reason", "Words", "reasons_of", "with_function"]

#: Of each group, so many different answers are told.
MOST_WORDS = 5


class Words(NamedTuple):
    """An answer that `number` deliveries got. Where they differ in an address, `text` is one of them."""

    text: str
    number: int
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries in one state for one cause: how many, and the commonest answers.

    `cause` is a Cause as text, or empty where nobody refused anything (a lost connection, an unsubscribe).
    """

    state: str
    cause: str
    number: int
    words: tuple[Words, ...]


# Each answer with how often it was given, and of its group how many there are in all and how it ranks.
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


def reasons_of(db: Database, campaign_id: int, most_words: int = MOST_WORDS) -> tuple[Reason, ...]:
    """Gives what did not arrive, the largest group first. Answers that differ in an address are one."""
    with_function(db)
    rows = db.conn.execute(_ANSWERS, (campaign_id, most_words)).fetchall()
    return tuple(
        Reason(state, cause, number, tuple(Words(row[3], row[4], bool(row[5])) for row in answers))
        for (state, cause, number), answers in groupby(rows, key=lambda row: row[:3])
    )


def with_function(db: Database) -> None:
    """Gives the connection `without_addresses(text)`, so that answers can be grouped."""
    db.conn.create_function("without_addresses", 1, without_addresses, deterministic=True)

"""Every change of a delivery's state, in the order of the commits, written by a trigger in each transaction.

So it is known by address, whatever was killed when: which uncertain messages the operator sent again, which
ones the operator counted as accepted, how often a delivery became uncertain, and whether any delivery was
claimed after its campaign had been cancelled.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

__all__ = ["Audit"]

_SQL = """
CREATE TABLE changes_of_state (
    id INTEGER PRIMARY KEY, campaign_id INTEGER, subscriber_id INTEGER, before TEXT, after TEXT, status TEXT
);
CREATE TRIGGER note_change_of_state AFTER UPDATE OF state ON deliveries WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO changes_of_state (campaign_id, subscriber_id, before, after, status)
    SELECT NEW.campaign_id, NEW.subscriber_id, OLD.state, NEW.state, status
    FROM campaigns WHERE id = NEW.campaign_id;
END;
"""


class Audit:
    """The changes of all deliveries of a workspace whose readers are imported."""

    def __init__(self, database: Path) -> None:
        """Makes the table and the trigger; no command may run meanwhile."""
        self._database = database
        with closing(sqlite3.connect(database)) as opened:
            opened.executescript(_SQL)

    def resent(self) -> Counter[str]:
        """Returns how often the operator had a person's uncertain message sent again, by address."""
        return Counter(self._people("c.before = 'uncertain' AND c.after = 'pending'"))

    def assumed(self) -> set[str]:
        """Returns the addresses whose uncertain message the operator counted as accepted."""
        return set(self._people("c.before = 'uncertain' AND c.after = 'accepted'"))

    def uncertain(self) -> int:
        """Returns how often a delivery became uncertain."""
        return len(self._people("c.after = 'uncertain'"))

    def taken_back(self) -> list[str]:
        """Returns the addresses whose accepted message got another state afterwards: there must be none."""
        return self._people("c.before = 'accepted'")

    def claimed_too_late(self) -> list[str]:
        """Returns the addresses that were claimed after their campaign was cancelled: there must be none."""
        return self._people("c.after = 'sending' AND c.status = 'cancelled'")

    def _people(self, condition: str) -> list[str]:
        with closing(sqlite3.connect(self._database)) as opened:
            rows = opened.execute(
                "SELECT s.address FROM changes_of_state AS c JOIN subscribers AS s ON s.id = c.subscriber_id "
                f"WHERE {condition} ORDER BY c.id"
            ).fetchall()
        return [row[0] for row in rows]

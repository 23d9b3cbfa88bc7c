"""The consents that a list goes against, where it takes people out who agreed here."""

from __future__ import annotations

import json

from sqlite_utils import Database

__all__ = ["consents_against"]

# The last consent of each that is not an import's.
_LAST = """
    SELECT c.subscriber_id, max(c.given_at), c.method FROM json_each(?) AS wanted
    CROSS JOIN consents c ON c.subscriber_id = wanted.value WHERE c.method <> 'import'
    GROUP BY c.subscriber_id
"""


def consents_against(db: Database, ids: list[int]) -> dict[int, str]:
    """The last consent that each of these people gave here, in words, by the number of the person."""
    rows = db.conn.execute(_LAST, (json.dumps(ids),))
    return {number: f"{method} on {given[:10]}" for number, given, method in rows}

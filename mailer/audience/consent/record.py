"""Records when, how and from where people consented. Consents are added, but never deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from mailer.clock import local_day

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "Consent",
    "last_consent_texts_excluding_imports",
    "consents_of",
    "last_consent",
    "record_consent",
    "record_consents",
]


@dataclass(frozen=True, slots=True)
class Consent:
    """Holds one consent: its UTC time, its method (`import`, `web`, …) and its origin (a file, a page, …)."""

    given_at: str
    method: str
    origin: str = ""


# Adds a consent.
_ADD = "INSERT INTO consents (subscriber_id, given_at, method, origin) VALUES (?, ?, ?, ?)"

# Selects all consents of one person, oldest first.
_OF = "SELECT given_at, method, origin FROM consents WHERE subscriber_id = ? ORDER BY given_at, id"


# Selects the consent that holds now: the last one.
_LAST = """
    SELECT given_at, method, origin FROM consents WHERE subscriber_id = ?
    ORDER BY given_at DESC, id DESC LIMIT 1
"""

# Selects the last consent of each that did not come by an import.
_HERE = """
    SELECT c.subscriber_id, max(c.given_at), c.method FROM json_each(?) AS wanted
    CROSS JOIN consents c ON c.subscriber_id = wanted.value WHERE c.method <> 'import'
    GROUP BY c.subscriber_id
"""


def record_consent(db: Database, subscriber_id: int, consent: Consent) -> None:
    """Records a person's consent in the database."""
    db.conn.execute(_ADD, (subscriber_id, consent.given_at, consent.method, consent.origin))


def record_consents(db: Database, consent_rows: Iterable[tuple[int, str, str, str]]) -> None:
    """Records consents of many people, each as (subscriber id, UTC time, method, origin)."""
    db.conn.executemany(_ADD, consent_rows)


def consents_of(db: Database, subscriber_id: int) -> tuple[Consent, ...]:
    """Returns every consent of a person, oldest first."""
    return tuple(Consent(*row) for row in db.conn.execute(_OF, (subscriber_id,)))


def last_consent(db: Database, subscriber_id: int) -> Consent | None:
    """Returns a person's most recent consent, or None if the person has none."""
    row = db.conn.execute(_LAST, (subscriber_id,)).fetchone()
    return Consent(*row) if row else None


def last_consent_texts_excluding_imports(
    db: Database, subscriber_ids: list[int], zone: tzinfo
) -> dict[int, str]:
    """Returns, by subscriber id, a text such as "web on 2026-11-21" for each person's last consent that was
    not imported. Days are those of `zone`.

    An import that excludes a person reports this consent, because the list contradicts the consent. People
    without such a consent are left out.
    """
    rows = db.conn.execute(_HERE, (json.dumps(subscriber_ids),))
    return {number: f"{method} on {local_day(given, zone)}" for number, given, method in rows}

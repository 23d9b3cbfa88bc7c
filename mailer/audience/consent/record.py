"""When, how and from where somebody agreed to be written to. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

__all__ = ["Consent", "consents_of", "record_consent"]


@dataclass(frozen=True, slots=True)
class Consent:
    """`given_at` is UTC as the database keeps it; `method` is how (import, web, …), `origin` from where."""

    given_at: str
    method: str
    origin: str = ""


# One more line in somebody's history.
_ADD = "INSERT INTO consents (subscriber_id, given_at, method, origin) VALUES (?, ?, ?, ?)"

# The whole history of one person, oldest first.
_OF = "SELECT given_at, method, origin FROM consents WHERE subscriber_id = ? ORDER BY given_at, id"


def record_consent(db: Database, subscriber_id: int, consent: Consent) -> None:
    """Adds `consent` to somebody's history."""
    db.conn.execute(_ADD, (subscriber_id, consent.given_at, consent.method, consent.origin))


def consents_of(db: Database, subscriber_id: int) -> tuple[Consent, ...]:
    """What is known of somebody's consent, oldest first."""
    return tuple(Consent(*row) for row in db.conn.execute(_OF, (subscriber_id,)))

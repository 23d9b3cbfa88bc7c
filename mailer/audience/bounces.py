"""Mail that came back: who cannot be reached any more, since when, in the server's words; and the way back.

Somebody who bounced never left, so that no consent is needed to write to them again: it takes somebody who
knows that the address works after all, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from mailer.audience.people import Subscriber
from mailer.audience.suppression import suppression_of
from mailer.errors import AudienceError
from mailer.store import utc_now, writing

__all__ = ["Bounce", "bounces_of", "last_bounced", "record_bounce", "restore", "restore_all"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """One refusal that says that somebody cannot be reached. `at` is UTC.

    `campaign` is the slug, or empty; `words` the server's, one line; `source` how we learned of it.
    """

    at: str
    campaign: str
    words: str
    source: str


# Of somebody who was erased meanwhile no words are kept: they may hold the address.
_EVENT = """
    INSERT INTO events (at, kind, subscriber_id, campaign_id, edition, reason, source)
    SELECT ?, 'bounce', s.id, (SELECT id FROM campaigns WHERE id = ?), ?,
        CASE s.status WHEN 'erased' THEN '' ELSE ? END, ?
    FROM subscribers AS s WHERE s.id = ?
"""

# Who has left, complained or was erased meanwhile has done so more firmly.
_BOUNCED = "UPDATE subscribers SET status = 'bounced', updated_at = ? WHERE id = ? AND status = 'active'"

_BACK = "UPDATE subscribers SET status = 'active', updated_at = ? WHERE id = ? AND status = 'bounced'"

_RESTORED = """
    INSERT INTO events (at, kind, subscriber_id, reason, source) VALUES (?, 'restore', ?, ?, ?)
"""

# Newest first.
_OF = """
    SELECT e.at, coalesce(c.slug, ''), e.reason, e.source FROM events AS e
    LEFT JOIN campaigns AS c ON c.id = e.campaign_id
    WHERE e.subscriber_id = ? AND e.kind = 'bounce' ORDER BY e.at DESC, e.id DESC
"""

_LAST = "SELECT coalesce(max(at), '') FROM events WHERE subscriber_id = ? AND kind = 'bounce'"

# Whose last bounce was that of one campaign, and who are still out because of it.
_BY_CAMPAIGN = """
    SELECT s.id FROM subscribers AS s WHERE s.status = 'bounced' AND ? = (
        SELECT e.campaign_id FROM events AS e WHERE e.subscriber_id = s.id AND e.kind = 'bounce'
        ORDER BY e.at DESC, e.id DESC LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM suppressions WHERE address_hash = address_hash(s.address_key))
"""


def record_bounce(
    db: Database,
    subscriber_id: int,
    *,
    campaign_id: int | None,
    edition: str,
    words: str,
    source: str,
    at: str | None = None,
) -> bool:
    """Marks somebody as bounced and keeps the words; False where they were not active (any more).

    The event is recorded either way. Called in the transaction that settles the delivery, it happens once.
    """
    now = at or utc_now()
    with writing(db):
        db.conn.execute(_EVENT, (now, campaign_id, edition, words, source, subscriber_id))
        return db.conn.execute(_BOUNCED, (now, subscriber_id)).rowcount > 0


def bounces_of(db: Database, subscriber_id: int) -> tuple[Bounce, ...]:
    """Every bounce of this person, newest first."""
    return tuple(Bounce(*row) for row in db.conn.execute(_OF, (subscriber_id,)))


def last_bounced(db: Database, subscriber_id: int) -> str:
    """When this person last bounced (UTC), or nothing."""
    return str(db.conn.execute(_LAST, (subscriber_id,)).fetchone()[0])


def restore(db: Database, person: Subscriber, *, reason: str, source: str = "cli") -> None:
    """Makes somebody who bounced active again. Raises AudienceError for anybody else, and the suppressed."""
    with writing(db):
        if person.address is None or person.status != "bounced":
            raise AudienceError(
                f"{person.address or person.id} has not bounced but is {person.status}, so there is nothing "
                "to restore"
            )
        suppressed = suppression_of(db, _key(db, person.id))
        if suppressed:
            raise AudienceError(
                f"{person.address} is on the suppression list since {suppressed.added_at[:10]} "
                f"({suppressed.reason}) and is never written to again"
            )
        _bring_back(db, person.id, reason, source)


def restore_all(db: Database, campaign_id: int, *, reason: str, source: str = "cli") -> int:
    """Makes everybody active again whom this campaign has marked as bounced, last of all; gives how many."""
    with writing(db):
        numbers = [row[0] for row in db.conn.execute(_BY_CAMPAIGN, (campaign_id,)).fetchall()]
        for number in numbers:
            _bring_back(db, number, reason, source)
    return len(numbers)


def _bring_back(db: Database, subscriber_id: int, reason: str, source: str) -> None:
    now = utc_now()
    db.conn.execute(_BACK, (now, subscriber_id))
    db.conn.execute(_RESTORED, (now, subscriber_id, reason, source))


def _key(db: Database, subscriber_id: int) -> str:
    row = db.conn.execute("SELECT address_key FROM subscribers WHERE id = ?", (subscriber_id,)).fetchone()
    return str(row[0])

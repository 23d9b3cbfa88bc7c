"""Records bounces: marks people who cannot be reached, keeps the server's words, and restores people.

A bounced person has not unsubscribed, so no consent is needed to write to them again: an operator who knows
that the address works after all says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.suppression import suppression_of
from mailer.audience.events import Event, last_bounced
from mailer.audience.people import Subscriber, address_of
from mailer.clock import utc_now
from mailer.errors import AudienceError
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Bounce", "bounces_of", "last_bounced", "record_bounce", "restore", "restore_all"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """Holds one refusal which says that somebody cannot be reached. `at` is UTC.

    `campaign` is a slug, or empty; `words` is the server's answer in one line; `source` is how the bounce
    became known.
    """

    at: str
    campaign: str
    words: str
    source: str


# An unsubscribe, a complaint or an erasure is a stronger status and stays.
_BOUNCED = "UPDATE subscribers SET status = 'bounced', updated_at = ? WHERE id = ? AND status = 'active'"

# Makes a person active, if they are still bounced and not suppressed.
_BACK = """
    UPDATE subscribers SET status = 'active', updated_at = ? WHERE id = ? AND status = 'bounced'
    AND NOT EXISTS (SELECT 1 FROM suppressions WHERE address_hash = address_hash(subscribers.address_key))
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
    """Marks a person as bounced and records the server's words; returns False where they were not active.

    The event is recorded either way. In the transaction that settles the delivery, this happens exactly once.
    """
    now = at or utc_now()
    with writing(db):
        events.record(db, Event(now, "bounce", subscriber_id, source, campaign_id, edition, words))
        return db.conn.execute(_BOUNCED, (now, subscriber_id)).rowcount > 0


def bounces_of(
    db: Database, subscriber_id: int, slugs: Mapping[int, str] = MappingProxyType({})
) -> tuple[Bounce, ...]:
    """Returns every bounce of this person, newest first. `slugs` names campaigns by their ids."""
    return tuple(Bounce(*row) for row in events.bounces_of(db, subscriber_id, slugs))


def restore(db: Database, person: Subscriber, *, reason: str, source: str = "cli") -> None:
    """Makes a bounced person active again.

    Raises AudienceError for any other status, and for the suppressed.
    """
    with writing(db):
        suppressed = suppression_of(db, address_of(db, person.id).key) if person.address is not None else None
        if suppressed:
            raise AudienceError(
                f"{person.address} is on the suppression list since {suppressed.added_at[:10]} "
                f"({suppressed.reason}) and is never written to again"
            )
        if person.address is None or person.status != "bounced":
            raise AudienceError(
                f"{person.address or person.id} has not bounced but is {person.status}, so there is nothing "
                "to restore"
            )
        _bring_back(db, person.id, reason, source)


def restore_all(db: Database, campaign_id: int, *, reason: str, source: str = "cli") -> int:
    """Makes active again everybody whose last bounce was of this campaign; returns how many."""
    with writing(db):
        return sum(_bring_back(db, number, reason, source) for number in events.bounces_in(db, campaign_id))


def _bring_back(db: Database, subscriber_id: int, reason: str, source: str) -> bool:
    now = utc_now()
    if not db.conn.execute(_BACK, (now, subscriber_id)).rowcount:
        return False
    events.record(db, Event(now, "restore", subscriber_id, source, reason=reason))
    return True

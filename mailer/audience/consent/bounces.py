"""Records bounces: marks people as bounced, keeps the mail server's answer, and makes people active again.

A bounced person has not unsubscribed. An operator who knows that the address works after all may therefore
restore the person without a new consent, but must give a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.suppression import suppression_of
from mailer.audience.events import Event, last_bounce_time
from mailer.audience.people import Subscriber, address_of
from mailer.clock import local_day, utc_now
from mailer.errors import AudienceError
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "Bounce",
    "bounces_of",
    "last_bounce_time",
    "record_bounce",
    "restore_bounced_subscriber",
    "restore_subscribers_bounced_in_campaign",
]


@dataclass(frozen=True, slots=True)
class Bounce:
    """Holds one bounce of a person: mail to the person came back.

    `at` is the UTC time, `campaign` a slug or "", `words` the server's answer in one line, and `source` says
    how the bounce became known (such as `smtp` or `import`).
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
    server_answer: str,
    source: str,
    at: str | None = None,
) -> bool:
    """Marks a person as bounced and records an event. Returns False if the person was not active.

    The event is recorded in both cases. `source` says how the bounce became known, and `at` is the UTC time
    (by default now). Call this in the transaction that records the outcome of the delivery, so that each
    bounce is recorded exactly once.
    """
    now = at or utc_now()
    with writing(db):
        events.record(db, Event(now, "bounce", subscriber_id, source, campaign_id, edition, server_answer))
        return db.conn.execute(_BOUNCED, (now, subscriber_id)).rowcount > 0


def bounces_of(
    db: Database, subscriber_id: int, slugs_by_id: Mapping[int, str] = MappingProxyType({})
) -> tuple[Bounce, ...]:
    """Returns every bounce of a person, newest first. `slugs_by_id` maps campaign ids to slugs."""
    return tuple(Bounce(*row) for row in events.bounces_of(db, subscriber_id, slugs_by_id))


def restore_bounced_subscriber(
    db: Database, person: Subscriber, *, reason: str, source: str = "cli", zone: tzinfo = UTC
) -> None:
    """Makes a bounced person active again, and records an event with the operator's `reason`.

    `source` says how the event came about, such as `cli`. `zone` is the time zone of days in messages. Raises
    AudienceError if the person has another status, or is on the suppression list.
    """
    with writing(db):
        suppressed = suppression_of(db, address_of(db, person.id).key) if person.address is not None else None
        if suppressed:
            day = local_day(suppressed.added_at, zone)
            raise AudienceError(
                f"{person.address} has been on the suppression list since {day} "
                f"({suppressed.reason}) and must not get mail again; if the reader asked for mail, "
                f'run `mailer subscribers add {person.address} --consent "…" --force --reason "…"`'
            )
        if person.address is None or person.status != "bounced":
            raise AudienceError(
                f"{person.address or person.id} has not bounced but is {person.status}, so there is nothing "
                "to restore"
            )
        _restore_subscriber_if_bounced(db, person.id, reason, source)


def restore_subscribers_bounced_in_campaign(
    db: Database, campaign_id: int, *, reason: str, source: str = "cli"
) -> int:
    """Makes the bounced people active again whose last bounce was caused by this campaign.

    People on the suppression list are left out. Returns the number of restored people. `reason` is the
    operator's reason, which is recorded for each person.
    """
    with writing(db):
        return sum(
            _restore_subscriber_if_bounced(db, number, reason, source)
            for number in events.subscribers_last_bounced_in_campaign(db, campaign_id)
        )


def _restore_subscriber_if_bounced(db: Database, subscriber_id: int, reason: str, source: str) -> bool:
    now = utc_now()
    if not db.conn.execute(_BACK, (now, subscriber_id)).rowcount:
        return False
    events.record(db, Event(now, "restore", subscriber_id, source, reason=reason))
    return True

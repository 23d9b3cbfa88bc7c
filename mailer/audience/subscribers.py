"""Adds subscribers, unsubscribes people, and changes which editions people read.

An unsubscribe wins over everything else. A person becomes active again only at their own request (on the
preferences page, or through an operator who says how the person asked), never by an import. The module
`resubscribing` decides what is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.record import Consent, record_consent
from mailer.audience.consent.resubscribing import (
    ResubscribeGrounds,
    check_resubscribe_grounds,
    reactivate,
    set_status,
)
from mailer.audience.consent.suppression import ERASED, remove_suppression, suppression_of
from mailer.audience.erasure import erase
from mailer.audience.events import Event
from mailer.audience.people import Subscriber, address_of, find, get, list_subscribers
from mailer.audience.values.address import Address
from mailer.clock import utc_now
from mailer.errors import AudienceError
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "MAX_REASON",
    "Subscriber",
    "add",
    "erase",
    "find",
    "get",
    "list_subscribers",
    "set_editions",
    "unsubscribe",
]

#: The length to which a reader's reason is cut, in characters.
MAX_REASON = 500


# Adds a person without name, tags or attributes.
_INSERT = """
    INSERT INTO subscribers (address, address_key, domain, status, joined_at, updated_at)
    VALUES (?, ?, ?, 'active', ?, ?) RETURNING id
"""

_BY_KEY = "SELECT id FROM subscribers WHERE address_key = ?"

_SUBSCRIBE = """
    INSERT INTO subscriptions (edition, subscriber_id, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
"""

_LEAVE_EDITION = "DELETE FROM subscriptions WHERE edition = ? AND subscriber_id = ?"


def add(
    db: Database,
    address: Address,
    *,
    consent: Consent,
    editions: Iterable[str] = (),
    at_own_request: bool = False,
    force_reason: str = "",
    zone: tzinfo = UTC,
) -> tuple[Subscriber, bool]:
    """Adds a person, or changes an existing person. Returns the person, and whether the person is new.

    `at_own_request` is true if the person asked for this; an unsubscribed person then becomes active again.
    `force_reason` is the operator's reason to write to a person who complained or is suppressed; it counts
    only with `at_own_request`, and takes the address off the suppression list. `consent` is recorded if the
    person asked, or begins to get mail. `zone` is the time zone of days in messages. Raises
    AudienceError, with nothing changed, if the request and the reason do not suffice.
    """
    now, grounds, chosen = (
        utc_now(),
        ResubscribeGrounds(at_own_request, force_reason if at_own_request else ""),
        tuple(editions),
    )
    with writing(db):
        row = db.conn.execute(_BY_KEY, (address.key,)).fetchone()
        known = _existing_subscriber(db, int(row[0])) if row else None
        suppression = suppression_of(db, address.key)
        check_resubscribe_grounds(db, address, known, suppression, chosen, grounds, zone)
        if known is None:
            values = (address.address, address.key, address.domain, now, now)
            number = int(db.conn.execute(_INSERT, values).fetchone()[0])
        else:
            number = known.id
            if known.status != "active":
                reactivate(db, known, grounds, now, "cli")
        if suppression is not None and remove_suppression(db, address.key) and suppression.reason != ERASED:
            events.record_ended_suppression(db, number, suppression.added_at, suppression.reason)
        if grounds.force_reason and (known is None or known.status == "active"):
            events.record(db, Event(now, "restore", number, "cli", reason=force_reason))
        if _subscribe(db, number, chosen, known, now, "cli") or known is None or at_own_request:
            record_consent(db, number, consent)
        return _existing_subscriber(db, number), known is None


def unsubscribe(
    db: Database,
    subscriber_id: int,
    *,
    edition: str | None = None,
    campaign_id: int | None = None,
    reason: str = "",
    append_reason: bool = False,
    source: str = "cli",
) -> bool:
    """Unsubscribes a person from `edition`, or from all mail if it is None. Returns False if nothing changed.

    The event names the campaign that caused the unsubscribe, and has the reader's reason (cut to 500
    characters). If the person had unsubscribed before, the reason is added to the earlier event if that event
    has no reason; with `append_reason` it is also appended to an existing reason.
    """
    why = reason.strip()[:MAX_REASON]
    event = Event(utc_now(), "unsubscribe", subscriber_id, source, campaign_id, edition or "", why)
    with writing(db):
        person = get(db, subscriber_id)
        if person is None or person.status == "erased":
            return False
        if edition is not None:
            changed = db.conn.execute(_LEAVE_EDITION, (edition, subscriber_id)).rowcount > 0
        else:
            # A complaint is already a stronger status than an unsubscribe.
            changed = person.status not in ("unsubscribed", "complained")
            if changed:
                set_status(db, subscriber_id, "unsubscribed", event)
        if changed and edition is not None:
            events.record(db, event)
        elif why and not changed:
            events.add_reason_to_last_unsubscribe(db, subscriber_id, event.edition, why, append=append_reason)
        return changed


def set_editions(
    db: Database,
    subscriber_id: int,
    editions: Iterable[str],
    *,
    consent: Consent,
    campaign_id: int | None = None,
    source: str = "preferences",
) -> bool:
    """Sets the editions that a person reads, as the person chose them.

    An empty choice unsubscribes from all mail.

    A person who had unsubscribed or bounced becomes active again. Returns False if nothing changed; nothing
    changes if the person complained or is suppressed.
    """
    chosen, now = frozenset(editions), utc_now()
    with writing(db):
        person = get(db, subscriber_id)
        if person is None or person.address is None:
            return False
        if not chosen:
            return unsubscribe(db, subscriber_id, campaign_id=campaign_id, source=source)
        if person.status == "complained" or suppression_of(db, address_of(db, subscriber_id).key):
            return False
        back = person.status in ("unsubscribed", "bounced")
        if back:
            event = Event(now, "subscribe", subscriber_id, source, campaign_id)
            set_status(db, subscriber_id, "active", event)
        for edition in sorted(set(person.editions) - chosen):
            unsubscribe(db, subscriber_id, edition=edition, campaign_id=campaign_id, source=source)
        for edition in sorted(chosen - set(person.editions)):
            db.conn.execute(_SUBSCRIBE, (edition, subscriber_id, now))
            events.record(db, Event(now, "subscribe", subscriber_id, source, campaign_id, edition))
        if back or chosen - set(person.editions):
            record_consent(db, subscriber_id, consent)
        return back or chosen != set(person.editions)


def _existing_subscriber(db: Database, subscriber_id: int) -> Subscriber:
    person = get(db, subscriber_id)
    if person is None:  # pragma: no cover - looked up in the same transaction
        raise AudienceError(f"there is no subscriber {subscriber_id}")
    return person


def _subscribe(
    db: Database,
    subscriber_id: int,
    editions: Iterable[str],
    existing: Subscriber | None,
    now: str,
    source: str,
) -> bool:
    """Subscribes a person to editions. Returns whether any of the editions is new to the person.

    `existing` is the person as they were before, or None if the person was just added.
    """
    begun = [e for e in editions if db.conn.execute(_SUBSCRIBE, (e, subscriber_id, now)).rowcount > 0]
    if existing is not None:  # somebody new has no event
        events.record(
            db, *(Event(now, "subscribe", subscriber_id, source, edition=edition) for edition in begun)
        )
    return bool(begun)

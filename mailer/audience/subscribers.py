"""Adds subscribers, and changes what they read: unsubscribes, returns, chosen editions.

An unsubscribe wins over everything. Only the person's own act makes them active again (their preferences
page, or an operator who says how they asked), never an import: `exchange` sees to that, and `resubscribing`
says what is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.consent.record import Consent, record_consent
from mailer.audience.consent.resubscribing import ResubscribeGrounds, bring_back, check_grounds, set_status
from mailer.audience.consent.suppression import ERASED, lift, suppression_of
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
    own_act: bool = False,
    forced: str = "",
    source: str = "cli",
) -> tuple[Subscriber, bool]:
    """Adds a person, or changes one who is there; returns the person, and whether they are new.

    `own_act` says that the person asked for this; it makes an unsubscribed person active again. `forced`,
    beside it, is the operator's reason to write to somebody who complained or is suppressed; it takes the
    address off the suppression list. The consent is recorded for an own act, and where mail to the person
    begins. Raises AudienceError, with nothing changed, where this is not enough to write to the address.
    """
    now, grounds, chosen = utc_now(), ResubscribeGrounds(own_act, forced if own_act else ""), tuple(editions)
    with writing(db):
        row = db.conn.execute(_BY_KEY, (address.key,)).fetchone()
        known = _existing(db, int(row[0])) if row else None
        suppression = suppression_of(db, address.key)
        check_grounds(db, address, known, suppression, chosen, grounds)
        if known is None:
            values = (address.address, address.key, address.domain, now, now)
            number = int(db.conn.execute(_INSERT, values).fetchone()[0])
        else:
            number = known.id
            if known.status != "active":
                bring_back(db, known, grounds, now, source)
        if suppression is not None and lift(db, address.key) and suppression.reason != ERASED:
            events.record_ended_suppression(db, number, suppression.added_at, suppression.reason)
        if grounds.forced and (known is None or known.status == "active"):
            events.record(db, Event(now, "restore", number, source, reason=forced))
        if _subscribe(db, number, chosen, known, now, source) or known is None or own_act:
            record_consent(db, number, consent)
        return _existing(db, number), known is None


def unsubscribe(
    db: Database,
    subscriber_id: int,
    *,
    edition: str | None = None,
    campaign_id: int | None = None,
    reason: str = "",
    further: bool = False,
    source: str = "cli",
) -> bool:
    """Unsubscribes a person from one edition, or from all mail; returns False where that was so already.

    The event names the campaign that caused it, with the reader's reason (cut to 500 characters). A later
    reason is recorded where there is none yet, or, with `further`, after the recorded one.
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
            events.add_reason(db, subscriber_id, event.edition, why, further=further)
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
    """Sets the person's own choice of editions. An empty choice is an unsubscribe.

    Makes somebody who had unsubscribed or bounced active again; returns False where nothing changed, they
    complained, or are suppressed.
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


def _existing(db: Database, subscriber_id: int) -> Subscriber:
    person = get(db, subscriber_id)
    if person is None:  # pragma: no cover - looked up in the same transaction
        raise AudienceError(f"there is no subscriber {subscriber_id}")
    return person


def _subscribe(
    db: Database, number: int, editions: Iterable[str], known: Subscriber | None, now: str, source: str
) -> bool:
    """Subscribes a person to editions; returns whether any of them is new to them."""
    begun = [e for e in editions if db.conn.execute(_SUBSCRIBE, (e, number, now)).rowcount > 0]
    if known is not None:  # somebody new has no event
        events.record(db, *(Event(now, "subscribe", number, source, edition=edition) for edition in begun))
    return bool(begun)

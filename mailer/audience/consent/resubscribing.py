"""Decides what is needed to send mail again to a person who unsubscribed, bounced, complained or is
suppressed.

    unsubscribed (all mail, or an edition), bounced, pending    the person's own request
    complained, suppressed, erased before                       a request, and an operator's reason

An import has neither a request nor a reason, and the preferences page has only a request. An operator may
also restore a bounced person without a request (module `bounces`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.change_address import former_holder
from mailer.audience.consent.suppression import Suppression
from mailer.audience.events import Event, EventKind
from mailer.audience.people import Subscriber
from mailer.audience.values.address import Address
from mailer.clock import local_day
from mailer.errors import AudienceError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ResubscribeGrounds", "reactivate", "check_resubscribe_grounds", "set_status"]

_CONSENT = '--consent "…"'
_FORCE = f'{_CONSENT} --force --reason "…"'

_SET_STATUS = "UPDATE subscribers SET status = ?, updated_at = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class ResubscribeGrounds:
    """Holds the grounds for adding a person.

    `at_own_request` is true if the person asked for mail. `force_reason` is an operator's reason to write to
    a person who complained or is suppressed; it counts only together with `at_own_request`.
    """

    at_own_request: bool = False
    force_reason: str = ""


def check_resubscribe_grounds(
    db: Database,
    address: Address,
    person: Subscriber | None,
    suppression: Suppression | None,
    editions: Iterable[str],
    grounds: ResubscribeGrounds,
    zone: tzinfo,
) -> None:
    """Raises AudienceError if the grounds do not allow mail of these editions to this address.

    `person` is the subscriber with the address, or None. `suppression` is the entry of the address on the
    suppression list, or None. `zone` is the time zone of days in messages.
    """
    holder = person or former_holder(db, address.key)
    needs_force = suppression is not None or (holder is not None and holder.status == "complained")
    if grounds.at_own_request and grounds.force_reason:
        if not needs_force and (person is None or person.status == "active"):
            raise AudienceError(f"{address.address} can be added without --force; leave --force out")
        return
    if suppression is not None:
        day = local_day(suppression.added_at, zone)
        raise AudienceError(
            f"{address.address} has been on the suppression list since {day} "
            f"({suppression.reason}) and must not get mail again; if the reader asked for mail, say how, and "
            f"why the entry no longer holds, with {_FORCE}"
        )
    if person is None:
        _check_grounds_for_former_holder(address, holder, grounds)
    elif person.status != "active":
        _check_grounds_for_inactive_person(person, grounds)
    if person is not None and not grounds.at_own_request:
        _refuse_unsubscribed_editions(db, person, editions)


def reactivate(
    db: Database, person: Subscriber, grounds: ResubscribeGrounds, now_utc: str, source: str
) -> None:
    """Makes a person active again and records the event. The caller must first check the grounds.

    `source` says how the change came about, such as `cli`.
    """
    kind: EventKind = "restore" if grounds.force_reason else "subscribe"
    set_status(db, person.id, "active", Event(now_utc, kind, person.id, source, reason=grounds.force_reason))


def set_status(db: Database, subscriber_id: int, status: str, event: Event) -> None:
    """Changes a person's status and records the event of the change.

    The caller must first begin a transaction.
    """
    db.conn.execute(_SET_STATUS, (status, event.at, subscriber_id))
    events.record(db, event)


def _check_grounds_for_inactive_person(person: Subscriber, grounds: ResubscribeGrounds) -> None:
    who = person.address
    if not grounds.at_own_request and person.status == "bounced":
        raise AudienceError(
            f"{who} has bounced; if the address works after all, run "
            f'`mailer subscribers restore {who} --reason "…"`; if the reader asked for mail again, say '
            'how with --consent "…"'
        )
    if person.status == "complained" and grounds.at_own_request:
        raise AudienceError(
            f"{who} has complained: the reader reported a message as spam; if the reader asked for mail "
            f"again, say how, and why the complaint no longer holds, with {_FORCE}"
        )
    if not grounds.at_own_request:
        how = _FORCE if person.status == "complained" else '--consent "…"'
        raise AudienceError(
            f"{who} is {person.status}, and only the reader can change that; if the reader asked for mail, "
            f"say how with {how}"
        )


def _refuse_unsubscribed_editions(db: Database, person: Subscriber, editions: Iterable[str]) -> None:
    ever = {edition for _, edition in events.unsubscribed_editions(db, (person.id,))}
    left = [edition for edition in editions if edition in ever and edition not in person.editions]
    if left:
        raise AudienceError(
            f"{person.address} has unsubscribed from {', '.join(left)}, and only the reader can change that; "
            'if the reader asked for it, say how with --consent "…"'
        )


def _check_grounds_for_former_holder(
    address: Address, former_holder: Subscriber | None, grounds: ResubscribeGrounds
) -> None:
    """Raises AudienceError if the address had a holder who must get no mail and the grounds are too weak."""
    if former_holder is None or former_holder.status == "active":
        return
    complained = former_holder.status == "complained"
    if complained or not grounds.at_own_request:
        raise AudienceError(
            f"{address.address} is the former address of a person who is now {former_holder.status}; if the "
            f"reader asked for mail, say how with {_FORCE if complained else _CONSENT}"
        )

"""Decides what is needed to write again to somebody who unsubscribed, bounced, complained, or is suppressed.

    unsubscribed (all, or an edition), bounced, pending     their own act
    complained, suppressed, erased before                   their own act, and an operator's reason

An import has neither, and the preferences page has no reason. Somebody who bounced may also be restored
without an act of their own (`bounces`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.audience import events
from mailer.audience.change_address import former_holder
from mailer.audience.consent.suppression import Suppression
from mailer.audience.events import Event, Kind
from mailer.audience.people import Subscriber
from mailer.audience.values.address import Address
from mailer.errors import AudienceError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ResubscribeGrounds", "bring_back", "check_grounds", "set_status"]

_CONSENT = '--consent "…"'
_FORCE = f'{_CONSENT} --force --reason "…"'

_SET_STATUS = "UPDATE subscribers SET status = ?, updated_at = ? WHERE id = ?"


@dataclass(frozen=True, slots=True)
class ResubscribeGrounds:
    """Holds the grounds for adding somebody.

    `own_act` says that the person asked for it. `forced` is an operator's reason to write to somebody who
    complained or is suppressed; it counts only with `own_act`.
    """

    own_act: bool = False
    forced: str = ""


def check_grounds(
    db: Database,
    address: Address,
    person: Subscriber | None,
    suppression: Suppression | None,
    editions: Iterable[str],
    grounds: ResubscribeGrounds,
) -> None:
    """Raises AudienceError where the `grounds` are not enough to write to this address.

    `person` is the subscriber with the address, where there is one.
    """
    holder = person or former_holder(db, address.key)
    needs_force = suppression is not None or (holder is not None and holder.status == "complained")
    if grounds.own_act and grounds.forced:
        if not needs_force and (person is None or person.status == "active"):
            raise AudienceError(f"nothing has to be forced for {address.address}; leave --force out")
        return
    if suppression is not None:
        raise AudienceError(
            f"{address.address} is on the suppression list since {suppression.added_at[:10]} "
            f"({suppression.reason}) and is never written to again; if they asked for it themselves, say "
            f"how, and why the list no longer holds, with {_FORCE}"
        )
    if person is None:
        _check_former(address, holder, grounds)
    elif person.status != "active":
        _check_excluded(person, grounds)
    if person is not None and not grounds.own_act:
        _check_editions_left(db, person, editions)


def bring_back(db: Database, person: Subscriber, grounds: ResubscribeGrounds, now: str, source: str) -> None:
    """Makes a person active again, after `check_grounds`."""
    kind: Kind = "restore" if grounds.forced else "subscribe"
    set_status(db, person.id, "active", Event(now, kind, person.id, source, reason=grounds.forced))


def set_status(db: Database, subscriber_id: int, status: str, event: Event) -> None:
    """Changes a status and records the event of it, in the caller's transaction."""
    db.conn.execute(_SET_STATUS, (status, event.at, subscriber_id))
    events.record(db, event)


def _check_excluded(person: Subscriber, grounds: ResubscribeGrounds) -> None:
    who = person.address
    if not grounds.own_act and person.status == "bounced":
        raise AudienceError(
            f"{who} has bounced; if the address works after all, say why: "
            f'`mailer subscribers restore {who} --reason "…"`; if they asked again, say how '
            'with --consent "…"'
        )
    if person.status == "complained" and grounds.own_act:
        raise AudienceError(
            f"{who} has complained: they reported a message as spam; if they asked to get mail again, say "
            f"how, and why the complaint no longer holds, with {_FORCE}"
        )
    if not grounds.own_act:
        how = _FORCE if person.status == "complained" else '--consent "…"'
        raise AudienceError(
            f"{who} is {person.status}; only their own wish makes them active again: if they "
            f"asked, say how with {how}"
        )


def _check_editions_left(db: Database, person: Subscriber, editions: Iterable[str]) -> None:
    ever = {edition for _, edition in events.editions_left(db, (person.id,))}
    left = [edition for edition in editions if edition in ever and edition not in person.editions]
    if left:
        raise AudienceError(
            f"{person.address} has left {', '.join(left)}; only their own wish puts them back: if they "
            'asked, say how with --consent "…"'
        )


def _check_former(address: Address, holder: Subscriber | None, grounds: ResubscribeGrounds) -> None:
    """Raises AudienceError if a former holder of the address is excluded and `grounds` are too weak."""
    if holder is None or holder.status == "active":
        return
    complained = holder.status == "complained"
    if complained or not grounds.own_act:
        raise AudienceError(
            f"{address.address} was the earlier address of a person who is {holder.status} now; if they "
            f"asked, say how with {_FORCE if complained else _CONSENT}"
        )

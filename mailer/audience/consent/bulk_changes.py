"""Unsubscribes the people of a list of addresses, or puts the addresses on the suppression list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer.audience import people
from mailer.audience.change_address import former_holder
from mailer.audience.consent import suppression
from mailer.audience.people import Subscriber
from mailer.audience.subscribers import unsubscribe
from mailer.audience.values.address import Address
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ListOutcome", "holder_of", "suppress_all", "unsubscribe_all"]

#: The number of addresses in one transaction: few, so that a run does not wait long for the write lock.
_BATCH = 500


@dataclass(slots=True)
class ListOutcome:
    """Counts the outcomes of a list of addresses, each counted once.

    `unknown` addresses belong to no subscriber: an unsubscribe does nothing about them, and a suppression
    counts them in `changed` or `unchanged`, too. `moved` are suppressed addresses that a subscriber had
    before, each with the subscriber's present address, which is not suppressed by this.
    """

    changed: int = 0
    unchanged: int = 0
    unknown: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)


def holder_of(db: Database, address: Address) -> Subscriber | None:
    """Returns the person with this address, else the person who had it before a change of address."""
    return people.find(db, address.address) or _not_erased(former_holder(db, address.key))


def unsubscribe_all(
    db: Database, addresses: Sequence[Address], *, edition: str | None = None, reason: str = ""
) -> ListOutcome:
    """Unsubscribes everybody with one of these addresses from one edition, or from all mail.

    A former address of a person means that person. Each batch is one transaction.
    """
    outcome = ListOutcome()
    for some in _batches(addresses):
        with writing(db):
            for address in some:
                person = holder_of(db, address)
                if person is None:
                    outcome.unknown.append(address.address)
                elif unsubscribe(db, person.id, edition=edition, reason=reason, further=True):
                    outcome.changed += 1
                else:
                    outcome.unchanged += 1
    return outcome


def suppress_all(db: Database, addresses: Sequence[Address], *, reason: str) -> ListOutcome:
    """Puts these addresses on the suppression list, with or without a subscriber.

    A batch is a transaction.
    """
    outcome = ListOutcome()
    for some in _batches(addresses):
        with writing(db):
            for address in some:
                if people.find(db, address.address) is None:
                    holder = _not_erased(former_holder(db, address.key))
                    if holder is None or holder.address is None:
                        outcome.unknown.append(address.address)
                    else:
                        outcome.moved.append((address.address, holder.address))
                if suppression.suppress(db, address.key, reason):
                    outcome.changed += 1
                else:
                    outcome.unchanged += 1
                    if reason != suppression.OPERATOR:
                        suppression.append_reason(db, address.key, reason)
    return outcome


def _batches(addresses: Sequence[Address]) -> list[list[Address]]:
    once = list({address.key: address for address in addresses}.values())
    return [once[start : start + _BATCH] for start in range(0, len(once), _BATCH)]


def _not_erased(person: Subscriber | None) -> Subscriber | None:
    return person if person is not None and person.address is not None else None

"""Unsubscribes all people of a list of addresses, or puts all addresses of a list on the suppression list."""

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

__all__ = ["BulkChangeOutcome", "current_or_former_holder", "suppress_all", "unsubscribe_all"]

#: The number of addresses in one transaction: few, so that a run does not wait long for the write lock.
_BATCH = 500


@dataclass(slots=True)
class BulkChangeOutcome:
    """Counts the outcomes of a list of addresses. Each address is counted once, even if the list repeats it.

    `changed` is the number of addresses that were unsubscribed or suppressed, and `unchanged` the number of
    those that had been so before. `unknown` has the addresses of no subscriber: an unsubscribe ignores them,
    and a suppression also counts them in `changed` or `unchanged`. `moved` has (suppressed address, current
    address) of subscribers who changed their address; the current address is not suppressed.
    """

    changed: int = 0
    unchanged: int = 0
    unknown: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)


def current_or_former_holder(db: Database, address: Address) -> Subscriber | None:
    """Returns the person with this address, else the person who had it before, else None."""
    return people.find(db, address.address) or _person_unless_erased(former_holder(db, address.key))


def unsubscribe_all(
    db: Database, addresses: Sequence[Address], *, edition: str | None = None, reason: str = ""
) -> BulkChangeOutcome:
    """Unsubscribes the person of each address from `edition`, or from all mail if it is None.

    A former address counts as the person who had it. Every 500 addresses are one transaction.
    """
    outcome = BulkChangeOutcome()
    for some in _batches_of_distinct_addresses(addresses):
        with writing(db):
            for address in some:
                person = current_or_former_holder(db, address)
                if person is None:
                    outcome.unknown.append(address.address)
                elif unsubscribe(db, person.id, edition=edition, reason=reason, append_reason=True):
                    outcome.changed += 1
                else:
                    outcome.unchanged += 1
    return outcome


def suppress_all(db: Database, addresses: Sequence[Address], *, reason: str) -> BulkChangeOutcome:
    """Puts addresses on the suppression list, whether or not they belong to subscribers.

    Every 500 addresses are one transaction.
    """
    outcome = BulkChangeOutcome()
    for some in _batches_of_distinct_addresses(addresses):
        with writing(db):
            for address in some:
                if people.find(db, address.address) is None:
                    holder = _person_unless_erased(former_holder(db, address.key))
                    if holder is None or holder.address is None:
                        outcome.unknown.append(address.address)
                    else:
                        outcome.moved.append((address.address, holder.address))
                if suppression.suppress(db, address.key, reason):
                    outcome.changed += 1
                else:
                    outcome.unchanged += 1
                    if reason != suppression.OPERATOR:
                        suppression.append_suppression_reason(db, address.key, reason)
    return outcome


def _batches_of_distinct_addresses(addresses: Sequence[Address]) -> list[list[Address]]:
    once = list({address.key: address for address in addresses}.values())
    return [once[start : start + _BATCH] for start in range(0, len(once), _BATCH)]


def _person_unless_erased(person: Subscriber | None) -> Subscriber | None:
    return person if person is not None and person.address is not None else None

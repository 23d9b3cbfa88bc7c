"""Unsubscribes people from an edition or from everything, and suppresses addresses: one address, or a
list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mailer.audience import subscribers
from mailer.audience.consent import suppression
from mailer.audience.consent.bulk_changes import (
    BulkChangeOutcome,
    current_or_former_holder,
    suppress_all,
    unsubscribe_all,
)
from mailer.audience.exchange.addresses import ListLine
from mailer.audience.people import Subscriber, get
from mailer.audience.values.address import Address, normalize_address
from mailer.audience.values.cells import checked_editions, clean_line
from mailer.config import Settings
from mailer.services.subscribers.person import find_person, person_json
from mailer.store.database import open_store

__all__ = [
    "AddressList",
    "AddressListResult",
    "SuppressionResult",
    "UnsubscribeResult",
    "suppress_address",
    "suppress_list",
    "unsubscribe_person",
    "unsubscribe_list",
]


@dataclass(frozen=True, slots=True)
class AddressList:
    """Holds the lines of a list of addresses, and the name of the list for messages."""

    name: str
    lines: Sequence[ListLine]


@dataclass(frozen=True, slots=True)
class AddressListResult:
    """Holds the result of unsubscribing or suppressing a list of addresses. `outcome` covers the addresses
    that could be read."""

    source: AddressList
    outcome: BulkChangeOutcome

    @property
    def unreadable(self) -> list[ListLine]:
        """Returns the lines whose address could not be read."""
        return [line for line in self.source.lines if line.address is None]

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {
            "file": self.source.name,
            "lines": len(self.source.lines),
            "changed": self.outcome.changed,
            "unchanged": self.outcome.unchanged,
            "unknown": self.outcome.unknown,
            "moved": [{"address": before, "now": now} for before, now in self.outcome.moved],
            "unreadable": [
                {"line": line.line, "text": line.text, "reason": line.problem} for line in self.unreadable
            ],
        }


@dataclass(frozen=True, slots=True)
class UnsubscribeResult:
    """Holds the result of an unsubscribe: whether anything changed, and the person afterwards."""

    changed: bool
    person: Subscriber

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {"changed": self.changed, "subscriber": person_json(self.person)}


@dataclass(frozen=True, slots=True)
class SuppressionResult:
    """Holds the result of a suppression: the address, and whether the address is newly suppressed
    (`changed`).

    `moved_to` lists the current addresses of a reader who had this address earlier. The current addresses are
    not suppressed.
    """

    address: str
    changed: bool
    moved_to: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the result as JSON data."""
        return {"address": self.address, "changed": self.changed}


def unsubscribe_person(
    settings: Settings, address: str, *, edition: str | None = None, reason: str = ""
) -> UnsubscribeResult:
    """Unsubscribes a person from one edition, or from all (None). `reason` is in the person's own words.

    `address` may also be an earlier address of the person. Raises AudienceError if nobody has or had the
    address.
    """
    _check_edition_exists(settings, edition)
    who = normalize_address(address)
    with closing(open_store(settings.database)) as db:
        person = current_or_former_holder(db, who) or find_person(
            db, who.address, zone=settings.publication.zone
        )
        changed = subscribers.unsubscribe(db, person.id, edition=edition, reason=reason, append_reason=True)
        return UnsubscribeResult(changed, get(db, person.id) or person)


def unsubscribe_list(
    settings: Settings, addresses: AddressList, *, edition: str | None = None, reason: str = ""
) -> AddressListResult:
    """Unsubscribes everybody in a list from one edition, or from all editions (None). Raises AudienceError
    for an unknown edition."""
    _check_edition_exists(settings, edition)
    with closing(open_store(settings.database)) as db:
        return AddressListResult(
            addresses, unsubscribe_all(db, _readable_addresses(addresses), edition=edition, reason=reason)
        )


def suppress_address(settings: Settings, address: str, *, reason: str = "") -> SuppressionResult:
    """Adds an address to the suppression list, even if no subscriber has it. Raises AudienceError for an
    invalid address."""
    why, who = _clean_reason(reason), normalize_address(address)
    with closing(open_store(settings.database)) as db:
        taken = suppress_all(db, [who], reason=why)
    return SuppressionResult(who.address, taken.changed > 0, tuple(now for _, now in taken.moved))


def suppress_list(settings: Settings, addresses: AddressList, *, reason: str = "") -> AddressListResult:
    """Adds all readable addresses of a list to the suppression list."""
    why = _clean_reason(reason)
    with closing(open_store(settings.database)) as db:
        return AddressListResult(addresses, suppress_all(db, _readable_addresses(addresses), reason=why))


def _check_edition_exists(settings: Settings, edition: str | None) -> None:
    if edition is not None:
        checked_editions((edition,), settings.editions)


def _clean_reason(reason: str) -> str:
    return clean_line(reason, "reason") or suppression.OPERATOR


def _readable_addresses(addresses: AddressList) -> list[Address]:
    return [line.address for line in addresses.lines if line.address is not None]

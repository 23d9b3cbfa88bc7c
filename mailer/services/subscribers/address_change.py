"""Changes a person's address, and reports which campaigns have a message to the old address in flight."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mailer.audience import change_address as moving
from mailer.audience import people
from mailer.audience.people import Subscriber
from mailer.audience.values.address import normalize_address
from mailer.audience.values.cells import clean_line
from mailer.config import Settings
from mailer.services.subscribers.person import find_person, person_json
from mailer.spool.open import spools_of
from mailer.store.database import open_store

__all__ = ["AddressChange", "change_address"]


@dataclass(frozen=True, slots=True)
class AddressChange:
    """Holds the result of a change of address: whether the address changed, and the person before and after.

    `on_the_way` lists the slugs of campaigns whose message to the old address is in flight.
    """

    changed: bool
    before: Subscriber
    person: Subscriber
    on_the_way: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the change as JSON data."""
        return {
            "changed": self.changed,
            "subscriber": person_json(self.person),
            "on_the_way": list(self.on_the_way),
        }


def change_address(settings: Settings, old: str, new: str, *, reason: str = "") -> AddressChange:
    """Changes the address of the person at `old` to `new`. The person stays the same subscriber, whatever the
    status.

    Raises AudienceError if nobody has the old address, or if the new address cannot be used for this person.
    """
    who, why = normalize_address(new), clean_line(reason, "reason", 500)
    zone = settings.publication.zone
    with closing(open_store(settings.database)) as db:
        before = find_person(db, old, zone=zone)
        changed = moving.change_address(db, before, who, reason=why, zone=zone)
        person = people.get(db, before.id) or before
        spools = spools_of(db)
        theirs = spools.deliveries_of(person.id, spools.campaigns())
        on_the_way = tuple(one.slug for one in theirs if one.state == "sending")
    return AddressChange(changed, before, person, on_the_way)

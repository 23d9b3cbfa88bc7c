"""Collects all data and all events of one person."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mailer.audience import events, people
from mailer.audience.consent import bounces, suppression
from mailer.audience.consent.bounces import Bounce
from mailer.audience.consent.record import Consent, consents_of
from mailer.audience.consent.suppression import ERASED, Suppression
from mailer.audience.events import HistoryEntry
from mailer.audience.people import Subscriber
from mailer.audience.values.address import normalize_address
from mailer.campaign.campaign import PersonDelivery
from mailer.config import Settings
from mailer.services.subscribers.person import find_person, person_json
from mailer.spool.open import spools_of
from mailer.store.database import open_for_reading

__all__ = ["PersonHistory", "person_history"]


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """Holds all data about one address, the oldest events first.

    `person` is None if the address is suppressed and no subscriber has it.
    """

    address: str
    person: Subscriber | None
    suppressed: Suppression | None
    consents: tuple[Consent, ...] = ()
    bounces: tuple[Bounce, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    deliveries: tuple[PersonDelivery, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the data and the events as JSON data."""
        return {
            **(self._suppressed_address_json() if self.person is None else person_json(self.person)),
            "consents": [dataclasses.asdict(consent) for consent in self.consents],
            "bounces": [dataclasses.asdict(bounce) for bounce in self.bounces],
            "suppressed": dataclasses.asdict(self.suppressed) if self.suppressed else None,
            "history": [happening._asdict() for happening in self.history],
            "deliveries": [_delivery_json(delivered) for delivered in self.deliveries],
        }

    def _suppressed_address_json(self) -> dict[str, Any]:
        since = self.suppressed.added_at if self.suppressed else None
        nobody = Subscriber(0, self.address, suppressed_at=since)
        return {**person_json(nobody), "id": None, "status": None}


def person_history(settings: Settings, address: str) -> PersonHistory:
    """Returns the data and events of the person at this address, or of a suppressed address without a
    subscriber.

    Raises AudienceError for an unknown address.
    """
    who = normalize_address(address)
    with closing(open_for_reading(settings.database)) as db:
        stopped = suppression.suppression_of(db, who.key)
        if people.find(db, address) is None and stopped is not None and stopped.reason != ERASED:
            return PersonHistory(who.address, None, stopped)
        person, spools = find_person(db, address, zone=settings.publication.zone), spools_of(db)
        slugs = spools.slugs_by_id()
        return PersonHistory(
            person.address or who.address,
            person,
            stopped,
            consents_of(db, person.id),
            bounces.bounces_of(db, person.id, slugs),
            events.history_of(db, person.id, slugs),
            tuple(spools.deliveries_of(person.id, spools.campaigns())),
        )


def _delivery_json(delivered: PersonDelivery) -> dict[str, Any]:
    document = dataclasses.asdict(delivered)
    return {"campaign": document.pop("slug"), **document}

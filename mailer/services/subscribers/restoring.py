"""Reactivates people who bounced: one person, or everybody whom one campaign marked as bounced."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mailer.audience.consent import bounces
from mailer.audience.people import Subscriber
from mailer.audience.values.cells import clean_line
from mailer.config import Settings
from mailer.errors import InputError
from mailer.services.subscribers.person import find_person, person_json
from mailer.spool.open import spools_of
from mailer.store.database import open_store

__all__ = ["RestoredPerson", "RestoredPeople", "restore_people_bounced_in_campaign", "restore_bounced_person"]


@dataclass(frozen=True, slots=True)
class RestoredPerson:
    """Holds a person who was reactivated."""

    person: Subscriber

    def to_json(self) -> dict[str, Any]:
        """Returns the person as JSON data, with the number of reactivated people (1)."""
        return {"restored": 1, "subscriber": person_json(self.person)}


@dataclass(frozen=True, slots=True)
class RestoredPeople:
    """Counts the people whom the campaign `campaign` had marked as bounced, and who were reactivated."""

    campaign: str
    number: int

    def to_json(self) -> dict[str, Any]:
        """Returns the number as JSON data."""
        return {"campaign": self.campaign, "restored": self.number}


def restore_bounced_person(settings: Settings, address: str, *, reason: str) -> RestoredPerson:
    """Reactivates a person who bounced. `reason` says why the address works after all.

    Raises AudienceError if the person has not bounced, and InputError without a reason.
    """
    why, zone = _clean_reason(reason), settings.publication.zone
    with closing(open_store(settings.database)) as db:
        person = find_person(db, address, zone=zone)
        bounces.restore_bounced_subscriber(db, person, reason=why, zone=zone)
        return RestoredPerson(find_person(db, address))


def restore_people_bounced_in_campaign(settings: Settings, slug: str, *, reason: str) -> RestoredPeople:
    """Reactivates everybody whose last status change is a bounce that the campaign `slug` recorded.

    `reason` says why the addresses work after all. Raises CampaignError for an unknown campaign, and
    InputError without a reason.
    """
    why = _clean_reason(reason)
    with closing(open_store(settings.database)) as db:
        return RestoredPeople(
            slug, bounces.restore_subscribers_bounced_in_campaign(db, spools_of(db).find(slug).id, reason=why)
        )


def _clean_reason(reason: str) -> str:
    why = clean_line(reason, "reason", 500)
    if not why:
        raise InputError(
            '--reason must say why the address works after all, as in --reason "they wrote from it today"'
        )
    return why

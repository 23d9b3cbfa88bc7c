"""Finds one person by address, or says what happened to an address that no subscriber has any more."""

from __future__ import annotations

import dataclasses
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from mailer.audience import people
from mailer.audience.change_address import former_holder
from mailer.audience.consent.suppression import ERASED, suppression_of
from mailer.audience.people import Subscriber
from mailer.audience.values.address import normalize_address
from mailer.clock import local_day
from mailer.errors import AudienceError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["person_json", "find_person"]


def find_person(db: Database, address: str, *, zone: tzinfo = UTC) -> Subscriber:
    """Returns the subscriber with this address. Raises AudienceError, whose message says if the person was
    erased or has a new address. `zone` is the time zone of days in messages."""
    person = people.find(db, address)
    if person is not None:
        return person
    who = normalize_address(address)
    holder = former_holder(db, who.key)
    if holder is not None and holder.address is not None:
        raise AudienceError(
            f"{who.address} is not a subscriber any more: the person's address is now {holder.address}"
        )
    stopped = suppression_of(db, who.key)
    if stopped is not None and stopped.reason == ERASED:
        day = local_day(stopped.added_at, zone)
        raise AudienceError(
            f"{who.address} is not a subscriber: the person was erased on {day}, and "
            "nothing is kept that says who they were"
        )
    raise AudienceError(f"{who.address} is not a subscriber; `mailer subscribers list` shows who is")


def person_json(person: Subscriber) -> dict[str, Any]:
    """Returns a person as JSON data."""
    return dataclasses.asdict(person)

"""A delivery that is ours to hand over, as the spool's row tells of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from mailer.audience.recipients import texts_of
from mailer.errors import StoreError
from mailer.message.message import Person

__all__ = ["Claim", "claim_of"]


class Claim(NamedTuple):
    """A delivery that is ours to hand over now. `deferred_since` is UTC, or empty."""

    person: Person
    variant: int
    attempt: int
    domain: str
    deferred_since: str = ""


def claim_of(row: Sequence[Any]) -> Claim:
    """The claim of (id, variant, attempt, address, name, language, attributes, domain, deferred since, why
    not, stable id).

    Raises StoreError where somebody has no stable id: their link would belong to nobody.
    """
    subscriber, variant, attempt, address, name, language, attributes, domain, since, _, stable_id = row
    if not stable_id:
        raise StoreError(
            f"subscriber {subscriber} has no stable id, so that no link would be theirs; send again"
        )
    free = json.loads(attributes) if attributes and attributes != "{}" else {}
    person = Person(subscriber, address, name, language, texts_of(free) if free else None, stable_id)
    return Claim(person, variant, attempt + 1, domain, since)

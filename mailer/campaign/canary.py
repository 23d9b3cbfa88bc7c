"""Draws the canary of a campaign: a few random recipients whose messages are sent before all others.

The draw is a hash of the campaign's slug and the subscriber id, so that a restart draws the same recipients.
This module does no I/O.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mailer.campaign.campaign import Campaign

__all__ = ["Canary", "Phase", "canary_of", "draw_recipients", "make_canary"]

Phase = Literal["first", "held", "released"]


@dataclass(frozen=True, slots=True)
class Canary:
    """Describes a canary: `number` recipients, which are the fraction `share` (0 to 1) of all recipients.

    `hold` is the number of seconds for which the other messages wait after the canary is sent; None means
    that they wait until the operator decides. `phase` is `first` while the canary is being sent, `held` while
    it is watched, and `released` once the other messages may be sent.
    """

    share: float
    number: int
    hold: float | None
    phase: Phase = "first"

    def to_json(self) -> dict[str, Any]:
        """Returns the canary as JSON data."""
        return asdict(self)


def make_canary(share: float, hold_seconds: float | None, recipient_count: int) -> Canary:
    """Returns the canary for a campaign with this number of recipients. A canary has at least one recipient.

    `share` is the fraction of all recipients that the canary gets (0 to 1). `hold_seconds` is the time for
    which the other messages wait after the canary is sent; None means until the operator decides.
    """
    number = max(1, math.ceil(share * recipient_count - 1e-9))
    return Canary(share, min(recipient_count, number), hold_seconds)


def canary_of(campaign: Campaign) -> Canary | None:
    """Returns the canary of a campaign; None if it has none."""
    return Canary(**json.loads(campaign.canary)) if campaign.canary else None


def draw_recipients(slug: str, people: Iterable[int], count: int) -> frozenset[int]:
    """Returns `count` of these subscriber ids, drawn at random. The same slug draws the same people again."""
    name = slug.encode()

    def lot_number(person: int) -> bytes:
        return hashlib.sha256(b"%b:%d" % (name, person)).digest()

    return frozenset(heapq.nsmallest(count, people, key=lot_number))

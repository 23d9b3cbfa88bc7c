"""Draws the canary of a campaign: a few random recipients who are sent to before the others. Pure.

The draw is a hash of the campaign's slug and the subscriber id, so that a restart draws the same recipients.
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
    """Describes a canary: `number` recipients, the `share` (0 to 1) of all, and how long they are watched.

    `hold` is in seconds; None means until the operator decides. `phase` is `first` while the canary is being
    sent to, `held` while it is watched, and `released` once the others may be sent to.
    """

    share: float
    number: int
    hold: float | None
    phase: Phase = "first"

    def to_json(self) -> dict[str, Any]:
        """Returns the canary as JSON data."""
        return asdict(self)


def make_canary(share: float, hold: float | None, recipients: int) -> Canary:
    """Returns the canary for this number of recipients; it has at least one."""
    return Canary(share, min(recipients, max(1, math.ceil(share * recipients - 1e-9))), hold)


def canary_of(campaign: Campaign) -> Canary | None:
    """Returns the canary of a campaign; None where it has none."""
    return Canary(**json.loads(campaign.canary)) if campaign.canary else None


def draw_recipients(slug: str, people: Iterable[int], number: int) -> frozenset[int]:
    """Returns `number` of these people (subscriber ids), drawn at random but repeatably for this slug."""
    name = slug.encode()

    def lot(person: int) -> tuple[int, int]:
        drawn = hashlib.sha256(name + b":" + str(person).encode("ascii")).digest()
        return int.from_bytes(drawn[:7], "big"), person

    return frozenset(heapq.nsmallest(number, people, key=lot))

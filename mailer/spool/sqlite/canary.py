"""The first few of a campaign, chosen by lot, and everybody else, who waits until these went well.

Who is first is a function of the campaign's name and the person, so that a restart finds the same. The others
are pending at `HELD`, which no claim reaches; a release makes them due. `campaigns.canary` tells the phase.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from mailer.spool.sqlite.campaigns import Campaign, find_campaign
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.schedule import HELD
from mailer.store.database import writing

__all__ = ["Canary", "canary_of", "hold_back", "hold_until", "make_canary", "mark", "release"]


@dataclass(frozen=True, slots=True)
class Canary:
    """`number` people first, which is the `share` (0 to 1) of all; then a `hold` in seconds, None until
    somebody says otherwise. `phase`: the first are being sent to, they are watched, all may have it."""

    share: float
    number: int
    hold: float | None
    phase: Literal["first", "held", "released"] = "first"

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def make_canary(share: float, hold: float | None, recipients: int) -> Canary:
    """The canary for so many people: at least one."""
    return Canary(share, min(recipients, max(1, math.ceil(share * recipients - 1e-9))), hold)


def canary_of(campaign: Campaign) -> Canary | None:
    """What the campaign says of its first few; None where it has none."""
    return Canary(**json.loads(campaign.canary)) if campaign.canary else None


def hold_back(spool: Spool, canary: Canary) -> None:
    """Everybody but the first few waits, inside the transaction that made the deliveries."""
    name = spool.campaign.slug.encode()

    def lot(subscriber: int) -> int:
        drawn = hashlib.sha256(name + b":" + str(subscriber).encode("ascii")).digest()
        return int.from_bytes(drawn[:7], "big")

    connection = spool.database.conn
    connection.create_function("lot", 1, lot, deterministic=True)
    connection.execute(
        # Whoever is skipped already is neither first nor held back.
        "UPDATE deliveries SET due_at = ? WHERE campaign_id = ? AND state = 'pending' "
        "AND subscriber_id NOT IN "
        "(SELECT subscriber_id FROM deliveries WHERE campaign_id = ? AND state = 'pending' "
        "ORDER BY lot(subscriber_id), subscriber_id LIMIT ?)",
        [HELD, spool.campaign.id, spool.campaign.id, canary.number],
    )
    mark(spool, canary)


def mark(spool: Spool, canary: Canary, phase: Literal["first", "held", "released"] | None = None) -> None:
    """Writes down how the canary stands."""
    canary = replace(canary, phase=phase or canary.phase)
    with writing(spool.database) as db:
        db.conn.execute(
            "UPDATE campaigns SET canary = ? WHERE id = ?", [json.dumps(canary.to_json()), spool.campaign.id]
        )


def hold_until(spool: Spool, moment: str) -> None:
    """When the campaign may go on by itself (UTC); empty: not by itself."""
    with writing(spool.database) as db:
        db.conn.execute("UPDATE campaigns SET held_until = ? WHERE id = ?", [moment, spool.campaign.id])


def release(spool: Spool, *, only_from: Sequence[str]) -> bool:
    """Everybody may be sent to; whether the campaign was in one of these statuses, with people held back."""
    with writing(spool.database) as db:
        canary = canary_of(find_campaign(db, spool.campaign.slug))
        if canary is None or canary.phase == "released":
            return False
        if not spool.set_status("stopped", only_from=only_from):
            return False
        mark(spool, canary, "released")
        hold_until(spool, "")
        db.conn.execute(
            "UPDATE deliveries SET due_at = '' WHERE campaign_id = ? "
            "AND state IN ('pending', 'sending', 'deferred', 'uncertain') AND state = 'pending' "
            "AND due_at = ?",
            [spool.campaign.id, HELD],
        )
    return True

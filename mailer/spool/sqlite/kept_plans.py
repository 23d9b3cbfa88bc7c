"""Stores plans for some days, so that `send --plan HASH` can compare them with what would be sent now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mailer.audience.planned import PlannedPeople
from mailer.clock import now, utc_now, utc_text
from mailer.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["KEPT_FOR", "KeptPlan", "find_plan", "store_plan"]

#: A plan is stored for this time.
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """Holds a stored plan: `plan` as it was shown, its `content` (see `plan.make_plan_content`), and the
    recipients (`people`).

    People who were erased after the plan was stored are still counted in `plan`, but are not in `people`.
    """

    plan: Mapping[str, Any]
    content: Mapping[str, Any]
    people: PlannedPeople


def store_plan(
    db: Database, plan_hash: str, plan: Mapping[str, Any], content: Mapping[str, Any], people: PlannedPeople
) -> None:
    """Stores a plan under its hash, and removes stored plans that are older than `KEPT_FOR`."""
    row = (
        plan_hash,
        utc_now(),
        json.dumps(plan, ensure_ascii=False),
        json.dumps(content, ensure_ascii=False),
        people.data,
    )
    with writing(db):
        db.conn.execute("DELETE FROM plans WHERE made_at < ?", [_oldest_kept_plan_time()])
        # The same plan may be made again; then its time starts again.
        db.conn.execute("INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?, ?)", row)


def find_plan(db: Database, plan_hash: str) -> KeptPlan | None:
    """Returns the stored plan with this hash; None if it is not stored, or older than `KEPT_FOR`."""
    row = db.conn.execute(
        "SELECT plan, content, people FROM plans WHERE hash = ? AND made_at >= ?",
        [plan_hash, _oldest_kept_plan_time()],
    ).fetchone()
    return KeptPlan(json.loads(row[0]), json.loads(row[1]), PlannedPeople(row[2])) if row else None


def _oldest_kept_plan_time() -> str:
    return utc_text(now() - KEPT_FOR)

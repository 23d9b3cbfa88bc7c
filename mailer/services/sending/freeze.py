"""Freezes a plan into a campaign: what is sent from then on is what was approved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from mailer import __version__
from mailer.archive.campaign import write_campaign
from mailer.config import Settings
from mailer.errors import CampaignError, MailerError
from mailer.services.planning.plan import Selection, survey
from mailer.services.planning.prepare import Prepared, is_same_issue
from mailer.services.planning.schedule import Schedule
from mailer.services.planning.standing import STANDING_SQL, standing
from mailer.spool.journal import begun_in
from mailer.spool.sqlite.campaigns import campaigns, find_campaign
from mailer.spool.sqlite.canary import Canary, hold_back
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.schedule import schedule_again, set_due
from mailer.store.database import utc_now, writing

__all__ = ["SincePlan", "freeze"]


@dataclass(frozen=True, slots=True)
class SincePlan:
    """How the audience changed between the plan and its freeze.

    Of those planned, `left` may not be written to any more and `received` have the issue by another campaign:
    both are skipped. `joined` would get it now, were not planned, and are not sent to.
    """

    left: int = 0
    received: int = 0
    joined: int = 0

    def to_json(self) -> dict[str, int]:
        """The numbers as JSON data."""
        return {
            "left_since_plan": self.left,
            "received_since_plan": self.received,
            "joined_since_plan": self.joined,
        }


@dataclass(frozen=True, slots=True)
class _Recipients:
    """Who gets a delivery: SQL that selects (subscriber_id, variant) and, with `reasons`, (reason)."""

    sql: str
    parameters: list[Any]
    reasons: bool
    counts: dict[str, int]
    since: SincePlan


def freeze(
    db: Database,
    settings: Settings,
    prepared: Prepared,
    schedule: Schedule | None = None,
    canary: Canary | None = None,
) -> SincePlan:
    """One transaction: the campaign, a delivery for each person, the folder. All of it or nothing.

    With a schedule the campaign waits for its time; with a canary, all but the first few wait for these.
    Returns who came and left since the plan: the former get no delivery, the latter one that is skipped.

    Raises CampaignError where somebody reads another variant than planned or nobody is left, ArchiveError for
    the folder.
    """
    plan, loaded = prepared.plan, prepared.loaded
    folder = settings.campaigns / plan.slug
    written = False
    try:
        journal = settings.root / ".mailer" / f"{plan.slug}.journal"
        if any(begun_in(journal)):
            journal.unlink()  # of a campaign of this name that the database does not know any more
        with writing(db), _recipients(db, prepared) as recipients:
            spool = Spool.freeze(
                db,
                slug=plan.slug,
                issue=loaded.path,
                issue_hash=loaded.digest,
                edition=plan.edition,
                issue_date=plan.date,
                segment=plan.segment,
                plan_hash=plan.hash,
                plan=plan.to_json(),
                subject=plan.subject,
                transport=plan.transport,
                audience_sql=recipients.sql,
                audience_parameters=recipients.parameters,
                reasons=recipients.reasons,
                due=schedule.slot_in if schedule and schedule.local_time else None,
            )
            if schedule is not None:
                schedule_again(spool, schedule.due_at, only_from=("ready",))
                set_due(spool, schedule.due_at, schedule.local_time)
            if canary is not None:
                hold_back(spool, canary)
            write_campaign(
                folder,
                settings=settings,
                loaded=loaded,
                renditions=prepared.archived,
                manifest={
                    "slug": plan.slug,
                    "status": "scheduled" if schedule else "ready",
                    "issue": loaded.path,
                    "issue_digest": loaded.digest,
                    "edition": plan.edition,
                    "date": plan.date,
                    "subject": plan.subject,
                    "plan": plan.to_json(),
                    "mailer": __version__,
                    "created_at": utc_now(),
                    "started_at": None,
                    "finished_at": None,
                    "counts": recipients.counts,
                    **({"schedule": schedule.to_json()} if schedule else {}),
                },
            )
            written = True
    except BaseException:
        if written:  # and only then: what was there before is somebody's evidence
            _discard(db, folder, plan.slug)
        raise
    return recipients.since


@contextmanager
def _recipients(db: Database, prepared: Prepared) -> Iterator[_Recipients]:
    """Gives those who were planned, each with why not to write to them any more, in the transaction."""
    selection = _selection_now(db, prepared)
    audience = survey(db, selection)
    if audience.digest == prepared.plan.audience_hash:
        counts = {"pending": audience.recipients}
        yield _Recipients(*selection.recipients_sql(), False, counts, SincePlan())
        return
    with standing(db, selection, prepared.people) as now:
        if now.other or not now.variants <= prepared.renditions.keys():
            raise CampaignError(
                "the subscribers changed while the plan was made: somebody reads another version than "
                "planned; nothing was sent. Send again"
            )
        if not now.present:
            raise CampaignError(
                "everybody who was planned has left since or has the issue already; nothing was sent. "
                f"Look at `mailer plan {prepared.loaded.path}`"
            )
        since = SincePlan(now.left + prepared.erased, now.received, audience.recipients - now.present)
        counts = {"pending": now.present, "skipped": now.left + now.received}
        yield _Recipients(STANDING_SQL, [], True, {s: n for s, n in counts.items() if n}, since)


def _selection_now(db: Database, prepared: Prepared) -> Selection:
    """The selection of the plan, less those who have the issue by a campaign that was made since."""
    since = [c.id for c in campaigns(db) if c.id > prepared.newest and is_same_issue(c, prepared.loaded)]
    return replace(prepared.selection, earlier=(*prepared.selection.earlier, *sorted(since)))


def _discard(db: Database, folder: Path, slug: str) -> None:
    """Takes the folder back where its campaign was not committed."""
    try:
        find_campaign(db, slug)
    except MailerError:
        shutil.rmtree(folder, ignore_errors=True)

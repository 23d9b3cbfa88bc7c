"""Freezes a plan into a campaign: what is sent from then on is what was approved."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlite_utils import Database

from mailer import __version__
from mailer.archive.campaign import write_campaign
from mailer.config import Settings
from mailer.delivery.campaigns import find_campaign
from mailer.delivery.canary import Canary, hold_back
from mailer.delivery.journal import begun_in
from mailer.delivery.plan import survey
from mailer.delivery.schedule import schedule_again, set_due
from mailer.delivery.spool import Spool
from mailer.errors import CampaignError, MailerError
from mailer.publish.prepare import Prepared
from mailer.publish.schedule import Schedule
from mailer.store import utc_now, writing

__all__ = ["freeze"]


def freeze(
    db: Database,
    settings: Settings,
    prepared: Prepared,
    schedule: Schedule | None = None,
    canary: Canary | None = None,
) -> None:
    """One transaction: the campaign, a delivery for each person, the folder. All of it or nothing.

    With a schedule the campaign waits for its time; with a canary, all but the first few wait for these.

    Raises CampaignError where the readers are no longer those of the plan, ArchiveError for the folder.
    """
    plan, loaded = prepared.plan, prepared.loaded
    folder = settings.campaigns / plan.slug
    sql, parameters = prepared.selection.recipients_sql()
    written = False
    try:
        journal = settings.root / ".mailer" / f"{plan.slug}.journal"
        if any(begun_in(journal)):
            journal.unlink()  # of a campaign of this name that the database does not know any more
        with writing(db):
            if survey(db, prepared.selection).digest != plan.audience_hash:
                raise CampaignError(
                    "the subscribers changed while the plan was made; nothing was sent. Send again"
                )
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
                audience_sql=sql,
                audience_parameters=parameters,
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
                renditions=prepared.renditions,
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
                    "counts": {"pending": plan.recipients},
                    **({"schedule": schedule.to_json()} if schedule else {}),
                },
            )
            written = True
    except BaseException:
        if written:  # and only then: what was there before is somebody's evidence
            _discard(db, folder, plan.slug)
        raise


def _discard(db: Database, folder: Path, slug: str) -> None:
    """Takes the folder back where its campaign was not committed."""
    try:
        find_campaign(db, slug)
    except MailerError:
        shutil.rmtree(folder, ignore_errors=True)

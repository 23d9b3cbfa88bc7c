"""Freezes a plan into a campaign: what is sent from then on is what was approved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mailer import __version__
from mailer.archive.campaign import write_campaign
from mailer.campaign.campaign import NewCampaign
from mailer.campaign.canary import Canary, draw_recipients
from mailer.campaign.status import Event, Status
from mailer.clock import utc_now
from mailer.errors import CampaignError, MailerError
from mailer.services.planning.plan import count_audience
from mailer.services.planning.prepare import Prepared, is_same_issue
from mailer.services.planning.recipients import RECEIVED, Selection, stand_now, zones_of
from mailer.services.planning.schedule import Schedule
from mailer.services.sending.after_run import schedule_again
from mailer.services.sending.recovery import journal_of
from mailer.services.workspace import Workspace
from mailer.spool.journal import begun_in
from mailer.spool.values import Frozen

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
        """Returns the numbers as JSON data."""
        return {
            "left_since_plan": self.left,
            "received_since_plan": self.received,
            "joined_since_plan": self.joined,
        }


@dataclass(frozen=True, slots=True)
class _Recipients:
    """The people who get a delivery: `rows` begins a stream of (subscriber id, variant, reason) in the order
    of ids; with a reason, the delivery is skipped. `counts` are the deliveries by state."""

    rows: Callable[[], Iterator[tuple[int, int, str]]]
    counts: dict[str, int]
    since: SincePlan


def freeze(
    workspace: Workspace,
    prepared: Prepared,
    schedule: Schedule | None = None,
    canary: Canary | None = None,
) -> SincePlan:
    """Writes the campaign, a delivery for each person and the folder in one transaction.

    With a schedule the campaign waits for its time; with a canary, all others are held. Returns who came and
    left since the plan: the former get no delivery, the latter one that is skipped.

    Raises CampaignError where somebody reads another variant than planned or nobody is left, ArchiveError for
    the folder.
    """
    plan = prepared.plan
    folder = workspace.settings.campaigns / plan.slug
    written = False
    try:
        journal = journal_of(workspace.settings, plan.slug)
        if any(begun_in(journal)):
            journal.unlink()  # of a campaign of this name that the database does not know any more
        with workspace.spools.together():
            recipients = _recipients(workspace, prepared)
            spool = workspace.spools.freeze(
                _campaign(prepared), _deliveries(workspace, plan.slug, recipients, schedule, canary)
            )
            if schedule is not None:
                schedule_again(spool, Event.SCHEDULE, schedule.due_at)
                spool.set_due(schedule.due_at, schedule.local_time)
            if canary is not None:
                spool.set_canary(canary)
            write_campaign(
                folder,
                settings=workspace.settings,
                loaded=prepared.loaded,
                renditions=prepared.archived,
                manifest=_manifest(prepared, recipients, schedule),
            )
            written = True
    except BaseException:
        if written:  # and only then: what was there before is somebody's evidence
            _discard(workspace, folder, plan.slug)
        raise
    return recipients.since


def _campaign(prepared: Prepared) -> NewCampaign:
    plan, loaded = prepared.plan, prepared.loaded
    return NewCampaign(
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
    )


def _manifest(prepared: Prepared, recipients: _Recipients, schedule: Schedule | None) -> dict[str, Any]:
    plan, loaded = prepared.plan, prepared.loaded
    return {
        "slug": plan.slug,
        "status": Status.SCHEDULED if schedule else Status.READY,
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
    }


def _deliveries(
    workspace: Workspace,
    slug: str,
    recipients: _Recipients,
    schedule: Schedule | None,
    canary: Canary | None,
) -> Iterator[Frozen]:
    """Returns the deliveries as they are planned: each at the reader's own time, or held behind a canary."""
    first: frozenset[int] | None = None
    if canary is not None:
        first = draw_recipients(
            slug, (person for person, _, reason in recipients.rows() if not reason), canary.number
        )
    slots: Iterator[tuple[int, str]] | None = None
    if schedule is not None and schedule.local_time:
        slots = zones_of(workspace, ((person, variant) for person, variant, _ in recipients.rows()))
    for person, variant, reason in recipients.rows():
        due = schedule.slot_in(next(slots)[1]) if slots is not None and schedule is not None else None
        held = first is not None and person not in first
        yield Frozen(person, variant, None if reason else due, held and not reason, reason)


def _recipients(workspace: Workspace, prepared: Prepared) -> _Recipients:
    """Returns those who were planned, each with why not to write to them any more, in the transaction."""
    selection = _selection_now(workspace, prepared)
    audience = count_audience(workspace, selection)
    if audience.digest == prepared.plan.audience_hash:
        return _Recipients(partial(_as_planned, prepared), {"pending": audience.recipients}, SincePlan())
    present = received = left = 0
    for _, variant, reason, variant_now in stand_now(workspace, selection, prepared.people):
        if reason is None:
            present += 1
        elif reason == RECEIVED:
            received += 1
        else:
            left += 1
        if reason is None and (variant != variant_now or variant not in prepared.renditions):
            raise CampaignError(
                "the subscribers changed while the plan was made: somebody reads another version than "
                "planned; nothing was sent. Send again"
            )
    if not present:
        raise CampaignError(
            "everybody who was planned has left since or has the issue already; nothing was sent. "
            f"Look at `mailer plan {prepared.loaded.path}`"
        )
    since = SincePlan(left + prepared.erased, received, audience.recipients - present)
    counts = {"pending": present, "skipped": left + received}
    return _Recipients(
        partial(_as_they_stand, workspace, selection, prepared), {s: n for s, n in counts.items() if n}, since
    )


def _as_planned(prepared: Prepared) -> Iterator[tuple[int, int, str]]:
    for person, variant in prepared.people:
        yield person, variant, ""


def _as_they_stand(
    workspace: Workspace, selection: Selection, prepared: Prepared
) -> Iterator[tuple[int, int, str]]:
    for person, variant, reason, _ in stand_now(workspace, selection, prepared.people):
        yield person, variant, reason or ""


def _selection_now(workspace: Workspace, prepared: Prepared) -> Selection:
    """Returns the selection of the plan, less those who have the issue by a campaign that was made since."""
    since = [
        campaign.id
        for campaign in workspace.spools.campaigns()
        if campaign.id > prepared.newest and is_same_issue(campaign, prepared.loaded)
    ]
    return replace(prepared.selection, earlier=(*prepared.selection.earlier, *sorted(since)))


def _discard(workspace: Workspace, folder: Path, slug: str) -> None:
    """Takes the folder back where its campaign was not committed."""
    try:
        workspace.spools.find(slug)
    except MailerError:
        shutil.rmtree(folder, ignore_errors=True)

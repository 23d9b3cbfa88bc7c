"""Freezes an approved plan: writes the campaign, its deliveries and its folder."""

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
from mailer.issue.values.expressions import text_for_everybody
from mailer.services.planning.plan import count_audience
from mailer.services.planning.prepare import PreparedIssue, is_campaign_of_issue
from mailer.services.planning.recipients import (
    RECEIVED,
    RecipientSelection,
    recheck_recipients,
    time_zones_of,
)
from mailer.services.planning.schedule import Schedule
from mailer.services.sending.after_run import schedule_campaign
from mailer.services.sending.recovery import journal_path
from mailer.services.workspace import Workspace
from mailer.spool.journal import read_begun_claims
from mailer.spool.values import PlannedDelivery

__all__ = ["ChangesSincePlan", "freeze_plan"]


@dataclass(frozen=True, slots=True)
class ChangesSincePlan:
    """Counts how the audience changed between the plan and the freeze.

    Among the planned people, `left` must not be written to any more, and `received` have the issue from
    another campaign: both are skipped. `joined` counts people who were not planned and do not get the issue.
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
class _FrozenRecipients:
    """Holds the people who get a delivery. `counts` are the deliveries by state.

    `rows` opens a stream of (subscriber id, variant, reason) in ascending order of the ids. A delivery with a
    reason is skipped. `since` counts the changes since the plan.
    """

    rows: Callable[[], Iterator[tuple[int, int, str]]]
    counts: dict[str, int]
    since: ChangesSincePlan


def freeze_plan(
    workspace: Workspace,
    prepared: PreparedIssue,
    schedule: Schedule | None = None,
    canary: Canary | None = None,
) -> ChangesSincePlan:
    """Writes the campaign, a delivery for each planned person, and the folder, in one transaction.

    With a schedule, the campaign waits for its time. With a canary, all other deliveries are held. Returns
    the changes of the audience since the plan: people who joined get no delivery, and people who left get a
    skipped delivery.

    Raises CampaignError if a person would get another variant than planned or if nobody is left, and
    ArchiveError if the folder cannot be written.
    """
    plan = prepared.plan
    folder = workspace.settings.campaigns / plan.slug
    written = False
    try:
        journal = journal_path(workspace.settings, plan.slug)
        if any(read_begun_claims(journal)):
            journal.unlink()  # it belongs to an earlier campaign of this name, which the database lacks
        with workspace.spools.transaction():
            recipients = _recheck_planned_recipients(workspace, prepared)
            spool = workspace.spools.freeze(
                _make_new_campaign(prepared),
                _planned_deliveries(workspace, plan.slug, recipients, schedule, canary),
            )
            if schedule is not None:
                schedule_campaign(spool, Event.SCHEDULE, schedule.due_at)
                spool.set_due_time(schedule.due_at, schedule.local_time)
            if canary is not None:
                spool.set_canary(canary)
            write_campaign(
                folder,
                settings=workspace.settings,
                loaded=prepared.loaded,
                renditions=prepared.archived_renditions,
                manifest=_make_new_manifest(prepared, recipients, schedule),
            )
            written = True
    except BaseException:
        if written:  # otherwise the folder is an earlier archive, which must stay
            _remove_uncommitted_folder(workspace, folder, plan.slug)
        raise
    return recipients.since


def _make_new_campaign(prepared: PreparedIssue) -> NewCampaign:
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


def _make_new_manifest(
    prepared: PreparedIssue, recipients: _FrozenRecipients, schedule: Schedule | None
) -> dict[str, Any]:
    plan, loaded = prepared.plan, prepared.loaded
    return {
        "slug": plan.slug,
        "status": Status.SCHEDULED if schedule else Status.READY,
        "issue": loaded.path,
        "issue_digest": loaded.digest,
        "edition": plan.edition,
        "date": plan.date,
        "subject": plan.subject,
        "title": text_for_everybody(loaded.issue.title) if loaded.has_own_title else "",
        "preheader": text_for_everybody(loaded.issue.preheader),
        "plan": plan.to_json(),
        "mailer": __version__,
        "created_at": utc_now(),
        "started_at": None,
        "finished_at": None,
        "counts": recipients.counts,
        **({"schedule": schedule.to_json()} if schedule else {}),
    }


def _planned_deliveries(
    workspace: Workspace,
    slug: str,
    recipients: _FrozenRecipients,
    schedule: Schedule | None,
    canary: Canary | None,
) -> Iterator[PlannedDelivery]:
    """Yields the planned deliveries. A delivery is due at the reader's scheduled time, or held until the
    canary has been judged."""
    first: frozenset[int] | None = None
    if canary is not None:
        first = draw_recipients(
            slug, (person for person, _, reason in recipients.rows() if not reason), canary.number
        )
    slots: Iterator[tuple[int, str]] | None = None
    if schedule is not None and schedule.local_time:
        slots = time_zones_of(workspace, ((person, variant) for person, variant, _ in recipients.rows()))
    for person, variant, reason in recipients.rows():
        due = schedule.due_time_in(next(slots)[1]) if slots is not None and schedule is not None else None
        held = first is not None and person not in first
        yield PlannedDelivery(person, variant, None if reason else due, held and not reason, reason)


def _recheck_planned_recipients(workspace: Workspace, prepared: PreparedIssue) -> _FrozenRecipients:
    """Returns the planned people. Each person who must not be written to any more has a reason, and is
    skipped.

    Called within the transaction of the freeze.
    """
    selection = _updated_recipient_selection(workspace, prepared)
    audience = count_audience(workspace, selection)
    if audience.digest == prepared.plan.audience_hash:
        return _FrozenRecipients(
            partial(_planned_delivery_rows, prepared), {"pending": audience.recipients}, ChangesSincePlan()
        )
    present = received = left = 0
    for _, variant, reason, variant_now in recheck_recipients(workspace, selection, prepared.people):
        if reason is None:
            present += 1
        elif reason == RECEIVED:
            received += 1
        else:
            left += 1
        if reason is None and (variant != variant_now or variant not in prepared.renditions):
            raise CampaignError(
                "the subscribers changed while the plan was made: a reader would get another version than "
                "planned; nothing was sent. Run the command again"
            )
    if not present:
        raise CampaignError(
            "all planned readers have left since, or have the issue already; nothing was sent. "
            f"Look at `mailer plan {prepared.loaded.path}`"
        )
    since = ChangesSincePlan(left + prepared.erased, received, audience.recipients - present)
    counts = {"pending": present, "skipped": left + received}
    return _FrozenRecipients(
        partial(_rechecked_delivery_rows, workspace, selection, prepared),
        {s: n for s, n in counts.items() if n},
        since,
    )


def _planned_delivery_rows(prepared: PreparedIssue) -> Iterator[tuple[int, int, str]]:
    for person, variant in prepared.people:
        yield person, variant, ""


def _rechecked_delivery_rows(
    workspace: Workspace, selection: RecipientSelection, prepared: PreparedIssue
) -> Iterator[tuple[int, int, str]]:
    for person, variant, reason, _ in recheck_recipients(workspace, selection, prepared.people):
        yield person, variant, reason or ""


def _updated_recipient_selection(workspace: Workspace, prepared: PreparedIssue) -> RecipientSelection:
    """Returns the selection of the plan, extended by the campaigns of the issue that were made after the
    plan."""
    since = [
        campaign.id
        for campaign in workspace.spools.campaigns()
        if campaign.id > prepared.newest_campaign_id and is_campaign_of_issue(campaign, prepared.loaded)
    ]
    return replace(prepared.selection, earlier=(*prepared.selection.earlier, *sorted(since)))


def _remove_uncommitted_folder(workspace: Workspace, folder: Path, slug: str) -> None:
    """Removes the campaign's folder if the campaign was not committed to the database."""
    try:
        workspace.spools.find(slug)
    except MailerError:
        shutil.rmtree(folder, ignore_errors=True)

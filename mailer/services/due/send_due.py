"""Sends due campaigns, for cron (`run-due`) and the service (`serve`). Two processes may do this at once.

Each campaign has its own run, in a thread with its own database connection and under the campaign's lock. If
two processes try the same campaign, the second one finds the lock taken or nothing left to do. A campaign
that is more than an hour late, and was not being sent meanwhile, is not sent, because its news is out of
date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import TO_SEND
from mailer.campaign.due import LATE, due_campaigns, may_resume_automatically
from mailer.campaign.status import Event, Status
from mailer.campaign.times import format_time
from mailer.clock import now, utc_now, utc_text
from mailer.config import Settings
from mailer.delivery.workers.connections import ConnectionPool
from mailer.errors import BusyError, MailerError
from mailer.services.database.moved import report_moved_database
from mailer.services.due.parallel_runs import ParallelRuns, RetryTimes
from mailer.services.planning.schedule import waiting_campaign_note
from mailer.services.sending.after_run import mark_campaign_as_missed, refresh_manifest
from mailer.services.sending.recovery import recover_dead_run
from mailer.services.sending.result import SendResult
from mailer.services.sending.run import RunRequest, run_campaign
from mailer.services.workspace import Workspace, open_workspace
from mailer.spool.base import Spool
from mailer.spool.lock import campaign_lock
from mailer.store.database import to_store_error
from mailer.transports.registry import signer_for_transport
from mailer.transports.stop import StopFlag

__all__ = [
    "AGAIN_SECONDS",
    "POLL_SECONDS",
    "DueCampaignResult",
    "send_due_campaigns",
]

#: While campaigns are being sent, others that become due are looked for at this interval (seconds).
POLL_SECONDS = 5.0
#: After a failure, a campaign is tried this often.
AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DueCampaignResult:
    """Holds the result of one campaign that was due.

    `result` is the result of the run (None: no run has ended without an error). `error` says why the campaign
    was not sent, or not completely. `missed` counts readers whose scheduled time is too long ago. `defect` is
    the unexpected error that ended the run, if any.
    """

    campaign: Campaign
    result: SendResult | None = None
    error: str = ""
    missed: int = 0
    defect: BaseException | None = None

    @property
    def is_complete(self) -> bool:
        """Returns whether every reader whose delivery was due now has the message."""
        if self.error or self.missed or self.result is None or self.result.counts["uncertain"]:
            return False
        progress = self.result.progress
        if progress is not None and progress.stopped_by == "signal":
            return False
        tried = progress.outcomes if progress else {}
        troubles = sum(tried.get(state, 0) for state in ("rejected", "uncertain", "deferred"))
        if self.campaign.status is Status.STOPPED:
            return not troubles and bool(self.campaign.held_until)
        return not troubles and self.campaign.status in (Status.SENT, Status.SCHEDULED, Status.HELD)

    def to_json(self) -> dict[str, object]:
        """Returns the result as JSON data."""
        progress = self.result.progress if self.result else None
        return {
            "slug": self.campaign.slug,
            "status": self.campaign.status,
            "due_at": self.campaign.due_at,
            "sent_now": dict(progress.outcomes) if progress else {},
            "missed": self.missed,
            "error": self.error,
        }

    @property
    def _nothing_sent_reason(self) -> str:
        """Returns the reason why no message was sent."""
        left = self.result and any(self.result.counts[state] for state in TO_SEND)
        return "no message was sent" if left else "no reader was left"

    def summary(self, zone: ZoneInfo) -> str:
        """Returns the result in one line, for a log or for the mail that cron sends. `zone` is the time zone
        of the times in the line."""
        campaign, result = self.campaign, self.result
        if self.error:
            return f"{campaign.slug}: {self.error}"
        tried = result.progress.outcomes if result and result.progress else {}
        numbers = ", ".join(f"{number:,} {state}" for state, number in sorted(tried.items()) if number)
        later = (
            f", resumes {format_time(campaign.due_at, zone)}" if campaign.status is Status.SCHEDULED else ""
        )
        if campaign.status is Status.STOPPED and campaign.held_until:
            later = f", resumes {format_time(campaign.held_until, zone)}"
        note = f" ({campaign.status_note})" if campaign.status_note else ""
        known = result.recovered.summary(campaign.slug) if result else ""
        if result and result.counts["uncertain"] and not known:
            number = result.counts["uncertain"]
            known = (
                f"uncertain deliveries: {number:,}; "
                f"settle them with `mailer campaigns resolve {campaign.slug}`"
            )
        return (
            f"{campaign.slug}: {numbers or self._nothing_sent_reason}; {campaign.status}{note}{later}"
            f"{f'; {known}' if known else ''}"
        )


def send_due_campaigns(
    workspace: Workspace,
    *,
    stop: StopFlag,
    retry_times: RetryTimes | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[DueCampaignResult]:
    """Sends all due campaigns concurrently, and yields the result of each campaign as its run ends.

    Campaigns that become due meanwhile are sent too. All runs together open no more than the configured
    number of connections. A campaign that another process is sending is skipped, and an error in one campaign
    does not end the others. Raises sqlite3.Error if the campaigns cannot be read, after the active runs have
    ended. `stop` ends all runs early. `retry_times` holds when campaigns that were tried before may be tried
    again. `warn` is called with a sentence if the database was moved since the last run.
    """
    settings = workspace.settings
    retry_times = retry_times or RetryTimes()
    pool = ConnectionPool(settings.delivery.connections)
    runs: ParallelRuns[DueCampaignResult | None] = ParallelRuns()
    ending = StopFlag(stop)
    try:
        while True:
            unread: sqlite3.Error | None = None
            try:
                due = [] if stop.is_set() else due_campaigns(workspace.spools.campaigns(), utc_now())
                if due:
                    report_moved_database(workspace.db, settings, warn)
            except sqlite3.Error as error:
                due, unread = [], error
            for campaign in due:
                if campaign.slug in runs or not retry_times.may_retry(campaign.slug):
                    continue
                try:
                    runs.start_run(
                        campaign.slug, partial(_send_or_report_error, settings, campaign, ending, pool)
                    )
                except RuntimeError as error:  # the system cannot start a thread
                    retry_times.postpone_retry(campaign.slug, AGAIN_SECONDS)
                    yield DueCampaignResult(campaign, error=f"{error}; the campaign is tried again")
            if not runs and unread is not None:
                raise unread
            for slug, done in runs.runs_ended_within(POLL_SECONDS):
                retry_times.postpone_retry(
                    slug, AGAIN_SECONDS if done is not None and done.error else POLL_SECONDS
                )
                if done is not None:
                    yield done
            if not runs and unread is None:
                return
    finally:
        ending.set()
        runs.wait_for_all_runs()


def _send_or_report_error(
    settings: Settings, campaign: Campaign, stop: StopFlag, pool: ConnectionPool
) -> DueCampaignResult | None:
    """Sends the due deliveries of a campaign with its own database connection. Never raises: the result holds
    the error.

    Returns None if another process is sending the campaign, or if no delivery is due.
    """
    try:
        workspace = open_workspace(settings)
        try:
            with campaign_lock(settings, campaign.slug):
                return _send_due_deliveries(workspace, campaign.slug, stop, pool)
        except MailerError:
            with suppress(MailerError, sqlite3.Error):
                campaign = workspace.spools.find(campaign.slug)
            raise
        finally:
            workspace.close()
    except BusyError:
        return None
    except MailerError as error:
        return DueCampaignResult(campaign, error=" ".join(str(error).split("\n")))
    except sqlite3.Error as error:
        return DueCampaignResult(campaign, error=str(to_store_error(error, settings.database.name)))
    except OSError as error:
        return DueCampaignResult(campaign, error=(error.strerror or str(error)).lower())
    except BaseException as defect:
        return DueCampaignResult(campaign, error=f"the run failed unexpectedly: {defect!r}", defect=defect)


def _send_due_deliveries(
    workspace: Workspace, slug: str, stop: StopFlag, pool: ConnectionPool | None = None
) -> DueCampaignResult | None:
    """Sends the due deliveries of one campaign, whose lock the caller holds. Returns None if no delivery is
    due any more."""
    campaign = workspace.spools.find(slug)
    spool = workspace.spools.open(campaign)
    late = utc_text(now() - LATE)
    missed = 0
    if may_resume_automatically(campaign, utc_now()):
        # Deferred deliveries are retried for their total time; those that were never tried are too late now.
        if campaign.held_until < late and (
            campaign.status is Status.HELD or spool.count_never_tried_deliveries()
        ):
            return _leave_campaign_to_operator(workspace, spool)
    elif campaign.status not in (Status.SCHEDULED, Status.SENDING) or not "" < campaign.due_at <= utc_now():
        return None
    elif campaign.due_at < late and spool.last_activity_time() < late:
        recovered = recover_dead_run(workspace, spool)
        if spool.count_never_tried_deliveries():
            missed = spool.hold_missed_deliveries(late) if campaign.local_time else 0
            lost = _mark_campaign_missed(workspace, spool)
            if lost is not None:
                known = recovered.summary(slug)
                return replace(lost, error=f"{lost.error}; {known}") if known else lost
    signer = signer_for_transport(campaign.transport, workspace.settings)
    request = RunRequest(slug, campaign.transport, signer, stop, lambda _: None, by_operator=False, pool=pool)
    result = run_campaign(workspace, request)
    return DueCampaignResult(result.campaign, result, missed=missed)


def _leave_campaign_to_operator(workspace: Workspace, spool: Spool) -> DueCampaignResult:
    """Ends the automatic resuming of a campaign that should have resumed more than an hour ago. The result
    tells the operator how to resume the campaign."""
    campaign = spool.campaign
    when = format_time(campaign.held_until, workspace.settings.publication.zone)
    spool.set_resume_time("")
    return DueCampaignResult(
        spool.current_campaign(),
        error=f"campaign {campaign.slug} should have resumed {when}, but no scheduler was running; "
        f"`mailer campaigns resume {campaign.slug}` sends the rest now",
    )


def _mark_campaign_missed(workspace: Workspace, spool: Spool) -> DueCampaignResult | None:
    """Marks a campaign as missed, and returns the result.

    Returns None if some readers can still get the campaign at their scheduled time.
    """
    campaign, settings = spool.campaign, workspace.settings
    if campaign.local_time:
        if spool.next_scheduled_time() is not None or not mark_campaign_as_missed(spool):
            return None
    else:
        when = format_time(campaign.due_at, settings.publication.zone)
        broken = f"; before, {campaign.status_note}" if campaign.status_note else ""
        spool.apply_event(Event.MISS, f"it was due {when}{broken}")
    refresh_manifest(settings, spool)
    campaign = spool.current_campaign()
    return DueCampaignResult(
        campaign,
        error=f"{waiting_campaign_note(campaign, settings.publication.zone)}, so it was not sent. "
        f"`mailer campaigns resume {campaign.slug}` sends it now, "
        f"`mailer campaigns cancel {campaign.slug}` cancels it",
    )

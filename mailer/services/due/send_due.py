"""Sends what is due: the same for cron (`run-due`) and the service (`serve`), and safe to do twice at once.

Each campaign has a run of its own, in a thread with a database connection of its own, and is looked at under
its lock. Whoever comes second finds the lock taken, or the work done. What is more than an hour late, with
nobody at work on it meanwhile, is not sent: this morning's news is none tonight.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import TO_SEND
from mailer.campaign.due import due_campaigns, goes_on_by_itself
from mailer.campaign.status import Event, Status
from mailer.campaign.times import in_words
from mailer.config import Settings
from mailer.delivery.workers.connections import ConnectionPool
from mailer.errors import BusyError, MailerError
from mailer.services.database.moved import say_other_place
from mailer.services.due.parallel_runs import Attempts, Runs
from mailer.services.planning.schedule import what_waits
from mailer.services.sending.after_run import mark_missed, tell_manifest
from mailer.services.sending.recovery import recover
from mailer.services.sending.result import Result
from mailer.services.sending.run import Request, run_campaign
from mailer.services.workspace import Workspace, open_workspace
from mailer.spool.base import Spool
from mailer.spool.lock import campaign_lock
from mailer.store.database import explain, now, utc_now, utc_text
from mailer.transports.registry import open_signer
from mailer.transports.stop import Stop

__all__ = [
    "AGAIN_SECONDS",
    "LATE",
    "LOOK_SECONDS",
    "Done",
    "run_due",
]

#: So long after its time a campaign, or a reader's morning, is still sent unasked.
LATE = timedelta(hours=1)
#: While campaigns are being sent, others that become due are looked for this often.
LOOK_SECONDS = 5.0
#: After a failure, a campaign is tried this often.
AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one campaign that was due.

    `error` says why it was not sent, or not to the end; `missed` counts readers who were too late by now.
    `defect` is an error of ours that ended the run.
    """

    campaign: Campaign
    result: Result | None = None
    error: str = ""
    missed: int = 0
    defect: BaseException | None = None

    @property
    def well(self) -> bool:
        """Whether everybody who was due now has it."""
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
        """Returns it as JSON data."""
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
    def _nobody(self) -> str:
        """Why no number is told."""
        left = self.result and any(self.result.counts[state] for state in TO_SEND)
        return "nobody was sent to" if left else "nobody was left"

    def sentence(self, zone: ZoneInfo) -> str:
        """One line for a log or a mail from cron."""
        campaign, result = self.campaign, self.result
        if self.error:
            return f"{campaign.slug}: {self.error}"
        tried = result.progress.outcomes if result and result.progress else {}
        numbers = ", ".join(f"{number:,} {state}" for state, number in sorted(tried.items()) if number)
        later = f", goes on {in_words(campaign.due_at, zone)}" if campaign.status is Status.SCHEDULED else ""
        if campaign.status is Status.STOPPED and campaign.held_until:
            later = f", goes on {in_words(campaign.held_until, zone)}"
        note = f" ({campaign.status_note})" if campaign.status_note else ""
        known = result.recovered.sentence(campaign.slug) if result else ""
        if result and result.counts["uncertain"] and not known:
            number = result.counts["uncertain"]
            known = f"{number:,} uncertain: `mailer campaigns resolve {campaign.slug}` settles them"
        return (
            f"{campaign.slug}: {numbers or self._nobody}; {campaign.status}{note}{later}"
            f"{f'; {known}' if known else ''}"
        )


def run_due(
    workspace: Workspace,
    *,
    stop: Stop,
    attempts: Attempts | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Done]:
    """Sends every campaign that is due, side by side, and gives what became of each as it ends.

    Campaigns that become due meanwhile are sent too. All of them together open no more than the configured
    number of connections. A campaign that somebody else is sending is left to them, and an error of one ends
    no other. Raises sqlite3.Error where what is due cannot be read, after the runs that had begun.
    `attempts` remembers what was tried before; `warn` is told where the database was last used elsewhere.
    """
    settings = workspace.settings
    attempts = attempts or Attempts()
    pool = ConnectionPool(settings.delivery.connections)
    runs: Runs[Done | None] = Runs()
    ending = Stop(stop)
    try:
        while True:
            unread: sqlite3.Error | None = None
            try:
                due = [] if stop.is_set() else due_campaigns(workspace.spools.campaigns(), utc_now())
                if due:
                    say_other_place(workspace.db, settings, warn)
            except sqlite3.Error as error:
                due, unread = [], error
            for campaign in due:
                if campaign.slug in runs or not attempts.may_begin(campaign.slug):
                    continue
                try:
                    runs.begin(campaign.slug, partial(_try, settings, campaign, ending, pool))
                except RuntimeError as error:  # the system has no thread for it
                    attempts.rest(campaign.slug, AGAIN_SECONDS)
                    yield Done(campaign, error=f"{error}; it is tried again")
            if not runs and unread is not None:
                raise unread
            for slug, done in runs.ended(LOOK_SECONDS):
                attempts.rest(slug, AGAIN_SECONDS if done is not None and done.error else LOOK_SECONDS)
                if done is not None:
                    yield done
            if not runs and unread is None:
                return
    finally:
        ending.set()
        runs.join()


def _try(settings: Settings, campaign: Campaign, stop: Stop, pool: ConnectionPool) -> Done | None:
    """Sends what is due of a campaign, over a connection of its own; None if nothing. Never raises."""
    try:
        workspace = open_workspace(settings)
        try:
            with campaign_lock(settings, campaign.slug):
                return _send_due(workspace, campaign.slug, stop, pool)
        except MailerError:
            with suppress(MailerError, sqlite3.Error):
                campaign = workspace.spools.find(campaign.slug)
            raise
        finally:
            workspace.close()
    except BusyError:
        return None
    except MailerError as error:
        return Done(campaign, error=" ".join(str(error).split("\n")))
    except sqlite3.Error as error:
        return Done(campaign, error=str(explain(error, settings.database.name)))
    except OSError as error:
        return Done(campaign, error=(error.strerror or str(error)).lower())
    except BaseException as defect:
        return Done(campaign, error=f"it failed unexpectedly: {defect!r}", defect=defect)


def _send_due(workspace: Workspace, slug: str, stop: Stop, pool: ConnectionPool | None = None) -> Done | None:
    """Sends what is due of one campaign, under its lock; None where another process saw to it before."""
    campaign = workspace.spools.find(slug)
    spool = workspace.spools.open(campaign)
    late = utc_text(now() - LATE)
    missed = 0
    if goes_on_by_itself(campaign, utc_now()):
        # What was deferred goes on for as long as it is tried at all; who was never tried is too late.
        if campaign.held_until < late and (campaign.status is Status.HELD or spool.never_tried()):
            return _waits_on(workspace, spool)
    elif campaign.status not in (Status.SCHEDULED, Status.SENDING) or not "" < campaign.due_at <= utc_now():
        return None
    elif campaign.due_at < late and spool.last_sign() < late:
        recovered = recover(workspace, spool)
        if spool.never_tried():
            missed = spool.hold_missed(late) if campaign.local_time else 0
            lost = _lost(workspace, spool)
            if lost is not None:
                known = recovered.sentence(slug)
                return replace(lost, error=f"{lost.error}; {known}") if known else lost
    signer = open_signer(campaign.transport, workspace.settings)
    request = Request(slug, campaign.transport, signer, stop, lambda _: None, asked=False, pool=pool)
    result = run_campaign(workspace, request)
    return Done(result.campaign, result, missed=missed)


def _waits_on(workspace: Workspace, spool: Spool) -> Done:
    """A campaign that was free to go on when nobody was there waits for the operator."""
    campaign = spool.campaign
    when = in_words(campaign.held_until, workspace.settings.publication.zone)
    spool.set_held_until("")
    return Done(
        spool.refreshed(),
        error=f"campaign {campaign.slug} could go on {when}, and no process was running to do it; "
        f"`mailer campaigns resume {campaign.slug}` sends the rest now",
    )


def _lost(workspace: Workspace, spool: Spool) -> Done | None:
    """Marks a campaign that is too late. None where some of its readers can still have theirs in time."""
    campaign, settings = spool.campaign, workspace.settings
    if campaign.local_time:
        if spool.next_slot() is not None or not mark_missed(spool):
            return None
    else:
        when = in_words(campaign.due_at, settings.publication.zone)
        broken = f"; before, {campaign.status_note}" if campaign.status_note else ""
        spool.apply(Event.MISS, f"it was due {when}{broken}")
    tell_manifest(settings, spool)
    campaign = spool.refreshed()
    return Done(
        campaign,
        error=f"{what_waits(campaign, settings.publication.zone)}, so it was not sent. "
        f"`mailer campaigns resume {campaign.slug}` sends it now, "
        f"`mailer campaigns cancel {campaign.slug}` drops it",
    )

"""Ends a run: sets the campaign's status and writes the manifest."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from mailer.archive.campaign import update_manifest
from mailer.campaign.canary import canary_of
from mailer.campaign.delivery_state import TO_SEND, State
from mailer.campaign.status import Event, Status
from mailer.clock import now, utc_text
from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.errors import CircuitBreakerError, FailureError, MailerError, TransportError
from mailer.services.database.guard import refuse_if_database_lacks_deliveries
from mailer.services.sending.canary import judge_canary
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.store.database import to_store_error

__all__ = [
    "conclude_failed_run",
    "conclude_run",
    "end_campaign_if_done",
    "zero_manifest_counts",
    "mark_campaign_as_missed",
    "schedule_campaign",
    "refresh_manifest",
    "error_with_next_steps",
]

#: After a run that was interrupted, deferred mail is not tried sooner than this.
_SOON = timedelta(seconds=60)
#: Reasons for the end of a run that say nothing about the campaign, with the note for each.
_CUT_OFF = {
    "signal": "the run was stopped before its end",
    "interrupted": "the process died before the end of the run",
}


def conclude_run(workspace: Workspace, spool: Spool, progress: Progress, *, by_operator: bool) -> None:
    """Sets the status of the campaign and writes the manifest after a run.

    Without `by_operator`, the scheduler started the run. `progress.stopped_by` may be "interrupted": then the
    run died, and its claims have already been settled.
    """
    slot, again = spool.next_scheduled_time(), spool.next_retry_time()
    if end_campaign_if_done(spool):
        spool.set_resume_time("")
    elif progress.stopped_by in _CUT_OFF and not by_operator:
        # Only the service was stopped, so the next one continues the campaign.
        _leave_deliveries_to_next_run(spool, _CUT_OFF[progress.stopped_by])
    elif progress.stopped_by == "pace":
        if spool.apply_event(Event.STOP, progress.note):
            # It resumes earlier for readers whose scheduled time comes first, and for deferred deliveries.
            local = slot if slot and spool.campaign.local_time else progress.resumes_at
            spool.set_resume_time(min(local, progress.resumes_at, again or local))
    elif progress.stopped_by:
        _stop_campaign(spool, _CUT_OFF.get(progress.stopped_by, ""))
    elif again and _is_canary_deferred(spool):
        _stop_campaign(spool, _deferred_deliveries_note(spool))
    elif judge_canary(workspace, spool):
        pass  # `judge_canary` has held or paused it
    elif slot:
        due_at = min(slot, again or slot)
        held = spool.count_held_deliveries() if spool.campaign.local_time else 0
        schedule_campaign(spool, Event.WAIT, due_at, _missed_readers_note(held))
    elif again:
        _stop_campaign(spool, _deferred_deliveries_note(spool))
    elif not mark_campaign_as_missed(spool):
        spool.apply_event(Event.STOP, _deferred_deliveries_note(spool))
    refresh_manifest(workspace.settings, spool)


def schedule_campaign(spool: Spool, event: Event, due_at: str, note: str = "") -> bool:
    """Applies an event to the campaign's status, and sets the time `due_at` (UTC) for which the campaign
    waits. `note` becomes the note on the status.

    Returns False, with nothing changed, if the status does not allow the event.
    """
    with spool.transaction():
        if not spool.apply_event(event, note):
            return False
        spool.set_due_time(due_at)
    return True


def _stop_campaign(spool: Spool, note: str) -> None:
    """Stops a campaign with a note. If only deferred deliveries are left, the campaign will resume
    automatically."""
    if spool.apply_event(Event.STOP, note):
        again = "" if spool.count_never_tried_deliveries() else spool.next_retry_time() or ""
        spool.set_resume_time(max(again, utc_text(now() + _SOON)) if again else "")


def _is_canary_deferred(spool: Spool) -> bool:
    """Returns whether all deliveries of the canary were deferred."""
    canary = canary_of(spool.current_campaign())
    counts = spool.delivery_counts_by_state()
    tried = any(counts[state] for state in (State.ACCEPTED, State.REJECTED, State.UNCERTAIN))
    return canary is not None and canary.phase == "first" and not tried


def end_campaign_if_done(spool: Spool) -> bool:
    """Ends a campaign that has no deliveries left to try. Returns whether the campaign has ended.

    The status becomes `sent` if anybody has the issue, otherwise `stopped` with the reason.
    """
    counts = spool.delivery_counts_by_state()
    if any(counts[state] for state in TO_SEND):
        return False
    if counts[State.ACCEPTED]:
        spool.apply_event(Event.COMPLETE)
    else:
        spool.apply_event(Event.END_EMPTY, _nobody_received_note(counts))
    return True


def _nobody_received_note(delivery_counts: Mapping[str, int]) -> str:
    """Returns the reason why nobody has the issue although every delivery was tried.

    `delivery_counts` are the numbers of deliveries, by state.
    """
    if delivery_counts["uncertain"]:
        return (
            f"no reader is known to have the issue; {delivery_counts['uncertain']:,} deliveries are uncertain"
        )
    if delivery_counts["rejected"]:
        return f"no reader has the issue: all {delivery_counts['rejected']:,} deliveries were refused"
    return "no reader has the issue: all readers have left"


def _deferred_deliveries_note(spool: Spool) -> str:
    number = spool.delivery_counts_by_state()["deferred"]
    return f"{number:,} {'is' if number == 1 else 'are'} deferred" if number else "some deliveries are held"


def conclude_failed_run(
    workspace: Workspace, spool: Spool, error: BaseException, *, by_operator: bool
) -> None:
    """Sets the status of the campaign and writes the manifest after a run that ended with an error.

    A scheduled campaign whose transport cannot be reached is tried again until it is too late. A campaign
    that the circuit breaker stopped waits for the operator.
    """
    if not by_operator and isinstance(error, TransportError) and not isinstance(error, CircuitBreakerError):
        _leave_deliveries_to_next_run(spool, str(error))
    else:
        _stop_campaign(spool, str(error))
    refresh_manifest(workspace.settings, spool)


def mark_campaign_as_missed(spool: Spool) -> bool:
    """Marks a campaign as `missed` if some readers missed their own local time. Returns whether the campaign
    was marked."""
    held = spool.count_held_deliveries() if spool.campaign.local_time else 0
    if not held:
        return False
    return spool.apply_event(Event.MISS, _missed_readers_note(held))


def _missed_readers_note(missed_count: int) -> str:
    people = "reader" if missed_count == 1 else "readers"
    return f"{missed_count:,} {people} missed their scheduled time" if missed_count else ""


def _leave_deliveries_to_next_run(spool: Spool, note: str) -> None:
    schedule_campaign(spool, Event.WAIT, spool.current_campaign().due_at, note)


def refresh_manifest(settings: Settings, spool: Spool) -> None:
    """Writes the campaign's current status and counts into the manifest.

    Raises StoreError if the manifest counts more accepted deliveries than the database. Then the database is
    an old copy, and the manifest must not be overwritten.
    """
    counts = spool.delivery_counts_by_state()
    campaign = spool.current_campaign()
    refuse_if_database_lacks_deliveries(settings, campaign, counts)
    update_manifest(
        settings.campaigns / campaign.slug,
        {
            "status": campaign.status,
            "counts": counts,
            "started_at": campaign.started_at,
            "finished_at": campaign.finished_at,
            **({"due_at": campaign.due_at} if campaign.due_at else {}),
        },
    )


def zero_manifest_counts(settings: Settings, spool: Spool, *states: str) -> None:
    """Sets the manifest's counts of these states to 0. Must be called before the spool makes the deliveries
    in these states pending again.

    So the manifest never counts more deliveries than the database, even if the process dies in between.
    """
    counts = {**spool.delivery_counts_by_state(), **dict.fromkeys(states, 0)}
    update_manifest(settings.campaigns / spool.campaign.slug, {"counts": counts})


def error_with_next_steps(
    error: MailerError | sqlite3.Error | OSError, settings: Settings, spool: Spool
) -> MailerError:
    """Returns the error that ended a run, extended by a sentence about how many deliveries are done and how
    to resume."""
    if isinstance(error, MailerError):
        plain = error
    elif isinstance(error, sqlite3.Error):
        plain = to_store_error(error, settings.database.name)
    else:
        place = f"{error.filename}: " if error.filename else ""
        plain = FailureError(f"{place}{(error.strerror or str(error)).lower()}; correct this error first")
    with suppress(MailerError, sqlite3.Error):
        return type(plain)(*plain.problems, _progress_and_next_step_text(spool))
    return plain


def _progress_and_next_step_text(spool: Spool) -> str:
    counts = spool.delivery_counts_by_state()
    have, held, claimed = counts["accepted"], counts["uncertain"], counts["sending"]
    left = counts["pending"] + counts["deferred"] + claimed
    parts = [f"{have:,} {'reader has' if have == 1 else 'readers have'} the issue"] if have else []
    if held:
        parts.append(f"{held:,} {'is' if held == 1 else 'are'} uncertain")
    if claimed:
        # The outcomes are in the journal, but could not be written to the database.
        were = "was" if claimed == 1 else "were"
        parts.append(
            f"{claimed:,} {were} being handed over, and the next run finds out which of them arrived"
        )
    if not left:
        goes_on = "no deliveries are left"
    elif spool.status() is Status.SCHEDULED:
        goes_on = (
            f"the {left:,} that are left are tried again by the next `run-due` or `serve`; "
            f"`mailer campaigns resume {spool.campaign.slug}` tries them at once"
        )
    else:
        goes_on = f"`mailer send {spool.campaign.issue}` sends the {left:,} that are left"
    return f"{', '.join(parts) or 'no reader has the issue yet'}; {goes_on}"

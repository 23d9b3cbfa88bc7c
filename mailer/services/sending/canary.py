"""Judges the canary of a campaign. Then holds the campaign, and later releases or pauses it.

the canary is sent ─► too many deliveries failed ─► paused, until the operator resumes it
                   └► held for a while ─► judged again, with bounces ─► goes on, or paused
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary, canary_of
from mailer.campaign.status import Event, Status
from mailer.campaign.times import format_time
from mailer.clock import now, utc_now, utc_text
from mailer.delivery.progress import Progress
from mailer.services.sending.campaign_health import campaign_health_of
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.transports.stop import StopFlag

__all__ = [
    "judge_canary",
    "release_campaign_if_hold_ended",
    "release_deliveries_held_for_canary",
    "wait_while_campaign_is_held",
]

_POLL_SECONDS = 0.25


def judge_canary(workspace: Workspace, spool: Spool) -> bool:
    """Holds a campaign whose canary was sent, or pauses it if too many deliveries of the canary have failed.

    Returns False, with nothing changed, if the campaign has no canary or if this was done before. Must be
    called after a run that was not stopped.
    """
    campaign = spool.current_campaign()
    canary = canary_of(campaign)
    if canary is None or canary.phase != "first":
        return False
    with spool.transaction():
        if spool.status() is not Status.SENDING:
            return True  # another process has decided; the canary stays unjudged
        spool.set_canary(canary, "held")
        if _pause_if_canary_failed(workspace, spool, canary):
            return True
        until = utc_text(now() + timedelta(seconds=canary.hold)) if canary.hold is not None else ""
        then = (
            f"the rest follow {format_time(until, workspace.settings.publication.zone)}, unless more than "
            f"{workspace.settings.pace.rejects * 100:g}% of these fail"
            if until
            else f"the rest wait for `mailer campaigns resume {campaign.slug}`"
        )
        if spool.apply_event(Event.HOLD, f"{_canary_counts_text(workspace, spool)}; {then}"):
            spool.set_resume_time(until)
    return True


def release_campaign_if_hold_ended(workspace: Workspace, spool: Spool) -> bool:
    """Releases a held campaign if the hold has ended and the canary went well. Returns whether the campaign
    was released.

    If too many deliveries of the canary failed, the campaign is paused. Returns False also if the hold has
    not ended, or if another process has changed the status.
    """
    with spool.transaction():
        campaign = spool.current_campaign()
        canary = canary_of(campaign)
        if canary is None or campaign.status is not Status.HELD or not "" < campaign.held_until <= utc_now():
            return False
        if _pause_if_canary_failed(workspace, spool, canary):
            return False
        if not release_deliveries_held_for_canary(spool, Event.CANARY_PASSED):
            return False
        # If this process dies before a run begins with the rest, the campaign may still resume automatically.
        spool.set_resume_time(campaign.held_until)
        return True


def wait_while_campaign_is_held(
    workspace: Workspace, spool: Spool, *, stop: StopFlag, observe: Callable[[Progress], None]
) -> bool:
    """Waits until a held campaign may resume, and returns whether it may.

    Another process may release, pause or cancel the campaign meanwhile. If only the operator can release the
    campaign, this returns False at once. If `stop` is set, the campaign stays held. `observe` is called with
    the progress.
    """
    campaign = spool.current_campaign()
    shown = Progress(note=campaign.status_note)
    while not stop.is_set():
        if campaign.status is not Status.HELD:
            return _is_released(campaign)
        if release_campaign_if_hold_ended(workspace, spool):
            return True
        campaign = spool.current_campaign()
        if campaign.status is not Status.HELD:
            continue
        if not campaign.held_until:
            return False
        observe(shown)
        left = (datetime.fromisoformat(campaign.held_until) - now()).total_seconds()
        stop.wait(min(_POLL_SECONDS, max(0.01, left)))
        campaign = spool.current_campaign()
    return False


def _is_released(campaign: Campaign) -> bool:
    canary = canary_of(campaign)
    return canary is not None and canary.phase == "released" and campaign.status is Status.STOPPED


def _canary_counts_text(workspace: Workspace, spool: Spool) -> str:
    known = campaign_health_of(workspace.db, spool)
    parts = [f"{known.refused:,} refused"] if known.refused else []
    parts += [f"{known.doubtful:,} uncertain"] if known.doubtful else []
    parts += [f"{known.returned:,} bounced or complained"] if known.returned else []
    people = "reader was" if known.tried == 1 else "readers were"
    return f"{known.tried:,} {people} tried first" + (f" ({', '.join(parts)})" if parts else "")


def _pause_if_canary_failed(workspace: Workspace, spool: Spool, canary: Canary) -> bool:
    """Pauses the campaign, with a note, if too many deliveries of its canary failed.

    Returns whether the campaign was paused.
    """
    known, share = campaign_health_of(workspace.db, spool), workspace.settings.pace.rejects
    if known.tried and known.failures <= share * known.tried:
        return False
    words = spool.commonest_refusal_text()
    why = (
        f"{known.failures / known.tried:.1%} failed, more than {share * 100:g}%"
        + (f"; most often a server said: {words}" if words else "")
        if known.tried
        else f"no message could be sent to the first {canary.number:,} readers"
    )
    left = spool.delivery_counts_by_state()["pending"]
    spool.apply_event(
        Event.CANARY_FAILED,
        f"{_canary_counts_text(workspace, spool)}: {why}; {left:,} readers have nothing yet",
    )
    spool.set_resume_time("")
    return True


def release_deliveries_held_for_canary(spool: Spool, event: Event) -> bool:
    """Releases the deliveries that are held until the canary has been judged, and applies the event to the
    campaign's status.

    Returns False if the deliveries were released before, or if the status does not allow the event.
    """
    with spool.transaction():
        canary = canary_of(spool.current_campaign())
        if canary is None or canary.phase == "released" or not spool.apply_event(event):
            return False
        spool.set_canary(canary, "released")
        spool.set_resume_time("")
        spool.release_held_deliveries()
    return True

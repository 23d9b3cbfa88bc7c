"""After the first few: judges how they were taken, holds the campaign, and lets it go on or pauses it.

the first are tried ─► too many went wrong ─► paused, until the operator resumes it
                    └► held for a while ─► judged again, with what came back ─► goes on, or paused
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary, canary_of
from mailer.campaign.status import Event, Status
from mailer.campaign.times import in_words
from mailer.clock import now, utc_now, utc_text
from mailer.delivery.progress import Progress
from mailer.services.sending.campaign_health import health_of
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.transports.stop import Stop

__all__ = ["judge_canary", "may_go_on", "release", "wait_while_held"]

_LOOK_SECONDS = 0.25


def judge_canary(workspace: Workspace, spool: Spool) -> bool:
    """After a run that nothing stopped: whether it was that of the first few, which is judged now.

    Then the campaign is `held`, or `paused` where too much went wrong already.
    """
    campaign = spool.refreshed()
    canary = canary_of(campaign)
    if canary is None or canary.phase != "first":
        return False
    with spool.together():
        if spool.status() is not Status.SENDING:
            return True  # somebody else has decided; the first few are still to be watched
        spool.set_canary(canary, "held")
        if _pause_if_bad(workspace, spool, canary):
            return True
        until = utc_text(now() + timedelta(seconds=canary.hold)) if canary.hold is not None else ""
        then = (
            f"the rest follow {in_words(until, workspace.settings.publication.zone)}, unless more than "
            f"{workspace.settings.pace.rejects * 100:g}% of these go wrong"
            if until
            else f"the rest wait for `mailer campaigns resume {campaign.slug}`"
        )
        if spool.apply(Event.HOLD, f"{_so_far(workspace, spool)}; {then}"):
            spool.set_held_until(until)
    return True


def may_go_on(workspace: Workspace, spool: Spool) -> bool:
    """Whether a held campaign has been watched for long enough and went well: then it is released.

    Where it went wrong it is paused. False also while the time is not over, or somebody else has decided.
    """
    with spool.together():
        campaign = spool.refreshed()
        canary = canary_of(campaign)
        if canary is None or campaign.status is not Status.HELD or not "" < campaign.held_until <= utc_now():
            return False
        if _pause_if_bad(workspace, spool, canary):
            return False
        if not release(spool, Event.GO_ON):
            return False
        # Until a run has begun with the rest it may still go on by itself, should this process die now.
        spool.set_held_until(campaign.held_until)
        return True


def wait_while_held(
    workspace: Workspace, spool: Spool, *, stop: Stop, observe: Callable[[Progress], None]
) -> bool:
    """Waits until a held campaign may go on; whether it may. A wish to stop leaves it held.

    Somebody else may release, pause or cancel it meanwhile. Where only the operator can, this does not wait.
    """
    campaign = spool.refreshed()
    shown = Progress(note=campaign.status_note)
    while not stop.is_set():
        if campaign.status is not Status.HELD:
            return _is_released(campaign)
        if may_go_on(workspace, spool):
            return True
        campaign = spool.refreshed()
        if campaign.status is not Status.HELD:
            continue
        if not campaign.held_until:
            return False
        observe(shown)
        left = (datetime.fromisoformat(campaign.held_until) - now()).total_seconds()
        stop.wait(min(_LOOK_SECONDS, max(0.01, left)))
        campaign = spool.refreshed()
    return False


def _is_released(campaign: Campaign) -> bool:
    canary = canary_of(campaign)
    return canary is not None and canary.phase == "released" and campaign.status is Status.STOPPED


def _so_far(workspace: Workspace, spool: Spool) -> str:
    known = health_of(workspace.db, spool)
    parts = [f"{known.refused:,} refused"] if known.refused else []
    parts += [f"{known.doubtful:,} uncertain"] if known.doubtful else []
    parts += [f"{known.came_back:,} bounced or complained of"] if known.came_back else []
    people = "reader was" if known.tried == 1 else "readers were"
    return f"{known.tried:,} {people} sent to first" + (f" ({', '.join(parts)})" if parts else "")


def _pause_if_bad(workspace: Workspace, spool: Spool, canary: Canary) -> bool:
    """Pauses the campaign, with a sentence, where its canary did not go well."""
    known, share = health_of(workspace.db, spool), workspace.settings.pace.rejects
    if known.tried and known.bad <= share * known.tried:
        return False
    words = spool.commonest_refusal()
    why = (
        f"{known.bad / known.tried:.1%} went wrong, more than {share * 100:g}%"
        + (f"; most often a server said: {words}" if words else "")
        if known.tried
        else f"none of the first {canary.number:,} could be tried"
    )
    left = spool.counts()["pending"]
    spool.apply(Event.BRAKE_CANARY, f"{_so_far(workspace, spool)}: {why}; {left:,} have nothing yet")
    spool.set_held_until("")
    return True


def release(spool: Spool, event: Event) -> bool:
    """Releases everybody behind the canary; whether somebody was held back and the event may happen now."""
    with spool.together():
        canary = canary_of(spool.refreshed())
        if canary is None or canary.phase == "released" or not spool.apply(event):
            return False
        spool.set_canary(canary, "released")
        spool.set_held_until("")
        spool.release_held()
    return True

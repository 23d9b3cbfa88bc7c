"""After the first few: judges how they were taken, holds the campaign, and lets it go on or pauses it.

the first are tried ─► too many went wrong ─► paused, until the operator resumes it
                    └► held for a while ─► judged again, with what came back ─► goes on, or paused
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mailer.campaign.times import in_words
from mailer.config import Settings
from mailer.delivery.progress import Progress
from mailer.spool.sqlite.campaign_health import commonest_refusal, verdict
from mailer.spool.sqlite.campaigns import Campaign, find_campaign
from mailer.spool.sqlite.canary import Canary, canary_of, hold_until, mark, release
from mailer.spool.sqlite.deliveries import Spool
from mailer.store.database import now, utc_now, utc_text, writing
from mailer.transports.stop import Stop

__all__ = ["end_of_first", "may_go_on", "wait_while_held"]

_LOOK_SECONDS = 0.25


def end_of_first(settings: Settings, spool: Spool) -> bool:
    """After a run that nothing stopped: whether it was that of the first few, which is judged now.

    Then the campaign is `held`, or `paused` where too much went wrong already.
    """
    campaign = find_campaign(spool.database, spool.campaign.slug)
    canary = canary_of(campaign)
    if canary is None or canary.phase != "first":
        return False
    with writing(spool.database):
        if spool.status() != "sending":
            return True  # somebody else has decided; the first few are still to be watched
        mark(spool, canary, "held")
        if _pause_if_bad(settings, spool, canary, only_from=("sending",)):
            return True
        until = utc_text(now() + timedelta(seconds=canary.hold)) if canary.hold is not None else ""
        then = (
            f"the rest follow {in_words(until, settings.publication.zone)}, unless more than "
            f"{settings.pace.rejects * 100:g}% of these go wrong"
            if until
            else f"the rest wait for `mailer campaigns resume {campaign.slug}`"
        )
        if spool.set_status("held", f"{_so_far(spool)}; {then}", only_from=("sending",)):
            hold_until(spool, until)
    return True


def may_go_on(settings: Settings, spool: Spool) -> bool:
    """Whether a held campaign has been watched for long enough and went well: then it is released.

    Where it went wrong it is paused. False also while the time is not over, or somebody else has decided.
    """
    with writing(spool.database):
        campaign = find_campaign(spool.database, spool.campaign.slug)
        canary = canary_of(campaign)
        if canary is None or campaign.status != "held" or not "" < campaign.held_until <= utc_now():
            return False
        if _pause_if_bad(settings, spool, canary, only_from=("held",)):
            return False
        if not release(spool, only_from=("held",)):
            return False
        # Until a run has begun with the rest it may still go on by itself, should this process die now.
        hold_until(spool, campaign.held_until)
        return True


def wait_while_held(
    settings: Settings, spool: Spool, *, stop: Stop, observe: Callable[[Progress], None]
) -> bool:
    """Waits until a held campaign may go on; whether it may. A wish to stop leaves it held.

    Somebody else may release, pause or cancel it meanwhile. Where only the operator can, this does not wait.
    """
    campaign = find_campaign(spool.database, spool.campaign.slug)
    told = Progress(note=campaign.status_note)
    while not stop.is_set():
        if campaign.status != "held":
            return _is_released(campaign)
        if may_go_on(settings, spool):
            return True
        campaign = find_campaign(spool.database, spool.campaign.slug)
        if campaign.status != "held":
            continue
        if not campaign.held_until:
            return False
        observe(told)
        left = (datetime.fromisoformat(campaign.held_until) - now()).total_seconds()
        stop.wait(min(_LOOK_SECONDS, max(0.01, left)))
        campaign = find_campaign(spool.database, spool.campaign.slug)
    return False


def _is_released(campaign: Campaign) -> bool:
    canary = canary_of(campaign)
    return canary is not None and canary.phase == "released" and campaign.status == "stopped"


def _so_far(spool: Spool) -> str:
    known = verdict(spool)
    parts = [f"{known.refused:,} refused"] if known.refused else []
    parts += [f"{known.doubtful:,} uncertain"] if known.doubtful else []
    parts += [f"{known.came_back:,} bounced or complained of"] if known.came_back else []
    people = "reader was" if known.tried == 1 else "readers were"
    return f"{known.tried:,} {people} sent to first" + (f" ({', '.join(parts)})" if parts else "")


def _pause_if_bad(settings: Settings, spool: Spool, canary: Canary, *, only_from: tuple[str, ...]) -> bool:
    """Pauses the campaign, with a sentence, where its first few did not go well."""
    known, share = verdict(spool), settings.pace.rejects
    if known.tried and known.bad <= share * known.tried:
        return False
    words = commonest_refusal(spool)
    why = (
        f"{known.bad / known.tried:.1%} went wrong, more than {share * 100:g}%"
        + (f"; most often a server said: {words}" if words else "")
        if known.tried
        else f"none of the first {canary.number:,} could be tried"
    )
    left = spool.counts()["pending"]
    spool.set_status("paused", f"{_so_far(spool)}: {why}; {left:,} have nothing yet", only_from=only_from)
    hold_until(spool, "")
    return True

"""Decisions of an operator about a campaign: pause, cancel, try again, settle what is uncertain.

Each decision takes the campaign's lock first. Where no run is alive, what a dead run left is recovered by its
journal before the decision is made, and the manifest is written after it. Where a run is alive, a pause and a
cancel only set the status: the run sees it within a quarter of a second, settles its claims and writes the
manifest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlite_utils import Database

from mailer.config import Settings
from mailer.errors import BusyError, CampaignError, StoreError
from mailer.services.planning.schedule import check_unscheduled
from mailer.services.sending.after_run import end_if_done, lower_manifest, tell_manifest
from mailer.services.sending.database_guard import is_older, refuse_if_older
from mailer.services.sending.recovery import journal_of, recover
from mailer.spool.journal import journal_run
from mailer.spool.lock import campaign_lock
from mailer.spool.sqlite.campaigns import Campaign, find_campaign
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.last_run import last_run
from mailer.spool.sqlite.listing import state_of

__all__ = [
    "cancel_campaign",
    "check_open",
    "pause_campaign",
    "resolve_campaign",
    "retry_campaign",
]

#: A command waits for so long to see how a run ends that it has paused or cancelled (seconds).
WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_PAUSING = ("ready", "scheduled", "sending", "held", "stopped")
_CANCELLING = ("ready", "scheduled", "sending", "held", "missed", "stopped", "paused")


def pause_campaign(db: Database, settings: Settings, slug: str) -> bool:
    """Pauses a campaign; whether its run, if there was one, has ended by now.

    Raises CampaignError where it cannot be paused.
    """
    return _decide(db, settings, slug, "paused", _PAUSING)


def cancel_campaign(db: Database, settings: Settings, slug: str) -> bool:
    """Ends a campaign for good; whether its run, if there was one, has ended by now.

    Raises CampaignError where it has ended already.
    """
    return _decide(db, settings, slug, "cancelled", _CANCELLING)


def _decide(db: Database, settings: Settings, slug: str, status: str, only_from: Sequence[str]) -> bool:
    find_campaign(db, slug)
    with suppress(BusyError), campaign_lock(settings, slug):
        spool = Spool(db, find_campaign(db, slug))
        if status == "cancelled":
            _recover_before_giving_up(settings, spool)
        else:
            recover(settings, spool)
            refuse_if_older(settings, spool.campaign, spool.counts())
        try:
            _set_status(spool, status, only_from)
        finally:
            # Also where it is so already: the command that did it may have died before it wrote this.
            tell_manifest(settings, spool)
        return True
    _set_status(Spool(db, find_campaign(db, slug)), status, only_from)
    return _await_end(db, settings, slug)


def _set_status(spool: Spool, status: str, only_from: Sequence[str]) -> None:
    """Changes the status. A campaign that ended with refusals may be cancelled: its rest is given up."""
    if status == "cancelled" and spool.status() == "sent" and (spool.counts()["rejected"] or spool.is_free()):
        only_from = (*only_from, "sent")
    if not spool.set_status(status, only_from=only_from):
        raise CampaignError(f"campaign {spool.campaign.slug} is {spool.status()}, so it cannot be {status}")


def _recover_before_giving_up(settings: Settings, spool: Spool) -> None:
    """Recovers by the journal. What an old copy of the database has forgotten counts as handed over.

    Where the journal is that of the last run that the database knows of, only the end of that run is lost,
    and the journal has it. Else whoever is not known to have it may have it, and stays uncertain.
    """
    journal = journal_of(settings, spool.campaign.slug)
    try:
        recover(settings, spool)
        behind = False
    except StoreError:
        spool.adopt(journal)
        spool.recover(journal)
        last = last_run(spool.database)
        behind = last is None or journal_run(journal) != last.token
    if behind or is_older(settings, spool.campaign, spool.counts()):
        spool.doubt_the_rest()


def _await_end(
    db: Database,
    settings: Settings,
    slug: str,
    *,
    seconds: float = WAIT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Waits until the run of a campaign has ended; whether it has. A run that died meanwhile is recovered."""
    for _ in range(round(seconds / _LOOK_SECONDS)):
        with suppress(BusyError), campaign_lock(settings, slug):
            spool = Spool(db, find_campaign(db, slug))
            recover(settings, spool)
            tell_manifest(settings, spool)
            return True
        sleep(_LOOK_SECONDS)
    return False


def retry_campaign(
    db: Database, settings: Settings, slug: str, *, address: str | None = None
) -> tuple[int, int]:
    """Makes what was rejected or deferred pending again, but for who cannot be reached.

    With `address`, the delivery to that address alone. Gives how many are pending again, and how many stay
    rejected. Raises CampaignError, BusyError.
    """
    find_campaign(db, slug)  # a name that is none must make no lock file
    with campaign_lock(settings, slug):
        campaign = find_campaign(db, slug)
        check_open(campaign)
        if campaign.started_at is None or campaign.status == "missed":
            check_unscheduled(campaign, settings.publication.zone)
        spool = Spool(db, campaign)
        recover(settings, spool)
        refuse_if_older(settings, campaign, spool.counts())
        again, left_out = spool.retry(address=address)
        if address is not None and not again:
            raise _not_there(spool, address, "rejected or deferred, or cannot be reached")
        return again, left_out


def resolve_campaign(
    db: Database, settings: Settings, slug: str, *, resend: bool, address: str | None = None
) -> int:
    """Settles what is uncertain by the operator's word; gives how many. Raises CampaignError, BusyError.

    With `address`, the delivery to that address alone.
    """
    find_campaign(db, slug)
    with campaign_lock(settings, slug):
        campaign = find_campaign(db, slug)
        if resend:
            check_open(campaign)
        spool = Spool(db, campaign)
        recover(settings, spool)
        refuse_if_older(settings, campaign, spool.counts())
        if resend:
            lower_manifest(settings, spool, "uncertain")
        number = spool.resolve(resend=resend, address=address)
        if address is not None and not number:
            raise _not_there(spool, address, "uncertain")
        end_if_done(spool)
        tell_manifest(settings, spool)
        return number


def _not_there(spool: Spool, address: str, wanted: str) -> CampaignError:
    state = state_of(spool, address)
    slug = spool.campaign.slug
    if state is None:
        return CampaignError(f"{address} is not among the readers of campaign {slug}")
    return CampaignError(f"the delivery to {address} in campaign {slug} is {state}, not {wanted}")


def check_open(campaign: Campaign) -> None:
    """Raises CampaignError, with what to do, where a campaign was cancelled or is paused."""
    slug = campaign.slug
    if campaign.status == "cancelled":
        raise CampaignError(f"campaign {slug} was cancelled; what it has not sent stays unsent")
    if campaign.status == "paused":
        raise CampaignError(f"campaign {slug} is paused; `mailer campaigns resume {slug}` goes on with it")

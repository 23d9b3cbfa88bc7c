"""Carries out an operator's decisions about a campaign: pause, cancel, retry, resolve uncertain deliveries.

Each decision first tries to take the campaign's lock. If no run is active, the claims of a dead run are
settled by its journal before the decision, and the manifest is written after the decision. If a run is
active, pause and cancel only set the status: the run sees the new status within a quarter of a second,
settles its claims and writes the manifest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from mailer.audience.recipients import unreachable_subscriber_ids
from mailer.campaign.delivery_state import State
from mailer.campaign.status import Event, Status, check_may_be_sent, target_status
from mailer.errors import BusyError, CampaignError, StoreError
from mailer.services.campaigns.people import delivery_state_of, subscriber_id_at
from mailer.services.database.guard import does_database_lack_deliveries, refuse_if_database_lacks_deliveries
from mailer.services.planning.schedule import refuse_waiting_campaign
from mailer.services.sending.after_run import end_campaign_if_done, refresh_manifest, zero_manifest_counts
from mailer.services.sending.recovery import journal_path, recover_dead_run, settle_claims_by_journal
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.spool.journal import read_journal, read_run_token
from mailer.spool.lock import campaign_lock
from mailer.spool.recover import adopt_journal_outcomes
from mailer.store.last_run import read_last_run

__all__ = [
    "cancel_campaign",
    "pause_campaign",
    "resolve_uncertain_deliveries",
    "make_failed_deliveries_pending",
]

#: A command waits this long for the end of a run that it has paused or cancelled (seconds).
WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.05


def pause_campaign(workspace: Workspace, slug: str) -> bool:
    """Pauses a campaign. Returns True if no run is active any more, and False if a run has not ended in time.

    Raises CampaignError if the campaign's status does not allow a pause.
    """
    return _apply_decision(workspace, slug, Event.PAUSE)


def cancel_campaign(workspace: Workspace, slug: str) -> bool:
    """Cancels a campaign for good. Returns True if no run is active any more, and False if a run has not
    ended in time.

    Raises CampaignError if the campaign has already ended.
    """
    return _apply_decision(workspace, slug, Event.CANCEL)


def _apply_decision(workspace: Workspace, slug: str, event: Event) -> bool:
    settings = workspace.settings
    workspace.spools.find(slug)
    with suppress(BusyError), campaign_lock(settings, slug):
        spool = workspace.spools.open(workspace.spools.find(slug))
        if event is Event.CANCEL:
            _recover_campaign_before_cancelling(workspace, spool)
        else:
            recover_dead_run(workspace, spool)
            refuse_if_database_lacks_deliveries(settings, spool.campaign, spool.delivery_counts_by_state())
        try:
            _apply_event_to_campaign(spool, event)
        finally:
            # Also where the status was set before: the command that set it may have died before this.
            refresh_manifest(settings, spool)
        return True
    _apply_event_to_campaign(workspace.spools.open(workspace.spools.find(slug)), event)
    return _wait_for_run_end(workspace, slug)


def _apply_event_to_campaign(spool: Spool, event: Event) -> None:
    """Applies an event to the campaign's status. Raises CampaignError if the status does not allow the event.

    A campaign that was sent may still be cancelled if deliveries were rejected or nobody received it.
    """
    is_sent = event is Event.CANCEL and spool.status() is Status.SENT
    if is_sent and (spool.delivery_counts_by_state()[State.REJECTED] or spool.reached_nobody()):
        event = Event.CANCEL_REST
    if not spool.apply_event(event):
        slug = spool.campaign.slug
        raise CampaignError(f"campaign {slug} is {spool.status()}, so it cannot be {target_status(event)}")


def _recover_campaign_before_cancelling(workspace: Workspace, spool: Spool) -> None:
    """Settles the claims of a dead run by its journal, even if the database is an old copy that lacks some of
    the claims.

    The journal is enough if it belongs to the last run that the database knows. Otherwise more runs may be
    missing from the database, and every delivery that is not known to be accepted becomes uncertain.
    """
    journal = journal_path(workspace.settings, spool.campaign.slug)
    try:
        recover_dead_run(workspace, spool)
        behind = False
    except StoreError:
        adopt_journal_outcomes(spool, read_journal(journal))
        settle_claims_by_journal(workspace, spool, journal)
        last = read_last_run(workspace.db)
        behind = last is None or read_run_token(journal) != last.token
    if behind or does_database_lack_deliveries(
        workspace.settings, spool.campaign, spool.delivery_counts_by_state()
    ):
        spool.make_unaccepted_deliveries_uncertain()


def _wait_for_run_end(
    workspace: Workspace,
    slug: str,
    *,
    seconds: float = WAIT_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Waits up to `seconds` until the run of a campaign has ended. Returns whether the run has ended.

    If the run died meanwhile, its claims are recovered.
    """
    for _ in range(round(seconds / _POLL_SECONDS)):
        with suppress(BusyError), campaign_lock(workspace.settings, slug):
            spool = workspace.spools.open(workspace.spools.find(slug))
            recover_dead_run(workspace, spool)
            refresh_manifest(workspace.settings, spool)
            return True
        sleep(_POLL_SECONDS)
    return False


def make_failed_deliveries_pending(
    workspace: Workspace, slug: str, *, address: str | None = None
) -> tuple[int, int]:
    """Makes rejected and deferred deliveries pending again, except to people who cannot be reached.

    With `address`, changes only the delivery to that address. Returns how many deliveries are pending again,
    and how many stay rejected. Raises CampaignError, and BusyError if a run is active.
    """
    settings = workspace.settings
    workspace.spools.find(slug)  # an unknown name must not create a lock file
    with campaign_lock(settings, slug):
        campaign = workspace.spools.find(slug)
        check_may_be_sent(slug, campaign.status)
        if campaign.started_at is None or campaign.status is Status.MISSED:
            refuse_waiting_campaign(campaign, settings.publication.zone)
        spool = workspace.spools.open(campaign)
        recover_dead_run(workspace, spool)
        refuse_if_database_lacks_deliveries(settings, campaign, spool.delivery_counts_by_state())
        only = _subscriber_id_for(workspace, spool, address)
        again = spool.retry_refused_deliveries(
            partial(unreachable_subscriber_ids, workspace.db), only_person=only
        )
        if address is not None and not again:
            raise _wrong_state_error(workspace, spool, address, "rejected or deferred, or cannot be reached")
        return again, 0 if address is not None else spool.delivery_counts_by_state()[State.REJECTED]


def resolve_uncertain_deliveries(
    workspace: Workspace, slug: str, *, resend: bool, address: str | None = None
) -> int:
    """Settles uncertain deliveries by the operator's decision, and returns the number of settled deliveries.

    With `resend`, uncertain deliveries become pending again; otherwise they count as accepted. With
    `address`, only the delivery to that address is settled. Raises CampaignError, and BusyError if a run is
    active.
    """
    settings = workspace.settings
    workspace.spools.find(slug)
    with campaign_lock(settings, slug):
        campaign = workspace.spools.find(slug)
        if resend:
            check_may_be_sent(slug, campaign.status)
        spool = workspace.spools.open(campaign)
        recover_dead_run(workspace, spool)
        refuse_if_database_lacks_deliveries(settings, campaign, spool.delivery_counts_by_state())
        only = _subscriber_id_for(workspace, spool, address)
        if resend:
            zero_manifest_counts(settings, spool, State.UNCERTAIN)
        number = spool.resolve_uncertain_deliveries(resend=resend, only_person=only)
        if address is not None and not number:
            raise _wrong_state_error(workspace, spool, address, "uncertain")
        end_campaign_if_done(spool)
        refresh_manifest(settings, spool)
        return number


def _subscriber_id_for(workspace: Workspace, spool: Spool, address: str | None) -> int | None:
    """Returns the id of the subscriber at an address; None if `address` is None. Raises CampaignError if
    there is no such subscriber."""
    if address is None:
        return None
    person = subscriber_id_at(workspace, address)
    if person is None:
        raise _wrong_state_error(workspace, spool, address, "")
    return person


def _wrong_state_error(workspace: Workspace, spool: Spool, address: str, wanted_state: str) -> CampaignError:
    state = delivery_state_of(workspace, spool, address)
    slug = spool.campaign.slug
    if state is None:
        return CampaignError(f"{address} is not among the readers of campaign {slug}")
    return CampaignError(f"the delivery to {address} in campaign {slug} is {state}, not {wanted_state}")

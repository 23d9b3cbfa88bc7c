"""Resumes a campaign at the request of an operator."""

from __future__ import annotations

from collections.abc import Callable

from mailer.campaign.canary import canary_of
from mailer.campaign.status import Event, Status
from mailer.clock import utc_now
from mailer.delivery.progress import Progress
from mailer.errors import BusyError
from mailer.services.database.guard import refuse_if_database_lacks_deliveries
from mailer.services.sending.after_run import refresh_manifest, schedule_campaign
from mailer.services.sending.canary import release_deliveries_held_for_canary
from mailer.services.sending.result import SendResult, make_send_result
from mailer.services.sending.run import RunRequest, run_campaign
from mailer.services.workspace import Workspace
from mailer.spool.lock import campaign_lock
from mailer.transports.registry import signer_for_transport
from mailer.transports.stop import StopFlag

__all__ = ["resume_campaign"]


def resume_campaign(
    workspace: Workspace, slug: str, *, stop: StopFlag, observe: Callable[[Progress], None]
) -> SendResult | None:
    """Resumes a campaign, and returns the result of its run.

    If a campaign was paused before its scheduled time, it waits for that time again. Otherwise all deliveries
    that are due or missed are sent now; if no delivery is due yet, all are sent now. If another process waits
    for the end of a canary, the deliveries behind the canary are released for that process, and None is
    returned. `stop` ends the run early, and `observe` is called with its progress. Raises CampaignError for a
    cancelled campaign, BusyError if a run is active, and TransportError.
    """
    spool = workspace.spools.open(workspace.spools.find(slug))
    is_released = release_deliveries_held_for_canary(spool, Event.RELEASE_HELD)
    try:
        return _resume_here(workspace, slug, stop, observe)
    except BusyError:
        if not is_released:
            raise
        return None


def _resume_here(
    workspace: Workspace, slug: str, stop: StopFlag, observe: Callable[[Progress], None]
) -> SendResult:
    settings = workspace.settings
    signer = signer_for_transport(workspace.spools.find(slug).transport, settings)
    with campaign_lock(settings, slug):
        campaign = workspace.spools.find(slug)
        spool = workspace.spools.open(campaign)
        refuse_if_database_lacks_deliveries(settings, campaign, spool.delivery_counts_by_state())
        moment = utc_now()
        early = campaign.due_at > moment and not (
            campaign.local_time and spool.count_overdue_deliveries(moment)
        )
        if campaign.status is Status.PAUSED:
            if early:
                schedule_campaign(spool, Event.RESUME_SCHEDULE, campaign.due_at)
                refresh_manifest(settings, spool)
                return make_send_result(workspace, spool, None)
            spool.apply_event(Event.RESUME)
        canary = canary_of(campaign)
        if canary is not None and canary.phase == "held":
            release_deliveries_held_for_canary(spool, Event.RELEASE)
        if campaign.due_at and campaign.status not in (Status.CANCELLED, Status.SENT):
            if canary is None:
                spool.release_waiting_deliveries(include_scheduled=early)
            if early or not campaign.local_time:
                spool.set_due_time("")  # from now on only an operator starts it
        return run_campaign(workspace, RunRequest(slug, campaign.transport, signer, stop, observe))

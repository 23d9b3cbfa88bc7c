"""Sends an issue: freezes the plan and delivers it, or resumes an unfinished campaign.

    plan ─► lock ─► one transaction: campaign + deliveries + folder ─► deliver ─► manifest

Until the transaction commits, nothing has changed. After the commit, everything that is sent is read from the
campaign's folder, so that a run that resumes days later sends the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from mailer.campaign.canary import Canary
from mailer.delivery.progress import Progress
from mailer.errors import CampaignError
from mailer.services.campaigns.people import subscriber_id_at
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.schedule import refuse_waiting_campaign
from mailer.services.sending.freeze import ChangesSincePlan, freeze_plan
from mailer.services.sending.result import SendResult
from mailer.services.sending.run import RunRequest, run_campaign
from mailer.services.workspace import Workspace
from mailer.spool.lock import campaign_lock
from mailer.transports.registry import signer_for_transport
from mailer.transports.stop import StopFlag

__all__ = ["finish_campaign", "send_issue"]


def send_issue(
    workspace: Workspace,
    prepared: PreparedIssue,
    *,
    stop: StopFlag,
    observe: Callable[[Progress], None],
    canary: Canary | None = None,
    on_frozen: Callable[[ChangesSincePlan], None] = lambda _: None,
) -> SendResult:
    """Sends a plan, or resumes the campaign that has begun to send the plan.

    A new campaign is sent to its canary first, if it has one. `on_frozen` is called once the campaign is
    made, with the changes of the audience since the plan. `stop` ends the run early, and `observe` is called
    with its progress.

    Raises BusyError if another process is sending the campaign, CampaignError if the audience or the issue
    differs from the plan, and TransportError if nothing can be handed over.
    """
    plan, settings = prepared.plan, workspace.settings
    signer = signer_for_transport(
        plan.transport, settings
    )  # before anything is frozen: the key may be invalid
    with campaign_lock(settings, plan.slug):
        # Between the plan and the lock, another process may have sent the same issue.
        existing = next((c for c in workspace.spools.campaigns() if c.slug == plan.slug), None)
        if existing is None:
            on_frozen(freeze_plan(workspace, prepared, canary=canary))
        elif prepared.existing is None and existing.plan_hash != plan.hash:
            raise CampaignError(
                f"campaign {plan.slug} was made by somebody else just now; look at the plan again"
            )
        else:
            refuse_waiting_campaign(existing, settings.publication.zone)
        return run_campaign(workspace, RunRequest(plan.slug, plan.transport, signer, stop, observe))


def finish_campaign(
    workspace: Workspace,
    slug: str,
    *,
    stop: StopFlag,
    observe: Callable[[Progress], None],
    transport: str | None = None,
    only_address: str | None = None,
) -> SendResult:
    """Resumes a campaign from its folder, even if the issue's file has changed since the campaign was made.

    `transport` is the URL of the transport (None: the campaign's own). With `only_address`, the campaign is
    sent to that person only. `stop` ends the run early, and `observe` is called with its progress.
    """
    campaign = workspace.spools.find(slug)
    url = transport or campaign.transport
    signer = signer_for_transport(url, workspace.settings)
    with campaign_lock(workspace.settings, slug):
        only = None
        if only_address is not None:
            only = subscriber_id_at(workspace, only_address)
            if only is None:
                raise CampaignError(f"{only_address} is not among the readers of campaign {slug}")
        return run_campaign(workspace, RunRequest(slug, url, signer, stop, observe, only_subscriber_id=only))

"""Freezes an issue that is to be sent later."""

from __future__ import annotations

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary
from mailer.config import Settings
from mailer.errors import CampaignError
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.schedule import Schedule, refuse_waiting_campaign
from mailer.services.sending.freeze import ChangesSincePlan, freeze_plan
from mailer.services.workspace import Workspace
from mailer.spool.lock import campaign_lock
from mailer.transports.registry import signer_for_transport

__all__ = ["refuse_if_campaign_exists", "schedule_issue"]


def refuse_if_campaign_exists(settings: Settings, prepared: PreparedIssue) -> None:
    """Raises CampaignError if the issue already has a campaign, so that it cannot be scheduled."""
    existing = prepared.existing
    if existing is None:
        return
    refuse_waiting_campaign(existing, settings.publication.zone)
    raise CampaignError(
        f"campaign {existing.slug} of this issue is already {existing.status}, so it cannot be scheduled; "
        f"`mailer campaigns show {existing.slug}` shows its status"
    )


def schedule_issue(
    workspace: Workspace, prepared: PreparedIssue, schedule: Schedule, canary: Canary | None = None
) -> tuple[Campaign, ChangesSincePlan]:
    """Freezes a plan that is to be sent at its scheduled time. Sends nothing.

    Returns the campaign, and the changes of the audience since the plan.

    Raises CampaignError if the issue already has a campaign, and BusyError if another process is creating
    one.
    """
    plan, settings = prepared.plan, workspace.settings
    refuse_if_campaign_exists(settings, prepared)
    signer_for_transport(plan.transport, settings)
    with campaign_lock(settings, plan.slug):
        if any(campaign.slug == plan.slug for campaign in workspace.spools.campaigns()):
            raise CampaignError(
                f"campaign {plan.slug} was made by somebody else just now; look at the plan again"
            )
        since = freeze_plan(workspace, prepared, schedule, canary)
        return workspace.spools.find(plan.slug), since

"""Proposes what would be sent: the plan, the schedule and the canary. The operator then confirms the
proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary
from mailer.clock import utc_text
from mailer.delivery.progress import Progress
from mailer.errors import CampaignError
from mailer.services.planning.approved_plan import apply_approved_plan, keep_plan
from mailer.services.planning.plan import Plan
from mailer.services.planning.prepare import PlanRequest, PreparedIssue, count_deliveries_left, prepare_issue
from mailer.services.planning.schedule import Schedule, make_schedule, refuse_waiting_campaign
from mailer.services.planning.usual_time import usual_time, usual_time_warnings
from mailer.services.sending.canary_request import CanaryRequest, make_requested_canary
from mailer.services.sending.freeze import ChangesSincePlan
from mailer.services.sending.recovery import recover_campaign_if_idle
from mailer.services.sending.result import SendResult
from mailer.services.sending.schedule_issue import refuse_if_campaign_exists, schedule_issue
from mailer.services.sending.send import send_issue
from mailer.services.workspace import Workspace
from mailer.transports.registry import open_transport
from mailer.transports.stop import StopFlag

__all__ = [
    "Proposal",
    "SendOptions",
    "send_proposed_issue",
    "plan_to_send",
    "propose_sending",
    "propose_plan",
    "schedule_proposed_issue",
]

_NOBODY = "no reader would get this issue, so nothing was sent; see the plan for the reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """Holds an operator's options for sending an issue.

    `segment` is an expression or "", `transport` a URL, and `plan_hash` the hash of an approved plan. `at`
    and `at_local` are times as they were typed.
    """

    segment: str = ""
    transport: str | None = None
    at: str | None = None
    at_local: str | None = None
    canary: CanaryRequest | None = None
    plan_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Holds an issue that is ready to be sent, with its schedule and its canary.

    `left` is the number of deliveries that an existing campaign still has to send; None if there is no
    campaign. `trouble` says why the plan could not be stored, or is "".
    """

    prepared: PreparedIssue
    left: int | None
    schedule: Schedule | None = None
    canary: Canary | None = None
    trouble: str = ""

    @property
    def recipient_count(self) -> int:
        """Returns how many people would get the issue now."""
        return self.prepared.plan.recipients if self.left is None else self.left

    def to_json(self, workspace: Workspace) -> dict[str, Any]:
        """Returns the plan as JSON data. If there is a campaign already, this is the plan that was frozen
        with the campaign."""
        document: dict[str, Any] = dict(plan_to_send(self.prepared).to_json())
        existing, outbox_copies = self.prepared.existing, self.prepared.outbox_copies
        if existing is not None:
            document |= {"hash": existing.plan_hash, "status": existing.status, "left": self.left}
        else:
            document["status"] = "new"
        if outbox_copies:
            document["tried_out"] = asdict(outbox_copies)
        usual = usual_time(workspace.settings, self.prepared)
        document["usual_at"] = utc_text(usual) if usual else None
        document["time_warnings"] = self.time_warnings(workspace)
        return {**document, **(self.schedule.to_json() if self.schedule else {})}

    def time_warnings(self, workspace: Workspace) -> list[str]:
        """Returns the warnings about sending at the scheduled time, or now if there is no schedule."""
        if self.schedule is not None:
            return self.schedule.all_warnings()
        if self.prepared.existing is not None:
            return []
        return [*usual_time_warnings(workspace.settings, self.prepared)]


def propose_plan(workspace: Workspace, path: Path, options: SendOptions) -> Proposal:
    """Plans the issue at `path`, and stores the plan so that it can be approved by its hash. Sends
    nothing."""
    new_campaign = options.at is not None or options.at_local is not None
    request = PlanRequest(segment=options.segment, transport=options.transport, new_campaign=new_campaign)
    prepared = prepare_issue(workspace, path, request)
    schedule = make_schedule(workspace, prepared, at=options.at, at_local=options.at_local)
    if schedule is not None:
        refuse_if_campaign_exists(workspace.settings, prepared)
    prepared = _recover_existing_campaign(workspace, prepared)
    left = count_deliveries_left(workspace, prepared)
    trouble = keep_plan(workspace, prepared)
    if trouble:
        warnings = (*prepared.plan.warnings, trouble)
        prepared = replace(prepared, plan=replace(prepared.plan, warnings=warnings))
    return Proposal(prepared, left, schedule, trouble=trouble)


def propose_sending(workspace: Workspace, path: Path, options: SendOptions) -> Proposal:
    """Prepares the issue at `path` for sending. Raises CampaignError, InputError or ConfigError if the
    options do not allow that."""
    new_campaign = any(option is not None for option in (options.at, options.at_local, options.canary))
    request = PlanRequest(
        segment=options.segment,
        transport=options.transport,
        new_campaign=new_campaign,
        plan_hash=options.plan_hash,
    )
    prepared = _recover_existing_campaign(workspace, prepare_issue(workspace, path, request))
    left = count_deliveries_left(workspace, prepared)
    if left != 0:
        open_transport(prepared.plan.transport, workspace.settings)  # raises before a campaign is made
    if left is None and not prepared.plan.recipients:
        raise CampaignError(_NOBODY)
    present = prepared  # of those who were approved, some may have left since
    if options.plan_hash is not None:
        prepared = apply_approved_plan(workspace, prepared, options.plan_hash)
    schedule = make_schedule(workspace, present, at=options.at, at_local=options.at_local)
    canary = make_requested_canary(workspace.settings, prepared, options.canary)
    if schedule is not None:
        refuse_if_campaign_exists(workspace.settings, prepared)
    elif prepared.existing is not None:
        refuse_waiting_campaign(prepared.existing, workspace.settings.publication.zone)
    return Proposal(prepared, left, schedule, canary)


def send_proposed_issue(
    workspace: Workspace,
    proposal: Proposal,
    *,
    stop: StopFlag,
    observe: Callable[[Progress], None],
    on_frozen: Callable[[ChangesSincePlan], None],
) -> SendResult:
    """Sends the proposed issue. The other parameters are those of `send_issue`."""
    return send_issue(
        workspace, proposal.prepared, stop=stop, observe=observe, canary=proposal.canary, on_frozen=on_frozen
    )


def schedule_proposed_issue(
    workspace: Workspace, proposal: Proposal, schedule: Schedule
) -> tuple[Campaign, ChangesSincePlan]:
    """Freezes the proposed issue, which is then sent at the times in `schedule`. Returns what
    `schedule_issue` returns."""
    return schedule_issue(workspace, proposal.prepared, schedule, proposal.canary)


def _recover_existing_campaign(workspace: Workspace, prepared: PreparedIssue) -> PreparedIssue:
    """Settles the claims of a dead run of the existing campaign. Returns the prepared issue with the updated
    campaign."""
    if prepared.existing is None:
        return prepared
    return replace(prepared, existing=recover_campaign_if_idle(workspace, prepared.existing))


def plan_to_send(prepared: PreparedIssue) -> Plan:
    """Returns the plan that will be sent: the existing campaign's plan if there is a campaign, otherwise the
    new plan."""
    plan, existing = prepared.plan, prepared.existing
    if existing is None:
        return plan
    names = {field.name for field in fields(Plan)} - {"transport", "warnings", "since", "hash"}
    # Up to version 0.3.0 every public page showed what most readers got.
    known = {"archive": "variant", **existing.plan}
    return replace(plan, **{name: value for name, value in known.items() if name in names})

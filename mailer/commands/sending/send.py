"""Implements `mailer plan` and `mailer send`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailer.commands.confirmation import YesOption, ask_for_confirmation
from mailer.commands.context import JsonFlag, emit_json, settings_of
from mailer.commands.output import say_changes_since_plan, say_result, show_progress, warn_of_moved_database
from mailer.commands.sending.canary import CanaryOption, HoldOption, canary_rows, canary_warnings
from mailer.commands.sending.plan_text import say_plan
from mailer.commands.sending.schedule import say_scheduled, schedule_rows, start_time_text, usual_time_rows
from mailer.commands.sending.test_copies import check_test_options, send_and_print_test_copies
from mailer.commands.signals import stop_on_signals
from mailer.services.planning.approved_plan import keep_plan
from mailer.services.planning.prepare import PlanRequest, prepare_issue
from mailer.services.planning.schedule import Schedule
from mailer.services.sending.canary_request import read_canary_request
from mailer.services.sending.freeze import ChangesSincePlan
from mailer.services.sending.proposal import (
    Proposal,
    SendOptions,
    propose_plan,
    propose_sending,
    schedule_proposed_issue,
    send_proposed_issue,
)
from mailer.services.workspace import Workspace, open_workspace

__all__ = ["plan", "send"]

IssuePath = Annotated[
    Path,
    typer.Argument(metavar="ISSUE", help="The issue's YAML file, such as issues/2026-11-21-morning.yaml."),
]
SegmentOption = Annotated[
    str,
    typer.Option(
        "--segment", metavar="EXPR", help='Only readers who match, as in: language == "en" and "vip" in tags'
    ),
]
TransportOption = Annotated[
    str | None,
    typer.Option(
        "--transport", metavar="URL", help="How to send: smtp://user@host:587, outbox:PATH or sendgrid:."
    ),
]

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="The time to send at: 2026-11-22T08:00, or 08:00 on the issue's date, or usual for the usual "
        "time of its edition.",
    ),
]
AtLocalOption = Annotated[
    str | None,
    typer.Option(
        "--at-local",
        metavar="HH:MM",
        help="The local time, such as 08:00, at which each reader gets the issue on the issue's date.",
    ),
]
PlanOption = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="HASH",
        help="Send exactly the plan with this hash, to nobody beyond the planned readers.",
    ),
]
TestOption = Annotated[
    list[str] | None,
    typer.Option(
        "--test",
        metavar="ADDRESS",
        help="Send one marked copy to this address, without a campaign; may be given several times.",
    ),
]


def plan(
    context: typer.Context,
    issue: IssuePath,
    segment: SegmentOption = "",
    transport: TransportOption = None,
    at: AtOption = None,
    at_local: AtLocalOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Shows who gets an issue, who does not and why, and its size. Sends nothing."""
    workspace = open_workspace(settings_of(context), for_reading=True)
    options = SendOptions(segment=segment, transport=transport, at=at, at_local=at_local)
    proposal = propose_plan(workspace, issue, options)
    if as_json:
        emit_json(proposal.to_json(workspace))
    else:
        _say_plan(workspace, proposal)


def send(
    context: typer.Context,
    issue: IssuePath,
    yes: Annotated[bool, YesOption] = False,
    plan_hash: PlanOption = None,
    segment: SegmentOption = "",
    transport: TransportOption = None,
    test: TestOption = None,
    at: AtOption = None,
    at_local: AtLocalOption = None,
    canary: CanaryOption = None,
    hold: HoldOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Sends an issue to its readers, or continues its campaign. Nobody gets the issue twice."""
    if test:
        check_test_options(
            has_time=at is not None or at_local is not None, has_plan_hash=plan_hash is not None
        )
    request = read_canary_request(canary, hold, with_test=bool(test), with_at_local=at_local is not None)
    settings = settings_of(context)
    settings.signing_keys()
    workspace = open_workspace(settings)
    if test:
        copies = PlanRequest(segment=segment, transport=transport, include_received=True)
        send_and_print_test_copies(workspace, prepare_issue(workspace, issue, copies), test, as_json=as_json)
        return
    options = SendOptions(
        segment=segment,
        transport=transport,
        at=at,
        at_local=at_local,
        canary=request,
        plan_hash=plan_hash,
    )
    proposal = propose_sending(workspace, issue, options)
    ask = not (yes or plan_hash)
    if proposal.schedule is not None:
        _send_later(workspace, proposal, proposal.schedule, ask=ask, as_json=as_json)
    else:
        _send_now(workspace, proposal, ask=ask, as_json=as_json)


def _send_now(workspace: Workspace, proposal: Proposal, *, ask: bool, as_json: bool) -> None:
    """Sends the proposal now, and exits with status 1 if deliveries are left.

    If `ask` is True, the operator must confirm first. If `as_json` is True, the result is printed as JSON.
    """
    warn_of_moved_database(workspace.db, workspace.settings)
    if proposal.recipient_count:
        if not as_json:
            _say_plan(workspace, proposal)
        if ask:
            _ask_to_confirm(workspace, proposal, proposal.recipient_count, to_stderr=as_json)
    changes = ChangesSincePlan()

    def keep_and_print_changes(since: ChangesSincePlan) -> None:
        nonlocal changes
        changes = since
        if not as_json:
            say_changes_since_plan(since)

    with stop_on_signals() as stop, show_progress(proposal.recipient_count, quiet=as_json) as observe:
        result = send_proposed_issue(
            workspace, proposal, stop=stop, observe=observe, on_frozen=keep_and_print_changes
        )
    if as_json:
        emit_json({**result.to_json(), **changes.to_json()})
    else:
        say_result(workspace.settings, result)
    if result.is_unfinished:
        raise typer.Exit(1)


def _send_later(
    workspace: Workspace, proposal: Proposal, schedule: Schedule, *, ask: bool, as_json: bool
) -> None:
    """Freezes the proposal as a campaign that is sent at the time of `schedule`.

    If `ask` is True, the operator must confirm first. If `as_json` is True, the result is printed as JSON.
    """
    settings, recipients = workspace.settings, proposal.prepared.plan.recipients
    if not as_json:
        _say_plan(workspace, proposal)
    if ask:
        _ask_to_confirm(
            workspace, proposal, recipients, to_stderr=as_json, time_text=start_time_text(settings, schedule)
        )
    campaign, since = schedule_proposed_issue(workspace, proposal, schedule)
    if as_json:
        document = {"slug": campaign.slug, "status": campaign.status, **schedule.to_json(), **since.to_json()}
        counts = workspace.spools.open(campaign).delivery_counts_by_state()
        emit_json({**document, "counts": counts, "plan": campaign.plan})
    else:
        say_changes_since_plan(since)
        say_scheduled(settings, campaign, schedule)


def _say_plan(workspace: Workspace, proposal: Proposal) -> None:
    """Prints the plan of the proposal, with the schedule and the canary."""
    rows: list[str] = []
    settings, prepared, schedule = workspace.settings, proposal.prepared, proposal.schedule
    warnings = proposal.time_warnings(workspace)
    if schedule is not None:
        rows += schedule_rows(settings, prepared, schedule)
    elif prepared.existing is None:
        rows += usual_time_rows(settings, prepared)
    if proposal.canary is not None:
        rows += canary_rows(settings, prepared, proposal.canary)
        warnings += canary_warnings(prepared, proposal.canary)
    left = None if schedule is not None else proposal.left
    say_plan(prepared, left, extra_rows=rows, extra_warnings=warnings)


def _ask_to_confirm(
    workspace: Workspace, proposal: Proposal, recipients: int, *, to_stderr: bool, time_text: str = "now"
) -> None:
    """Asks the operator to confirm the plan, and keeps the plan so that `--plan` can send it later.

    The question shows `recipients`, the number of readers, and `time_text`, the time of sending. If
    `to_stderr` is True, it is printed on standard error.
    """
    known = not keep_plan(workspace, proposal.prepared)
    exactly = f", or --plan {proposal.prepared.plan.hash} to send exactly this plan" if known else ""
    people = "person" if recipients == 1 else "people"
    ask_for_confirmation(
        f"Send it to {recipients:,} {people} {time_text}?",
        unattended_error=f"standard input is not a terminal, so nobody can confirm; add --yes{exactly}",
        declined_message="Nothing was sent.",
        to_stderr=to_stderr,
    )

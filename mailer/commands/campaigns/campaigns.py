"""Implements the commands `list`, `show`, `pause`, `cancel` and `verify` of `mailer campaigns`."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.campaign.canary import canary_of
from mailer.campaign.delivery_state import STATES
from mailer.campaign.due import LATE
from mailer.campaign.status import Status
from mailer.campaign.times import format_time
from mailer.clock import now, utc_text
from mailer.commands.confirmation import YesOption, ask_for_confirmation
from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.output import say_failure_reasons, say_state_counts
from mailer.config import Settings
from mailer.services.campaigns.decisions import cancel_campaign, pause_campaign
from mailer.services.campaigns.documents import (
    CampaignDetails,
    CampaignOverview,
    campaign_details,
    campaign_overview,
    list_campaign_overviews,
)
from mailer.services.campaigns.verification import verify_by_slug
from mailer.services.workspace import Workspace, open_workspace
from mailer.transports.registry import is_folder_transport

__all__ = ["cancel", "list_campaigns", "pause", "show", "verify"]

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The campaign's name, such as 2026-11-21-morning.")]


def _status_remark(settings: Settings, overview: CampaignOverview) -> str:
    """Returns the end of a campaign's line in the list: when the campaign continues, or what it waits for."""
    campaign, zone = overview.campaign, settings.publication.zone
    overdue = campaign.status is Status.HELD and campaign.held_until < utc_text(now() - LATE)
    if campaign.status is Status.PAUSED or overdue:
        return "  [waits for `mailer campaigns resume`]"
    if overview.resumes_at and campaign.status in (Status.HELD, Status.STOPPED):
        return f"  [goes on {format_time(overview.resumes_at, zone)}]"
    match campaign.status:
        case Status.SENDING:
            return "  [is being sent]"
        case Status.SENT if is_folder_transport(campaign.transport):
            return f"  [in {campaign.transport} only, which reached nobody]"
        case Status.MISSED:
            return "  [missed its time; `mailer campaigns resume` sends it]"
        case Status.STOPPED if overview.deliveries_left:
            return f"  [waits for `mailer send {campaign.issue}`]"
        case Status.READY:
            return f"  [`mailer send {campaign.issue}` begins it]"
        case Status.SCHEDULED if campaign.due_at:
            hour = f", each reader's {campaign.local_time}" if campaign.local_time else ""
            return f"  [due {format_time(campaign.due_at, zone)}{hour}]"
    return ""


def list_campaigns(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Lists all campaigns, newest first."""
    workspace = open_workspace(settings_of(context), for_reading=True)
    found = list_campaign_overviews(workspace)
    if as_json:
        emit_json([overview.to_json() for overview in found])
        return
    for overview in found:
        campaign = overview.campaign
        accepted, total = overview.counts["accepted"], sum(overview.counts.values())
        say(
            f"{campaign.slug:<28} {campaign.status:<10} {accepted:>9,} of {total:,}  "
            f"{campaign.subject}{_status_remark(workspace.settings, overview)}"
        )
    if not found:
        say("There is no campaign yet. `mailer send ISSUE` makes one.")


def show(context: typer.Context, slug: Slug, as_json: JsonFlag = False) -> None:
    """Shows a campaign's plan, counts and reasons for failed deliveries."""
    workspace = open_workspace(settings_of(context), for_reading=True)
    details = campaign_details(workspace, slug)
    if as_json:
        emit_json(details.to_json())
    else:
        _say_campaign_details(workspace.settings, details)


def _say_campaign_details(settings: Settings, details: CampaignDetails) -> None:
    campaign, counts = details.overview.campaign, details.overview.counts
    zone = settings.publication.zone
    say(
        f"{campaign.slug}: {campaign.status}" + (f" ({campaign.status_note})" if campaign.status_note else "")
    )
    say(f"  issue      {campaign.issue}")
    say(f"  subject    {campaign.subject}")
    say(f"  from       {details.sender}")
    say(f"  plan       {campaign.plan_hash}")
    say(f"  by         {campaign.transport}")
    for row in _schedule_rows(settings, details):
        say(row)
    for label, moment in (("started", campaign.started_at), ("finished", campaign.finished_at)):
        say(f"  {label:<10} {format_time(moment, zone) if moment else 'not yet'}")
    say_state_counts(counts)
    if details.in_folder:
        say(f"  {details.in_folder:,} got the issue in {campaign.transport} only, which reached nobody")
    say_failure_reasons(details.reasons, campaign)
    if details.note:
        say(f"  {details.note}")


def _schedule_rows(settings: Settings, details: CampaignDetails) -> list[str]:
    """Returns the lines about a campaign's due time and canary, about readers whose scheduled time
    was missed, and about the next time of sending."""
    campaign, zone = details.overview.campaign, settings.publication.zone
    rows: list[str] = []
    if campaign.due_at:
        hour = f", at each reader's {campaign.local_time}" if campaign.local_time else ""
        rows.append(f"  due        {format_time(campaign.due_at, zone)}{hour}")
    if details.missed:
        resume_it = f"`mailer campaigns resume {campaign.slug}`"
        rows.append(f"  missed     {details.missed:,} missed their time; {resume_it} sends it to them now")
    if (canary := canary_of(campaign)) is not None:
        total = sum(details.overview.counts.values())
        rows.append(f"  first      {canary.number:,} of {total:,} ({canary.share * 100:g}%)")
    if details.overview.resumes_at:
        rows.append(f"  goes on    {format_time(details.overview.resumes_at, zone)}")
    return rows


def pause(context: typer.Context, slug: Slug, as_json: JsonFlag = False) -> None:
    """Pauses a running campaign; `resume` continues it."""
    workspace = open_workspace(settings_of(context))
    ended = pause_campaign(workspace, slug)
    _say_new_status(workspace, slug, ended, as_json)


def cancel(
    context: typer.Context, slug: Slug, yes: Annotated[bool, YesOption] = False, as_json: JsonFlag = False
) -> None:
    """Cancels a campaign for good. Unsent deliveries stay unsent. On a terminal the command asks first."""
    workspace = open_workspace(settings_of(context))
    if not yes:
        workspace.spools.find(slug)
        ask_for_confirmation(
            f"Cancel campaign {slug} for good? What it has not sent stays unsent.",
            unattended_error=None,  # scripts cancel without being asked
            declined_message="Nothing was changed.",
            to_stderr=as_json,
        )
    ended = cancel_campaign(workspace, slug)
    _say_new_status(workspace, slug, ended, as_json)


def _say_new_status(workspace: Workspace, slug: str, run_has_ended: bool, as_json: bool) -> None:
    """Prints the state of a campaign that was paused or cancelled just now.

    `run_has_ended` is False if a run of the campaign has not stopped yet.
    """
    if as_json:
        emit_json(campaign_details(workspace, slug).to_json())
        return
    overview = campaign_overview(workspace, slug)
    counts = overview.counts
    say(f"Campaign {slug} is {overview.campaign.status}.")
    if not run_has_ended:
        say("A run of the campaign still waits for a server's answer, and ends when the answer comes.")
    elif any(counts[state] for state in STATES if state != "pending"):
        say_state_counts(counts)
    if counts["uncertain"]:
        say(f"`mailer campaigns resolve {slug}` settles the uncertain deliveries.")


def verify(context: typer.Context, slug: Slug, as_json: JsonFlag = False) -> None:
    """Compares a campaign's folder with what was sent."""
    result = verify_by_slug(settings_of(context), slug)
    if as_json:
        emit_json(result.to_json())
    else:
        for sentence in (*result.problems, *result.notes):
            say(sentence)
        if result.is_unchanged:
            same = "" if result.notes else ", and renders to the same bytes"
            say(f"campaigns/{slug} holds what was sent{same}.")
    if not result.is_unchanged:
        raise typer.Exit(1)

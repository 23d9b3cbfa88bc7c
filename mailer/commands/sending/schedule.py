"""Implements `mailer run-due`, and prints what `send --at` schedules."""

from __future__ import annotations

from typing import Any

import typer

from mailer.campaign.campaign import Campaign
from mailer.campaign.times import format_time
from mailer.commands.context import JsonFlag, emit_json, say, settings_of, warn
from mailer.commands.signals import stop_on_signals
from mailer.config import Settings
from mailer.services.due.send_due import send_due_campaigns as send_due
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.schedule import Schedule
from mailer.services.planning.usual_time import usual_time
from mailer.services.workspace import open_workspace

__all__ = ["run_due", "say_scheduled", "schedule_rows", "usual_time_rows", "start_time_text"]

_SHOWN_SLOTS = 12


def run_due(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Sends the campaigns that are due, and retries deferred mail.

    Run this command from cron, every minute if you like. It prints nothing when nothing is due.
    """
    settings = settings_of(context)
    settings.signing_keys()
    workspace = open_workspace(settings)
    zone = settings.publication.zone
    documents: list[dict[str, Any]] = []
    is_complete = True
    defect: BaseException | None = None
    with stop_on_signals() as stop:
        for done in send_due(workspace, stop=stop, warn=warn):
            is_complete = is_complete and done.is_complete
            defect = defect or done.defect
            if as_json:
                documents.append(done.to_json())
            else:
                say(done.summary(zone), err=bool(done.error))
    if as_json:
        emit_json(documents)
    if defect is not None:
        raise defect
    if not is_complete:
        raise typer.Exit(1)


def start_time_text(settings: Settings, schedule: Schedule) -> str:
    """Returns the time of sending as text, such as `at Sat 21 Nov 2026 …` or `at each reader's 07:00`."""
    if schedule.local_time:
        return f"at each reader's {schedule.local_time}"
    return f"at {format_time(schedule.due_at, settings.publication.zone)}"


def schedule_rows(settings: Settings, prepared: PreparedIssue, schedule: Schedule) -> list[str]:
    """Returns the lines of a plan about the time of sending.

    For a schedule by each reader's local time, the lines give the number of readers at each time.
    """
    zone = settings.publication.zone
    if not schedule.local_time:
        meant = f", {schedule.meant}" if schedule.meant else ""
        return [f"Goes out   {format_time(schedule.due_at, zone)}{meant}"]
    rows = [
        f"Goes out   at each reader's {schedule.local_time} of {prepared.plan.date}; in {zone.key} that is:"
    ]
    shown, more = schedule.slots[:_SHOWN_SLOTS], schedule.slots[_SHOWN_SLOTS:]
    widest = max((len(f"{readers:,}") for _, readers in shown), default=0)
    for due_at, readers in shown:
        rows.append(f"           {readers:>{widest},}  {format_time(due_at, zone, with_zone=False)}")
    if more:
        readers = sum(number for _, number in more)
        rows.append(
            f"           {readers:,} later, the last {format_time(more[-1][0], zone, with_zone=False)}"
        )
    return rows


def usual_time_rows(settings: Settings, prepared: PreparedIssue) -> list[str]:
    """Returns the line of a plan about the edition's usual time of sending, in a list; [] if it has none."""
    at = usual_time(settings, prepared)
    return [] if at is None else [f"Usual time {format_time(at, settings.publication.zone)}"]


def say_scheduled(settings: Settings, campaign: Campaign, schedule: Schedule) -> None:
    """Prints that a campaign is scheduled, and the commands that send or cancel the campaign."""
    slug = campaign.slug
    begins = (
        f", from {format_time(schedule.due_at, settings.publication.zone)} on" if schedule.local_time else ""
    )
    say(f"Campaign {slug} is scheduled: it goes out {start_time_text(settings, schedule)}{begins}.")
    say("A running `mailer serve`, or `mailer run-due` (for cron), sends the campaign then.")
    say(f"`mailer campaigns resume {slug}` sends it now, `mailer campaigns cancel {slug}` drops it.")

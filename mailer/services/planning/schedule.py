"""Computes when an issue is sent: at one time for all readers, or at a local time in the zone of each
reader."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from mailer.audience.values.cells import timezone_name
from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.campaign.times import (
    FARTHEST,
    format_time,
    is_time_of_day,
    local_to_utc,
    parse_send_time,
    parse_time_of_day,
)
from mailer.clock import now, utc_now, utc_text
from mailer.config import Settings
from mailer.errors import AudienceError, CampaignError, InputError
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.recipients import time_zones_of
from mailer.services.planning.usual_time import USUAL, require_usual_time
from mailer.services.workspace import Workspace

__all__ = ["Schedule", "refuse_waiting_campaign", "make_schedule", "waiting_campaign_note"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Holds the due times of a campaign. All times are UTC texts, as the database stores them.

    The campaign begins at `due_at`. With `local_time`, such as `08:00`, each reader's due time depends on the
    time zone: `by_zone` maps zone names to due times, and `otherwise` is the due time for all other zones.
    `slots` counts the readers of each due time, the earliest first. `at_once` counts readers for whom the
    local time has already passed. `meant` says how an incomplete time was completed, such as "the issue's
    date".
    """

    due_at: str
    local_time: str = ""
    by_zone: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    slots: tuple[tuple[str, int], ...] = ()
    at_once: int = 0
    meant: str = ""
    warnings: tuple[str, ...] = ()

    def due_time_in(self, timezone: str) -> str:
        """Returns the due time (UTC) of a reader in the time zone with that name."""
        return self.by_zone.get(timezone, self.otherwise)

    def all_warnings(self) -> list[str]:
        """Returns the warnings about sending at these times."""
        warnings = list(self.warnings)
        if self.at_once:
            warnings.append(
                f"{self.local_time} has already passed for {self.at_once:,} of the readers: "
                "they get the issue at once"
            )
        return warnings

    def to_json(self) -> dict[str, object]:
        """Returns the schedule as JSON data. The campaign's manifest holds the same data."""
        slots = [{"due_at": due_at, "readers": readers} for due_at, readers in self.slots]
        return {"due_at": self.due_at, "local_time": self.local_time, "slots": slots}


def make_schedule(
    workspace: Workspace, prepared: PreparedIssue, *, at: str | None, at_local: str | None
) -> Schedule | None:
    """Returns the schedule for the options `--at` and `--at-local`; None if neither was given. `at` and
    `at_local` are the values as typed. Raises InputError."""
    if at is not None and at_local is not None:
        raise InputError(
            "use either --at (one time for all) or --at-local (each reader's local time), not both"
        )
    if at is not None:
        moment, meant = _resolve_send_time(workspace.settings, prepared, at)
        return Schedule(
            utc_text(moment), meant=meant, warnings=_send_date_warnings(workspace, prepared, moment)
        )
    if at_local is not None:
        return _make_local_schedule(workspace, prepared, parse_time_of_day(at_local))
    return None


def _resolve_send_time(settings: Settings, prepared: PreparedIssue, at: str) -> tuple[dt.datetime, str]:
    """Returns the time that `--at` means, and a note on how an incomplete time was completed, or ""."""
    zone, issue = settings.publication.zone, prepared.loaded.issue
    if at == USUAL:
        return require_usual_time(settings, prepared), f"the usual time of {issue.edition}"
    moment = parse_send_time(at, zone, now(), issue.date)
    if not is_time_of_day(at):
        return moment, ""
    of_the_issue = moment.astimezone(zone).date() == issue.date
    return moment, "the issue's date" if of_the_issue else f"the next time it is {at}"


def _make_local_schedule(workspace: Workspace, prepared: PreparedIssue, time_of_day: dt.time) -> Schedule:
    """Returns a schedule with a due time for each time zone of the readers. For a reader in an unknown time
    zone, the workspace's time zone is used."""
    here, day = workspace.settings.publication.zone, prepared.loaded.issue.date
    moment = now()
    by_zone: dict[str, dt.datetime] = {}
    readers: Counter[dt.datetime] = Counter()
    home = local_to_utc(day, time_of_day, here)
    for name, number in Counter(zone for _, zone in time_zones_of(workspace, prepared.people)).items():
        zone = _find_time_zone(name)
        if zone is not None:
            by_zone[name] = local_to_utc(day, time_of_day, zone)
        readers[by_zone.get(name, home)] += number
    last = max(readers, default=home)
    if last <= moment:
        raise InputError(
            f"{time_of_day:%H:%M} on {day} has passed for every reader "
            f"(the last was {format_time(last, here)}); leave --at-local out to send now"
        )
    if last - moment > FARTHEST:
        raise InputError(f"the issue is dated {day}, which is more than a year away; check the year")
    # Readers for whom that time has passed get it with the first group.
    at_once = sum(number for due, number in readers.items() if due <= moment)
    times = {due: utc_text(max(due, moment)) for due in (*readers, home)}
    slots: Counter[str] = Counter()
    for due, number in readers.items():
        slots[times[due]] += number
    return Schedule(
        due_at=min(slots, default=times[home]),
        local_time=f"{time_of_day:%H:%M}",
        by_zone={name: times[due] for name, due in by_zone.items()},
        otherwise=times[home],
        slots=tuple(sorted(slots.items())),
        at_once=at_once,
    )


def _find_time_zone(name: str) -> ZoneInfo | None:
    """Returns the time zone with that name; None for "" and for unknown names, which old imports may have
    stored."""
    try:
        known = timezone_name(name)
    except AudienceError:
        return None
    return ZoneInfo(known) if known else None


def _send_date_warnings(
    workspace: Workspace, prepared: PreparedIssue, send_time: dt.datetime
) -> tuple[str, ...]:
    zone, issue = workspace.settings.publication.zone, prepared.loaded.issue
    day = send_time.astimezone(zone).date()
    warnings: list[str] = []
    if day != issue.date:
        warnings.append(f"the issue is dated {issue.date}, but is sent on {day}")
    for other in workspace.spools.campaigns():
        if other.edition != issue.edition or other.status is Status.CANCELLED or not other.due_at:
            continue
        same_day = dt.datetime.fromisoformat(other.due_at).astimezone(zone).date() == day
        # The plan itself warns about an issue of the same date.
        if same_day and other.issue_date != issue.date.isoformat():
            warnings.append(
                f"another {other.edition} issue is sent on the same day: campaign {other.slug}, "
                f"{format_time(other.due_at, zone)}"
            )
    return tuple(warnings)


def waiting_campaign_note(campaign: Campaign, zone: ZoneInfo) -> str:
    """Returns the beginning of a sentence about a waiting campaign: when it is due, or that it missed its
    time."""
    if campaign.status is Status.MISSED:
        return f"campaign {campaign.slug} missed its time ({campaign.status_note})"
    hour = f", at each reader's {campaign.local_time}" if campaign.local_time else ""
    when = format_time(campaign.due_at, zone)
    if campaign.started_at is not None and campaign.local_time:
        return f"campaign {campaign.slug} goes on at {when}{hour}"
    if campaign.due_at <= utc_now():
        why = f" ({campaign.status_note})" if campaign.status_note else ""
        return f"campaign {campaign.slug} was due {when}{hour} and is tried again{why}"
    return f"campaign {campaign.slug} is scheduled for {when}{hour}"


def refuse_waiting_campaign(campaign: Campaign, zone: ZoneInfo) -> None:
    """Raises CampaignError if a campaign waits for its scheduled time or missed it. The message says what to
    do."""
    if campaign.status not in (Status.SCHEDULED, Status.MISSED):
        return
    slug = campaign.slug
    raise CampaignError(
        f"{waiting_campaign_note(campaign, zone)}; `mailer campaigns resume {slug}` sends it now, "
        f"`mailer campaigns cancel {slug}` cancels it"
    )

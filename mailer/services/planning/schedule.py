"""When an issue goes out: at a time, or in each reader's own morning. `freeze` writes it down."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from mailer.audience.values.cells import timezone_name
from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.campaign.times import FARTHEST, in_words, is_hour, parse_at, parse_hour, utc_of
from mailer.config import Settings
from mailer.errors import AudienceError, CampaignError, InputError
from mailer.services.planning.prepare import Prepared
from mailer.services.planning.recipients import zones_of
from mailer.services.planning.usual_time import USUAL, next_usual_time
from mailer.services.workspace import Workspace
from mailer.store.database import now, utc_now, utc_text

__all__ = ["Schedule", "check_unscheduled", "make_schedule", "what_waits"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a campaign is due. Times are UTC, as the database keeps them.

    `due_at` is when it begins. With `local_time` (`08:00`) every reader has a time of their own: `by_zone`
    says which by the zone's name, `otherwise` for every other name, and `slots` counts the readers of each
    time, earliest first; `at_once` of them have had that hour already. `meant` says how a time was understood
    that was not written in full, such as "the issue's date".
    """

    due_at: str
    local_time: str = ""
    by_zone: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    slots: tuple[tuple[str, int], ...] = ()
    at_once: int = 0
    meant: str = ""
    warnings: tuple[str, ...] = ()

    def slot_in(self, timezone: str) -> str:
        """When a reader in the time zone of that name is due."""
        return self.by_zone.get(timezone, self.otherwise)

    def all_warnings(self) -> list[str]:
        """Returns what to think about before a plan goes out at such a time."""
        warnings = list(self.warnings)
        if self.at_once:
            warnings.append(
                f"it is past {self.local_time} for {self.at_once:,} of them already: they get it at once"
            )
        return warnings

    def to_json(self) -> dict[str, object]:
        """Returns the schedule as JSON data; also what the campaign's manifest says."""
        slots = [{"due_at": due_at, "readers": readers} for due_at, readers in self.slots]
        return {"due_at": self.due_at, "local_time": self.local_time, "slots": slots}


def make_schedule(
    workspace: Workspace, prepared: Prepared, *, at: str | None, at_local: str | None
) -> Schedule | None:
    """What `--at` and `--at-local` ask for; None without either. Raises InputError with what is wrong."""
    if at is not None and at_local is not None:
        raise InputError("choose one of --at (one time for all) and --at-local (each reader's own)")
    if at is not None:
        moment, meant = _moment(workspace.settings, prepared, at)
        return Schedule(utc_text(moment), meant=meant, warnings=_warnings(workspace, prepared, moment))
    if at_local is not None:
        return _local(workspace, prepared, parse_hour(at_local))
    return None


def _moment(settings: Settings, prepared: Prepared, text: str) -> tuple[dt.datetime, str]:
    """When `--at` is, and how it was understood where it was not written in full."""
    zone, issue = settings.publication.zone, prepared.loaded.issue
    if text == USUAL:
        return next_usual_time(settings, prepared), f"the usual time of {issue.edition}"
    moment = parse_at(text, zone, now(), issue.date)
    if not is_hour(text):
        return moment, ""
    of_the_issue = moment.astimezone(zone).date() == issue.date
    return moment, "the issue's date" if of_the_issue else f"the next time it is {text}"


def _local(workspace: Workspace, prepared: Prepared, hour: dt.time) -> Schedule:
    """One time for each zone there is among the readers; a zone that is none counts as the workspace's."""
    here, day = workspace.settings.publication.zone, prepared.loaded.issue.date
    moment = now()
    by_zone: dict[str, dt.datetime] = {}
    readers: Counter[dt.datetime] = Counter()
    home = utc_of(day, hour, here)
    for name, number in Counter(zone for _, zone in zones_of(workspace, prepared.people)).items():
        zone = _zone(name)
        if zone is not None:
            by_zone[name] = utc_of(day, hour, zone)
        readers[by_zone.get(name, home)] += number
    last = max(readers, default=home)
    if last <= moment:
        raise InputError(
            f"it is past {hour:%H:%M} of {day} for every reader (the last was {in_words(last, here)}); "
            "leave --at-local out to send now"
        )
    if last - moment > FARTHEST:
        raise InputError(f"the issue is of {day}, more than a year away; is the year right?")
    # Who has had that hour already gets it with the first.
    at_once = sum(number for due, number in readers.items() if due <= moment)
    times = {due: utc_text(max(due, moment)) for due in (*readers, home)}
    slots: Counter[str] = Counter()
    for due, number in readers.items():
        slots[times[due]] += number
    return Schedule(
        due_at=min(slots, default=times[home]),
        local_time=f"{hour:%H:%M}",
        by_zone={name: times[due] for name, due in by_zone.items()},
        otherwise=times[home],
        slots=tuple(sorted(slots.items())),
        at_once=at_once,
    )


def _zone(name: str) -> ZoneInfo | None:
    """The zone of that name; None for "", and for what an import of long ago may have left there."""
    try:
        known = timezone_name(name)
    except AudienceError:
        return None
    return ZoneInfo(known) if known else None


def _warnings(workspace: Workspace, prepared: Prepared, moment: dt.datetime) -> tuple[str, ...]:
    zone, issue = workspace.settings.publication.zone, prepared.loaded.issue
    day = moment.astimezone(zone).date()
    warnings: list[str] = []
    if day != issue.date:
        warnings.append(f"the issue is of {issue.date}, and goes out on {day}")
    for other in workspace.spools.campaigns():
        if other.edition != issue.edition or other.status is Status.CANCELLED or not other.due_at:
            continue
        same_day = dt.datetime.fromisoformat(other.due_at).astimezone(zone).date() == day
        # An issue of the same date is warned of by the plan itself.
        if same_day and other.issue_date != issue.date.isoformat():
            warnings.append(
                f"the {other.edition} edition is sent that day already: campaign {other.slug}, "
                f"{in_words(other.due_at, zone)}"
            )
    return tuple(warnings)


def what_waits(campaign: Campaign, zone: ZoneInfo) -> str:
    """A sentence's beginning about a campaign that waits: when it is due, or that it missed that."""
    if campaign.status is Status.MISSED:
        return f"campaign {campaign.slug} missed its time ({campaign.status_note})"
    hour = f", at each reader's {campaign.local_time}" if campaign.local_time else ""
    when = in_words(campaign.due_at, zone)
    if campaign.started_at is not None and campaign.local_time:
        return f"campaign {campaign.slug} goes on at {when}{hour}"
    if campaign.due_at <= utc_now():
        why = f" ({campaign.status_note})" if campaign.status_note else ""
        return f"campaign {campaign.slug} was due {when}{hour} and is tried again{why}"
    return f"campaign {campaign.slug} is scheduled for {when}{hour}"


def check_unscheduled(campaign: Campaign, zone: ZoneInfo) -> None:
    """Raises CampaignError, with what to do, where a campaign waits for its time or missed it."""
    if campaign.status not in (Status.SCHEDULED, Status.MISSED):
        return
    slug = campaign.slug
    raise CampaignError(
        f"{what_waits(campaign, zone)}; `mailer campaigns resume {slug}` sends it now, "
        f"`mailer campaigns cancel {slug}` drops it"
    )

"""Computes the usual sending time of an edition: the setting `time` of `[editions.X]`, on the issue's date,
in the workspace's time zone."""

from __future__ import annotations

import datetime as dt

from mailer.campaign.times import check_within_next_year, local_to_utc
from mailer.clock import now
from mailer.config import Settings
from mailer.errors import InputError
from mailer.services.planning.prepare import PreparedIssue

__all__ = ["USUAL", "require_usual_time", "usual_time", "usual_time_warnings"]

#: The word for that time in `--at`.
USUAL = "usual"
#: Sending this much earlier or later gives a warning.
_SLACK = dt.timedelta(hours=1)


def usual_time(settings: Settings, prepared: PreparedIssue) -> dt.datetime | None:
    """Returns when an issue of this edition and date is usually sent (UTC); None if the edition has no usual
    time."""
    issue = prepared.loaded.issue
    hour = settings.editions[issue.edition].time
    return None if hour is None else local_to_utc(issue.date, hour, settings.publication.zone)


def require_usual_time(settings: Settings, prepared: PreparedIssue) -> dt.datetime:
    """Returns the usual time, for `--at usual`. Raises InputError if the edition has none, or if it has
    passed."""
    at = usual_time(settings, prepared)
    if at is None:
        edition = prepared.loaded.issue.edition
        raise InputError(
            f"the {edition} edition has no usual time; write a time, as in --at 08:00, or add "
            f'time = "08:00" under [editions.{edition}] of mailer.toml'
        )
    check_within_next_year(at, settings.publication.zone, now())
    return at


def usual_time_warnings(settings: Settings, prepared: PreparedIssue) -> tuple[str, ...]:
    """Returns a warning if sending now is more than an hour before or after the usual time."""
    at = usual_time(settings, prepared)
    if at is None or abs(at - now()) <= _SLACK:
        return ()
    edition = prepared.loaded.issue.edition
    if at > now():
        before = f"now is {_duration_text(at - now())} before the usual time of {edition}"
        return (f"{before}; `--at {USUAL}` waits for that time",)
    return (f"now is {_duration_text(now() - at)} after the usual time of {edition}",)


def _duration_text(duration: dt.timedelta) -> str:
    minutes = duration // dt.timedelta(minutes=1)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // 1440} days"

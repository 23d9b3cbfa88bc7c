"""Computes the calendar minute, hour or day that contains a given time, in a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["date_in_zone", "calendar_window_of"]


def calendar_window_of(unit: str, moment: float, zone: tzinfo) -> tuple[float, float]:
    """Returns the beginning and the end of the window that contains `moment` (all in seconds since 1970).

    `unit` is `m`, `h` or `d`. An hour that clocks show twice counts as two hours. A day may have 23 or 25
    hours.
    """
    begins = _window_start(unit, moment, zone)
    if unit == "d":
        tomorrow = datetime.fromtimestamp(begins, zone).date() + timedelta(days=1)
        return begins, datetime.combine(tomorrow, time(), zone).astimezone(UTC).timestamp()
    step = 60.0 if unit == "m" else 3600.0
    ends = begins + step
    while _window_start(unit, ends, zone) <= begins:  # in some zones daylight saving time is half an hour
        ends += step / 2
    return begins, ends


def date_in_zone(moment: float, zone: tzinfo) -> date:
    """Returns the date of a time (seconds since 1970) in a time zone."""
    return datetime.fromtimestamp(moment, zone).date()


def _window_start(unit: str, moment: float, zone: tzinfo) -> float:
    local = datetime.fromtimestamp(moment, zone).replace(second=0, microsecond=0)
    if unit == "h":
        local = local.replace(minute=0)
    elif unit == "d":
        local = local.replace(hour=0, minute=0, fold=0)
    return local.astimezone(UTC).timestamp()

"""Computes the calendar minute, hour or day of a moment, in a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["day_of", "window_of"]


def window_of(unit: str, moment: float, zone: tzinfo) -> tuple[float, float]:
    """Returns when the window that contains `moment` begins and ends (seconds since 1970). `unit` is m, h or
    d.

    An hour that clocks show twice counts as two hours. A day may have 23 or 25 hours.
    """
    begins = _begins(unit, moment, zone)
    if unit == "d":
        tomorrow = datetime.fromtimestamp(begins, zone).date() + timedelta(days=1)
        return begins, datetime.combine(tomorrow, time(), zone).astimezone(UTC).timestamp()
    step = 60.0 if unit == "m" else 3600.0
    ends = begins + step
    while _begins(unit, ends, zone) <= begins:  # some clocks go back by half an hour
        ends += step / 2
    return begins, ends


def day_of(moment: float, zone: tzinfo) -> date:
    """The local date of a moment."""
    return datetime.fromtimestamp(moment, zone).date()


def _begins(unit: str, moment: float, zone: tzinfo) -> float:
    local = datetime.fromtimestamp(moment, zone).replace(second=0, microsecond=0)
    if unit == "h":
        local = local.replace(minute=0)
    elif unit == "d":
        local = local.replace(hour=0, minute=0, fold=0)
    return local.astimezone(UTC).timestamp()

"""The minute, the hour and the day of a moment, as a calendar on the wall shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["day_of", "window_of"]


def window_of(unit: str, moment: float, zone: tzinfo) -> tuple[float, float]:
    """When the window that holds `moment` begins and ends (seconds since 1970). `unit` is m, h or d.

    An hour that a clock shows twice is two hours, and a day is as long as it is: 23 hours, or 25.
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

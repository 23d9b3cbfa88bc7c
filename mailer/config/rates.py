"""Parses the values of sending limits in mailer.toml: rates, daily limits, dates, shares and time spans."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import BeforeValidator

from mailer.config.fields import FrozenModel

__all__ = [
    "DailyLimits",
    "Date",
    "HoldTime",
    "Rate",
    "RateLimits",
    "Share",
    "TimeSpan",
    "parse_hold_time",
    "parse_share",
    "parse_time_span",
]

_RATE = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*/\s*(s|m|h|d)\s*")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SHARE = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*")
_TIME_SPAN = re.compile(r"\s*([0-9]{1,6})\s*(s|m|h|d)\s*")
_NOUNS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_ARTICLES = {"h": "an"}
_MAX_TIME_SPAN = 10 * 86400.0


class Rate(FrozenModel):
    """Allows `count` messages in each period of `seconds`. "20/m" allows 20 messages in 60 seconds."""

    count: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.count:g}/{self.unit}"

    @property
    def unit(self) -> str:
        """Returns the unit of time: `s`, `m`, `h` or `d`."""
        return next(unit for unit, seconds in _SECONDS.items() if seconds == self.seconds)

    @property
    def in_words(self) -> str:
        """Returns the rate as words, such as `20,000 an hour`."""
        count = f"{self.count:,.0f}" if self.count == int(self.count) else f"{self.count:,g}"
        return f"{count} {_ARTICLES.get(self.unit, 'a')} {_NOUNS[self.unit]}"


def _parse_rate(value: object) -> Rate:
    if isinstance(value, Rate):
        return value
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not match or float(match[1]) <= 0:
        raise ValueError(f'"{value}" is not a rate such as "20/s" (s, m, h or d)')
    rate = Rate(count=float(match[1]), seconds=_SECONDS[match[2]])
    if rate.unit != "s" and rate.count != int(rate.count):
        raise ValueError(
            f'"{value}" must have a whole number of messages; only a rate per second, such as "0.2/s", may '
            "have a fraction"
        )
    return rate


def _parse_rate_limits(value: object) -> object:
    """Returns a tuple of rates. `value` is a rate, a list of rates, or a text with rates between commas."""
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, Rate):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise ValueError(f'"{value}" is not a rate such as "20/s" (s, m, h or d), nor a list of them')
    rates = tuple(_parse_rate(each) for each in value)
    units = [rate.unit for rate in rates]
    for unit in units:
        if units.count(unit) > 1:
            raise ValueError(
                f"has two limits for {_ARTICLES.get(unit, 'a')} {_NOUNS[unit]}; remove one of them"
            )
    return rates


def _parse_daily_limits(value: object) -> object:
    if isinstance(value, str):  # as it comes from the environment
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)):
        raise ValueError("is not a list of messages a day such as [500, 1000, 2000]")
    days = [int(n) if isinstance(n, str) and n.isdecimal() and len(n) < 13 else n for n in value]
    for number in days:
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f'"{number}" is not a number of messages a day such as 500')
    return tuple(days)


def _parse_date(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise ValueError(f'"{value}" is not a day such as 2026-11-21')


def parse_share(value: object) -> float:
    """Returns a percentage as a number from 0 to 1: 0.05 for `5%`. Raises ValueError for anything else."""
    if isinstance(value, float) and 0 < value <= 1:
        return value
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if not match or not 0 < float(match[1]) <= 100:
        raise ValueError(f'"{value}" is not a share such as "5%"')
    return float(match[1]) / 100


def parse_hold_time(value: object) -> dt.timedelta | None:
    """Returns how long a canary is watched: the time span in a text such as `30m`, or None for `ask`.

    None means that the campaign waits for the operator. Raises ValueError for any other value.
    """
    if value is None or isinstance(value, dt.timedelta):
        return value
    if isinstance(value, str) and value.strip() == "ask":
        return None
    match = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f'"{value}" is neither a time span such as "30m" (s, m, h or d) nor "ask"')
    return dt.timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_time_span(value: object) -> dt.timedelta:
    """Returns the time span in a text such as `24h`.

    Raises ValueError for anything else, and for more than ten days.
    """
    if isinstance(value, dt.timedelta):
        return value
    match = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) * _SECONDS[match[2]] > _MAX_TIME_SPAN:
        raise ValueError(f'"{value}" is not a time span such as "24h" (s, m, h or d) of at most "10d"')
    return dt.timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


RateLimits = Annotated[tuple[Rate, ...], BeforeValidator(_parse_rate_limits)]
DailyLimits = Annotated[tuple[int, ...], BeforeValidator(_parse_daily_limits)]
Date = Annotated[dt.date | None, BeforeValidator(_parse_date)]
Share = Annotated[float, BeforeValidator(parse_share)]
HoldTime = Annotated[dt.timedelta | None, BeforeValidator(parse_hold_time)]
TimeSpan = Annotated[dt.timedelta, BeforeValidator(parse_time_span)]

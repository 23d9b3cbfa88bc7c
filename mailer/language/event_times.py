"""Writes the day and hours of an event in a language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from babel.dates import format_date, format_skeleton, format_time

from mailer.clock import day_of
from mailer.language.east_asian import comma, is_unspaced
from mailer.language_tags import locale_of

__all__ = ["EventTimes", "event_times"]


@dataclass(frozen=True, slots=True)
class EventTimes:
    """Holds when an event is, in the words of a language.

    `month`, `day` and `weekday` are the short names of the day on which it starts: "Dec", "20", "Sun".
    `hours` is what these do not tell: "6:00 PM – 9:00 PM", or the whole interval of an event of several days;
    "" for an event of one whole day. `whole` has everything, with the year.
    """

    month: str
    day: str
    weekday: str
    hours: str
    whole: str


def event_times(starts: dt.date, ends: dt.date | None, language: str) -> EventTimes:
    """Returns when an event is, in the words of a language. `starts` and `ends` may have times."""
    until = starts if ends is None else ends
    first, last = day_of(starts), day_of(until)
    hours = _joined(_time_of(starts, language), _time_of(ends, language))
    gap = " " if is_unspaced(language) else comma(language)
    whole = _full_date(first, language)
    if first == last:
        whole += gap + hours if hours else ""
    else:
        hours = _joined(*(_day_and_time(each, _short_date, gap, language) for each in (starts, until)))
        whole = _joined(*(_day_and_time(each, _full_date, gap, language) for each in (starts, until)))
    return EventTimes(
        month=_with_known_blanks(format_date(first, "MMM", locale_of(language))),
        day=str(first.day),
        weekday=_with_known_blanks(format_date(first, "EEE", locale_of(language))),
        hours=_with_known_blanks(hours),
        whole=_with_known_blanks(whole),
    )


def _with_known_blanks(text: str) -> str:
    """Returns the text without narrow blanks, which English times and Russian dates have.

    Many mail programs have no letter for them.
    """
    return text.replace("\u202f", "\u00a0")


def _joined(start: str, end: str) -> str:
    return f"{start} – {end}" if start and end else start or end


def _full_date(day: dt.date, language: str) -> str:
    return format_date(day, "full", locale_of(language))


def _short_date(day: dt.date, language: str) -> str:
    return str(format_skeleton("MMMd", day, locale=locale_of(language)))


def _day_and_time(moment: dt.date, written: Callable[[dt.date, str], str], gap: str, language: str) -> str:
    day, time = written(day_of(moment), language), _time_of(moment, language)
    return f"{day}{gap}{time}" if time else day


def _time_of(moment: dt.date | None, language: str) -> str:
    """Returns the time of a datetime, with the offset from UTC if it has one, or "" for a date."""
    if not isinstance(moment, dt.datetime):
        return ""
    shown = format_time(moment.time(), "short", locale=locale_of(language))
    offset = moment.utcoffset()
    if offset is None:
        return shown
    minutes = round(offset.total_seconds() / 60)
    sign = "−" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60}" + (f":{abs(minutes) % 60:02}" if minutes % 60 else "")
    return f"{shown} (UTC{zone if minutes else ''})"

"""Writes dates and days of the week in a language."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date, format_skeleton

from mailer.language_tags import locale_of

__all__ = ["day_of_month", "long_date", "month_and_day", "month_and_year", "weekday", "written_date"]


def long_date(date: dt.date, language: str) -> str:
    """Returns the date in the words of a language: "November 21, 2026", "2026年11月21日"."""
    return format_date(date, "long", locale_of(language))


def written_date(text: str, language: str) -> str:
    """Returns a text such as "2026-11-21" as a date in the words of a language, and any other unchanged."""
    try:
        return long_date(dt.date.fromisoformat(text), language) if len(text) == 10 else text
    except ValueError:
        return text


def weekday(date: dt.date, language: str) -> str:
    """Returns the name of the day of the week in a language: "Saturday", "星期六"."""
    return format_date(date, "EEEE", locale_of(language))


def month_and_day(date: dt.date, language: str) -> str:
    """Returns month and day of the date in the words and order of a language: "November 21", "11月21日"."""
    return format_skeleton("MMMMd", date, locale=locale_of(language))


def month_and_year(date: dt.date, language: str) -> str:
    """Returns the month of the date in the words of a language: "November 2026", "2026年11月"."""
    return format_skeleton("yMMMM", date, locale=locale_of(language))


def day_of_month(date: dt.date, language: str) -> str:
    """Returns the day of the date in the words of a language: "21", "21日"."""
    return format_skeleton("d", date, locale=locale_of(language))

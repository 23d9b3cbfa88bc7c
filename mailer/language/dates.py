"""Writes dates and days of the week in a language."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date

from mailer.language_tags import locale_of

__all__ = ["long_date", "weekday"]


def long_date(date: dt.date, language: str) -> str:
    """Returns the date in the words of a language: "November 21, 2026", "2026年11月21日"."""
    return format_date(date, "long", locale_of(language))


def weekday(date: dt.date, language: str) -> str:
    """Returns the name of the day of the week in a language: "Saturday", "星期六"."""
    return format_date(date, "EEEE", locale_of(language))

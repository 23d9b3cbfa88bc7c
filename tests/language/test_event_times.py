# ruff: noqa: E501 (a table reads better than its folded lines)
"""When an event is, in the words of a language."""

from __future__ import annotations

import datetime as dt

import pytest

from mailer.language.event_times import EventTimes, event_times

DAY = dt.date(2026, 12, 20)
SIX, NINE = dt.datetime.fromisoformat("2026-12-20T18:00"), dt.datetime.fromisoformat("2026-12-20T21:30")


def zone(hours: float) -> dt.timezone:
    return dt.timezone(dt.timedelta(hours=hours))


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            EventTimes("Dec", "20", "Sun", "6:00\u00a0PM – 9:30\u00a0PM", "Sunday, December 20, 2026, 6:00\u00a0PM – 9:30\u00a0PM"),
        ),
        ("en-GB", EventTimes("Dec", "20", "Sun", "18:00 – 21:30", "Sunday, 20 December 2026, 18:00 – 21:30")),
        ("zh", EventTimes("12月", "20", "周日", "18:00 – 21:30", "2026年12月20日星期日 18:00 – 21:30")),
        ("ja", EventTimes("12月", "20", "日", "18:00 – 21:30", "2026年12月20日日曜日 18:00 – 21:30")),
        ("de", EventTimes("Dez.", "20", "So.", "18:00 – 21:30", "Sonntag, 20. Dezember 2026, 18:00 – 21:30")),
        ("fr", EventTimes("déc.", "20", "dim.", "18:00 – 21:30", "dimanche 20 décembre 2026, 18:00 – 21:30")),
    ],
)  # fmt: skip
def test_an_evening_in_the_words_of_a_language(language: str, expected: EventTimes) -> None:
    assert event_times(SIX, NINE, language) == expected


def test_a_comma_of_arabic_and_of_languages_with_blanks() -> None:
    assert "، " in event_times(SIX, NINE, "ar").whole
    assert ", " in event_times(SIX, NINE, "ko").whole
    # There is no data for this language.
    assert event_times(SIX, NINE, "zxx").whole == event_times(SIX, NINE, "en").whole


@pytest.mark.parametrize(
    ("starts", "ends", "hours", "whole"),
    [
        (DAY, None, "", "Sunday, December 20, 2026"),
        (DAY, DAY, "", "Sunday, December 20, 2026"),
        (SIX, None, "6:00 PM", "Sunday, December 20, 2026, 6:00 PM"),
        (SIX, DAY, "6:00 PM", "Sunday, December 20, 2026, 6:00 PM"),
        (DAY, dt.date(2026, 12, 22), "Dec 20 – Dec 22", "Sunday, December 20, 2026 – Tuesday, December 22, 2026"),
        (
            SIX,
            dt.datetime.fromisoformat("2026-12-22T09:00"),
            "Dec 20, 6:00 PM – Dec 22, 9:00 AM",
            "Sunday, December 20, 2026, 6:00 PM – Tuesday, December 22, 2026, 9:00 AM",
        ),
        (
            SIX,
            dt.date(2026, 12, 22),
            "Dec 20, 6:00 PM – Dec 22",
            "Sunday, December 20, 2026, 6:00 PM – Tuesday, December 22, 2026",
        ),
        (SIX.replace(tzinfo=dt.UTC), None, "6:00 PM (UTC)", "Sunday, December 20, 2026, 6:00 PM (UTC)"),
        (SIX.replace(tzinfo=zone(8)), None, "6:00 PM (UTC+8)", "Sunday, December 20, 2026, 6:00 PM (UTC+8)"),
        (SIX.replace(tzinfo=zone(-3.5)), None, "6:00 PM (UTC−3:30)", "Sunday, December 20, 2026, 6:00 PM (UTC−3:30)"),
        (SIX.replace(tzinfo=zone(5.75)), None, "6:00 PM (UTC+5:45)", "Sunday, December 20, 2026, 6:00 PM (UTC+5:45)"),
    ],
)  # fmt: skip
def test_days_hours_and_offsets(starts: dt.date, ends: dt.date | None, hours: str, whole: str) -> None:
    found = event_times(starts, ends, "en")
    assert (found.hours.replace("\u00a0", " "), found.whole.replace("\u00a0", " ")) == (hours, whole)
    assert (found.month, found.day, found.weekday) == ("Dec", "20", "Sun")


@pytest.mark.parametrize(
    "language", ["en", "en-AU", "zh", "zh-Hant", "ja", "ko", "ar", "he", "ru", "pt-BR", "hi", "sw"]
)
def test_no_blank_that_fonts_of_mails_lack(language: str) -> None:
    found = event_times(SIX, dt.datetime(2026, 12, 22, 9, tzinfo=zone(8)), language)
    assert all((found.month, found.day, found.weekday, found.hours, found.whole))
    assert "\u202f" not in found.hours + found.whole


def test_several_days_in_chinese() -> None:
    found = event_times(SIX, dt.datetime.fromisoformat("2026-12-22T09:00"), "zh")
    assert found.hours == "12月20日 18:00 – 12月22日 09:00"
    assert found.whole == "2026年12月20日星期日 18:00 – 2026年12月22日星期二 09:00"

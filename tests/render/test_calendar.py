"""The calendar file of an event, read back as a calendar reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.config import Settings
from mailer.issue.load import LoadedIssue
from mailer.issue.parts import Event
from mailer.render.calendar import CalendarEntry, calendar_file
from mailer.render.render import render_variants

Load = Callable[..., LoadedIssue]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def entry(title: str = "An evening", **more: Any) -> CalendarEntry:
    zone = more.pop("zone", SHANGHAI)
    return CalendarEntry(title, "morning", dt.date(2026, 11, 21), "news.example.org", zone, **more)


def file(starts: str, ends: str | None = None, **more: Any) -> bytes:
    return calendar_file(Event.model_validate({"starts": starts, "ends": ends}), entry(**more)).data


def read(data: bytes) -> Any:
    (event,) = icalendar.Calendar.from_ical(data).walk("VEVENT")
    return event


def times(data: bytes) -> tuple[dt.date, dt.date | None]:
    event = read(data)
    return event.decoded("dtstart"), event.decoded("dtend") if "dtend" in event else None


def utc(*numbers: int) -> dt.datetime:
    return dt.datetime(*numbers, tzinfo=dt.UTC)  # type: ignore[misc, arg-type]


DAY = dt.date(2026, 12, 20)


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-12-20T18:00", "2026-12-20T21:00", (utc(2026, 12, 20, 10), utc(2026, 12, 20, 13))),
        ("2026-12-20T01:00", None, (utc(2026, 12, 19, 17), None)),
        ("2026-12-20T18:00Z", "2026-12-20T21:00+01:00", (utc(2026, 12, 20, 18), utc(2026, 12, 20, 20))),
        ("2026-12-20T18:00", "2026-12-21", (utc(2026, 12, 20, 10), utc(2026, 12, 21, 15, 59))),
        ("2026-12-20T18:00+01:00", "2026-12-20", (utc(2026, 12, 20, 17), utc(2026, 12, 20, 22, 59))),
        ("2026-12-20T18:00", "2026-12-20T18:00", (utc(2026, 12, 20, 10), None)),
        ("2026-12-20", None, (DAY, dt.date(2026, 12, 21))),
        ("2026-12-20", "2026-12-20", (DAY, dt.date(2026, 12, 21))),
        ("2026-12-20", "2026-12-22", (DAY, dt.date(2026, 12, 23))),
        ("2199-12-31", None, (dt.date(2199, 12, 31), dt.date(2200, 1, 1))),
    ],
)  # fmt: skip
def test_times_are_in_utc_and_the_last_day_is_followed_by_the_end(
    starts: str, ends: str | None, expected: tuple[dt.date, dt.date | None]
) -> None:
    assert times(file(starts, ends)) == expected
    assert [type(each) for each in times(file(starts, ends))] == [type(each) for each in expected]


def test_summer_time_is_that_of_the_day_of_the_event() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert times(file("2026-07-01T18:00", zone=berlin))[0] == utc(2026, 7, 1, 16)
    assert times(file("2026-12-01T18:00", zone=berlin))[0] == utc(2026, 12, 1, 17)


def test_the_same_event_gives_the_same_bytes() -> None:
    event = Event.model_validate({"starts": "2026-12-20T18:00"})
    first, second = calendar_file(event, entry()), calendar_file(event, entry())
    assert first == second
    assert first.name.endswith(".ics")
    assert (first.width, first.height) == (0, 0)
    others = [calendar_file(event, entry("Another")), calendar_file(event, entry(url="https://e.test/"))]
    assert len({each.name for each in (first, *others)}) == 3
    assert read(others[1].data)["uid"] == read(first.data)["uid"]
    assert read(others[0].data)["uid"] != read(first.data)["uid"]


def test_it_is_a_calendar_with_what_the_standard_requires() -> None:
    data = file("2026-12-20T18:00", place="Hall 2, 12 Quay Street", url="https://e.test/a?b=1")
    calendar = icalendar.Calendar.from_ical(data)
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    assert calendar["prodid"]
    event = read(data)
    assert event["uid"].endswith("@news.example.org")
    assert event.decoded("dtstamp") == utc(2026, 11, 21)
    assert (event["location"], event["url"]) == ("Hall 2, 12 Quay Street", "https://e.test/a?b=1")
    bare = read(file("2026-12-20"))
    assert not {"location", "url"} & set(map(str.lower, bare))


@pytest.mark.parametrize(
    "title",
    [
        "Tea, cake; and \\ a long talk: with everybody",
        "港口夜间查验与冷链专场交流会，兼论跨境小包申报新规与旺季库位分配" * 4,
        "END:VEVENT BEGIN:VEVENT",
        "a\\nb",
        'With "quotes" and ^n',
    ],
)
def test_a_title_is_read_back_as_it_was_written(title: str) -> None:
    data = file("2026-12-20", title=title, place=title)
    assert read(data)["summary"] == title
    assert read(data)["location"] == title
    lines = data.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()  # no character is cut by a fold


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200))
def test_any_line_is_read_back(title: str) -> None:
    assert read(file("2026-12-20", title=title))["summary"] == title


ISSUE = """
items:
  - title: Dinner for {{ subscriber.name or "you" }}
    url: https://e.test/{{ subscriber.attributes.code or "all" }}
    event: {starts: 2026-12-20T18:00, venue: 'Hall {{ subscriber.attributes.hall or "2" }}', address: Quay}
"""
TEXT = "{% for item in issue.items %}{{ item.event.calendar }} {{ links.unsubscribe }}\n{% endfor %}"


def test_slots_are_their_defaults_and_the_text_part_alone_publishes(
    theme_files: Callable[..., None], load: Load, settings: Settings
) -> None:
    theme_files(**{"text/morning.txt": TEXT})
    rendition = render_variants(load(ISSUE), settings, slug="test", variants=(0,))[0]
    (published,) = rendition.pictures
    address = f"https://news.example.org/archive/test/images/{published.name}"
    assert address in rendition.text.fill({"links.unsubscribe": "https://e.test/u"})
    event = read(published.data)
    assert event["summary"] == "Dinner for you"
    assert event["location"] == "Hall 2, Quay"
    assert event["url"] == "https://e.test/all"


def test_an_event_that_no_template_shows_is_not_published(
    theme_files: Callable[..., None], load: Load, settings: Settings
) -> None:
    theme_files()
    assert render_variants(load(ISSUE), settings, slug="test", variants=(0,))[0].pictures == ()


def test_the_link_of_an_event_comes_before_that_of_the_item(
    theme_files: Callable[..., None], load: Load, settings: Settings, workspace: Path
) -> None:
    theme_files(**{"text/morning.txt": TEXT})
    text = ISSUE.replace("address: Quay", "url: 'https://e.test/event'")
    (published,) = render_variants(load(text), settings, slug="test", variants=(0,))[0].pictures
    assert read(published.data)["url"] == "https://e.test/event"
    assert read(published.data)["location"] == "Hall 2"


def test_an_end_without_an_offset_has_that_of_the_start() -> None:
    assert times(file("2026-12-20T18:00-12:00", "2026-12-20T18:30")) == (
        utc(2026, 12, 21, 6),
        utc(2026, 12, 21, 6, 30),
    )
    with pytest.raises(ValueError, match="has an offset, and starts has none"):
        file("2026-12-20T18:00", "2026-12-20T11:30Z")
    with pytest.raises(ValueError, match="must not end before it starts"):
        file("2026-12-20T18:00-12:00", "2026-12-20T17:30")

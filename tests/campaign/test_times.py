"""Times as an operator writes them, in zones that put their clocks forward and back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from mailer.campaign.times import NEVER, format_time, local_to_utc, parse_send_time, parse_time_of_day
from mailer.clock import utc_text
from mailer.errors import InputError

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)  # 20:00 in Shanghai


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T08:00", "2026-11-22T00:00"),
        ("2026-11-22 08:00", "2026-11-22T00:00"),
        ("2026-11-22T08:00:30", "2026-11-22T00:00:30"),
        ("2026-11-22T08:00+01:00", "2026-11-22T07:00"),
        ("2026-11-22T08:00Z", "2026-11-22T08:00"),
        ("08:00", "2026-11-22T00:00"),  # today's has passed
        ("20:00", "2026-11-22T12:00"),  # it is just that now
        ("20:01", "2026-11-21T12:01"),
    ],
)
def test_a_time_is_the_workspaces_own_unless_it_says_otherwise(text: str, expected: str) -> None:
    assert parse_send_time(text, SHANGHAI, NOW) == utc(expected)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-20", "2026-11-21T12:30"),  # past: the next time it is 20:30
        ("2026-11-21", "2026-11-21T12:30"),
        ("2026-11-22", "2026-11-22T12:30"),
        ("2026-12-24", "2026-12-24T12:30"),
    ],
)
def test_an_hour_is_that_of_a_day_to_come_and_else_the_next(day: str, expected: str) -> None:
    assert parse_send_time("20:30", SHANGHAI, NOW, dt.date.fromisoformat(day)) == utc(expected)


def test_an_hour_of_today_that_has_passed_is_tomorrows_also_for_an_issue_of_today() -> None:
    assert parse_send_time("08:00", SHANGHAI, NOW, dt.date(2026, 11, 21)) == utc("2026-11-22T00:00")


def test_the_day_is_that_of_the_workspace_and_not_of_utc() -> None:
    early = utc("2026-11-21T20:00")  # 04:00 of the 22nd in Shanghai
    assert parse_send_time("08:00", SHANGHAI, early, dt.date(2026, 11, 22)) == utc("2026-11-22T00:00")
    assert parse_send_time("03:00", SHANGHAI, early, dt.date(2026, 11, 22)) == utc("2026-11-22T19:00")


def test_an_hour_of_a_day_that_is_far_away_or_leaves_it_out_is_told() -> None:
    with pytest.raises(InputError, match="more than a year away; check the year"):
        parse_send_time("08:00", SHANGHAI, NOW, dt.date(2027, 11, 24))
    with pytest.raises(InputError, match=r"2027-03-28T02:30 does not exist"):
        parse_send_time("02:30", BERLIN, NOW, dt.date(2027, 3, 28))


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "tomorrow 08:00", "8:00", "24:00", "08:60", "2026-11-22", "2026-02-30T08:00",
     "20261122T0800", "2026-11-22T08:00+8", "2026-11-22T08:00 Asia/Shanghai", "0x22T08:00"],
)  # fmt: skip
def test_what_is_no_time_is_told_with_how_to_write_one(text: str) -> None:
    with pytest.raises(InputError, match="is not a time; write 2026-11-22T08:00"):
        parse_send_time(text, SHANGHAI, NOW)


def test_a_time_that_has_passed_is_told_in_local_words() -> None:
    with pytest.raises(InputError) as caught:
        parse_send_time("2026-11-21T08:00", SHANGHAI, NOW)
    assert str(caught.value) == (
        "Sat 21 Nov 2026 08:00 (Asia/Shanghai) has passed (it is now Sat 21 Nov 2026 20:00 (Asia/Shanghai)); "
        "choose a later time, or leave --at out to send now"
    )
    with pytest.raises(InputError, match="has passed"):
        parse_send_time("2026-11-21T20:00", SHANGHAI, NOW)


@pytest.mark.parametrize("text", ["2027-11-23T08:00", "9999-12-31T23:59"])
def test_a_slip_of_the_year_is_told(text: str) -> None:
    with pytest.raises(InputError, match="more than a year away; check the year"):
        parse_send_time(text, SHANGHAI, NOW)


def test_a_leap_year_ahead_is_the_farthest() -> None:
    assert parse_send_time("2027-11-22T12:00Z", SHANGHAI, NOW) == NOW + dt.timedelta(days=366)
    with pytest.raises(InputError, match="more than a year away"):
        parse_send_time("2027-11-22T12:01Z", SHANGHAI, NOW)


@pytest.mark.parametrize("text", ["9999-12-31T23:59-11:00", "0001-01-01T00:00+11:00"])
def test_the_ends_of_the_calendar_are_no_traceback(text: str) -> None:
    with pytest.raises(InputError, match="is outside the supported range of dates"):
        parse_send_time(text, SHANGHAI, NOW)


def test_an_hour_that_the_clocks_leave_out_is_told() -> None:
    with pytest.raises(InputError) as caught:
        parse_send_time("2027-03-28T02:30", BERLIN, NOW)
    assert str(caught.value) == (
        "2027-03-28T02:30 does not exist in Europe/Berlin: the clocks go forward then, and show 03:30 "
        "instead; choose another time"
    )
    assert parse_send_time("2027-03-28T03:00", BERLIN, NOW) == utc("2027-03-28T01:00")


def test_an_hour_that_comes_twice_is_asked_back_and_an_offset_answers() -> None:
    before = utc("2026-10-20T00:00")
    with pytest.raises(InputError) as caught:
        parse_send_time("2026-10-25T02:30", BERLIN, before)
    assert str(caught.value) == (
        "2026-10-25T02:30 occurs twice in Europe/Berlin: the clocks go back then; "
        "write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"
    )
    assert parse_send_time("2026-10-25T02:30+02:00", BERLIN, before) == utc("2026-10-25T00:30")
    assert parse_send_time("2026-10-25T02:30+01:00", BERLIN, before) == utc("2026-10-25T01:30")


def test_the_next_eight_o_clock_is_eight_also_over_a_change_of_clocks() -> None:
    evening = utc("2026-10-24T18:00")
    assert parse_send_time("08:00", BERLIN, evening) == utc("2026-10-25T07:00")


def test_a_readers_hour_is_the_first_of_two_and_never_none() -> None:
    day = dt.date(2026, 10, 25)
    assert local_to_utc(day, dt.time(2, 30), BERLIN) == utc("2026-10-25T00:30")
    assert local_to_utc(dt.date(2027, 3, 28), dt.time(2, 30), BERLIN) == utc("2027-03-28T01:30")
    with pytest.raises(InputError):
        local_to_utc(dt.date.max, dt.time(23), ZoneInfo("Pacific/Honolulu"))


@pytest.mark.parametrize("text", ["8:00", "08", "25:00", "08:00:00", "2026-11-22T08:00", ""])
def test_what_is_no_hour_is_told(text: str) -> None:
    with pytest.raises(InputError, match="is not a time of day; write it like 08:00"):
        parse_time_of_day(text)


def test_a_time_of_the_database_reads_as_local_words() -> None:
    assert format_time("2026-11-22T00:00:00.000000Z", SHANGHAI) == "Sun 22 Nov 2026 08:00 (Asia/Shanghai)"
    assert format_time(NOW, BERLIN) == "Sat 21 Nov 2026 13:00 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-01-05", "Mon 5 Jan 2026"),
        ("2026-02-03", "Tue 3 Feb 2026"),
        ("2026-03-04", "Wed 4 Mar 2026"),
        ("2026-04-02", "Thu 2 Apr 2026"),
        ("2026-05-01", "Fri 1 May 2026"),
        ("2026-06-06", "Sat 6 Jun 2026"),
        ("2026-07-05", "Sun 5 Jul 2026"),
        ("2026-08-03", "Mon 3 Aug 2026"),
        ("2026-09-01", "Tue 1 Sep 2026"),
        ("2026-10-07", "Wed 7 Oct 2026"),
        ("2026-11-05", "Thu 5 Nov 2026"),
        ("2026-12-31", "Thu 31 Dec 2026"),
    ],
)
def test_days_and_months_have_english_names_whatever_the_machine_speaks(day: str, words: str) -> None:
    assert format_time(utc(f"{day}T12:00"), BERLIN, with_zone=False).startswith(f"{words} ")


def test_no_time_of_the_database_is_after_never() -> None:
    assert utc_text(dt.datetime.max.replace(tzinfo=dt.UTC)) == NEVER

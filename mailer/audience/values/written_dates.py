"""Parses dates that are written in digits, with the name of a month, in Chinese, or as Unix time. Pure.

A cell must be understood completely, and nothing is guessed. Ambiguous numbers, such as the day numbers of a
spreadsheet, are no dates.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.addresses import strip_invisible_characters
from mailer.audience.values.months import month_number, without_weekday
from mailer.audience.values.time_zones import offset_minutes, zone_of_suffix

__all__ = ["EVERY_ORDER", "ParsedDate", "parse_date"]

EVERY_ORDER = frozenset({"ymd", "dmy", "mdy"})

_LONGEST = 100
_MIDNIGHT = dt.time()
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
#: Two digits of a year from here on are of the last century, as in C's strptime (POSIX.1-2008 has 69).
_PIVOT = 70

# Unix time in seconds, milli-, micro- and nanoseconds. Nine digits begin in 1973: fewer may be anything.
_UNIX = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?|(\d{13})(?:\.0+)?|(\d{16})|(\d{19})", re.ASCII)
_UNIX_LAST = 4_102_444_800  # the year 2100
# ISO 8601's basic form; a day alone from 1990 on, when there are lists.
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)t?(\d\d)(\d\d)(\d\d)?(?=$|[z+\-. ])", re.ASCII)
_BASIC_DAY = re.compile(r"(199\d|20\d\d)(\d\d)(\d\d)", re.ASCII)

_BEFORE_NOON = ("am", "a.m.", "a.m", "上午", "凌晨", "早上", "午前", "오전")
_AFTER_NOON = ("pm", "p.m.", "p.m", "下午", "晚上", "午後", "午后", "오후")
_NOON = ("中午",)
_HALF = "|".join(re.escape(word) for word in (*_BEFORE_NOON, *_AFTER_NOON, *_NOON))
_AM_PM = r"am\b|pm\b|a\.m\.?|p\.m\.?"
_CLOCK = re.compile(
    rf"(?P<before>{_HALF})?\s*(?<![\d:.+\-])(?P<hour>\d\d?)"
    rf"(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{{1,9}}))?)?(?:\s*(?P<after>{_AM_PM}))?"
    rf"|\s*(?P<half>{_AM_PM}))(?![\d:])",
    re.ASCII,
)
_CLOCK_IN_WORDS = re.compile(r"(\d\d?)\s*[时時点點시h]\s*(\d\d?)\s*(?:[分분]\s*(?:(\d\d?)\s*[秒초])?)?(?!\d)")

_OFFSET_AFTER = re.compile(r"\s*((?:utc|gmt)\s?[+-]\d\d?(?::?\d\d)?|[+-]\d\d(?::?\d\d)?)(?![\d:])", re.ASCII)
# Matches what may repeat an offset after it: `+0000 UTC`, `+0800 +08`, `+0100 (CET)`, `[Europe/Paris]`.
_SAID_AGAIN = re.compile(
    r"\s*(?:\([^()]+\)|\[[a-z_/+\-]+\]|(?<=\s)(?:[a-z]{1,5}|[+-]\d\d(?:\d\d)?)(?:\s+m=[+-][\d.]+)?)$",
    re.ASCII,
)
_IN_BRACKETS = re.compile(r"\s*(?:\([^()]+\)|\[[a-z_/+\-]+\])$", re.ASCII)
_UTC_AFTER = re.compile(r"\s*(?:z\b|\(?(?:utc|gmt|ut)\b\)?)(?!/)", re.ASCII)
_ZONE_AFTER = re.compile(r"\s+\(?([a-z]{3,4}|[a-z]+(?:/[a-z_+\-]+)+)\)?(?=\s|$)", re.ASCII)

_NUMERIC = re.compile(
    r"(\d{1,4})\s*([-/.])\s*(\d\d?)\s*\2\s*(\d{4}|\d\d?)\.?|(\d{1,4}) (\d\d?) (\d{4}|\d\d)", re.ASCII
)
_CHINESE = re.compile(r"(\d{4}|\d\d)\s*[年년]\s*(\d\d?)\s*[月월]\s*(\d\d?)\s*[日号號일]?", re.ASCII)
# Matches what most programs write with the year at the end, which is fast to read.
_QUICK = re.compile(
    r"(\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d)(?:,? (\d\d?):(\d\d)(?::(\d\d))?(?: ([AaPp][Mm]))?)?", re.ASCII
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|o|a)\b")
_WORDS = re.compile(r"\d+|[^\W\d_]+")
_BETWEEN = re.compile(r"[\s\-/.,'’]*")
# Dashes of typography, and the marks of direction that Internet Explorer put between the parts of a date.
_SAME = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-") | dict.fromkeys((0x200E, 0x200F), "")
_T = re.compile(r"(?<=\d)t$")
_AT = re.compile(r"\b(?:at|um|uhr|à|om)\b")
_FILLERS = frozenset({"of", "the", "de", "del", "den", "le", "on"})


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """Holds a parsed date: its day in each possible order of day, month and year, its time and its time zone.

    `days` has at least one of the keys "ymd", "dmy" and "mdy", and all three if the order does not matter.
    """

    days: Mapping[str, dt.date]
    clock: dt.time = dt.time()
    zone: dt.tzinfo | None = None


def parse_date(text: str) -> ParsedDate | None:
    """Returns the date in `text`, or None if `text` is not completely understood as a date."""
    return _parse_date(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parse_date(text: str) -> ParsedDate | None:
    quick = _QUICK.fullmatch(text)
    if quick:
        return _parse_numeric_date(quick)
    plain = " ".join(
        unicodedata.normalize("NFKC", strip_invisible_characters(text).translate(_SAME)).casefold().split()
    )
    try:
        if plain.replace(".", "").isdigit():
            return _parse_unix_time(plain) or _parse_basic_iso(plain) or _parse_day(plain, _MIDNIGHT, None)
        return _parse_basic_iso(plain) or _parse_date_with_clock(plain)
    except (ValueError, OverflowError):
        return None


def _parse_numeric_date(match: re.Match[str]) -> ParsedDate | None:
    one, _, two, three, hour, minute, second, half = match.groups()
    days = _days_of_three_numbers(one, two, three)
    try:
        clock = (
            dt.time(_hour_on_24_hour_clock(int(hour), (half or "").lower()), int(minute), int(second or 0))
            if hour
            else _MIDNIGHT
        )
    except ValueError:
        return None
    return ParsedDate(days, clock) if days else None


def _parse_unix_time(text: str) -> ParsedDate | None:
    match = _UNIX.fullmatch(text)
    if not match:
        return None
    seconds, fraction, milli, micro, nano = match.groups()
    if seconds:
        micros = int(seconds) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
    else:
        micros = int(milli) * 1000 if milli else int(micro) if micro else int(nano) // 1000
    if micros >= _UNIX_LAST * 1_000_000:
        return None
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    return ParsedDate(_same_day_in_every_order(at.date()), at.time(), dt.UTC)


def _parse_basic_iso(text: str) -> ParsedDate | None:
    day_alone = _BASIC_DAY.fullmatch(text)
    if day_alone:
        return ParsedDate(_same_day_in_every_order(dt.date(*map(int, day_alone.groups()))))
    match = _BASIC.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    rest = text[match.end() :]
    fraction = re.match(r"[.,](\d{1,9})", rest) if match[6] else None
    micros = int(fraction[1][:6].ljust(6, "0")) if fraction else 0
    zone, rest = _split_off_time_zone(rest[fraction.end() :] if fraction else rest)
    if rest.strip() or not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    return ParsedDate(
        _same_day_in_every_order(dt.date(year, month, day)), dt.time(hour, minute, second, micros), zone
    )


def _parse_date_with_clock(text: str) -> ParsedDate | None:
    text = _CLOCK_IN_WORDS.sub(lambda match: f"{match[1]}:{match[2]:0>2}:{match[3] or '0':0>2}", text)
    match = _CLOCK.search(text)
    if not match:
        return _parse_day(text, _MIDNIGHT, None)
    zone, rest = _split_off_time_zone(text[match.end() :])
    before = _T.sub("", text[: match.start()])
    day = " ".join(_AT.sub(" ", f"{before} {rest}").split())
    return _parse_day(day, _time_of_match(match), zone)


def _time_of_match(match: re.Match[str]) -> dt.time:
    """Returns the time of day that `_CLOCK` has matched. Raises ValueError if there is no such time."""
    after = match["after"] or match["half"]
    if match["before"] and after:
        raise ValueError("the time says twice whether it is before or after noon")
    hour = _hour_on_24_hour_clock(int(match["hour"]), match["before"] or after or "")
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    return dt.time(hour, int(match["minute"] or 0), int(match["second"] or 0), int(fraction))


def _hour_on_24_hour_clock(hour: int, half_of_day: str) -> int:
    """Returns the hour from 0 to 23 for an hour with a word for the half of the day ("": none), such as am or
    pm.

    Raises ValueError if the two contradict each other.
    """
    if half_of_day in _BEFORE_NOON:
        if hour > 12:
            raise ValueError(f"hour {hour} is not before noon")
        hour %= 12
    elif half_of_day in _AFTER_NOON:
        if hour == 12 and half_of_day == "晚上":
            raise ValueError("12 at night may be the beginning or the end of the day")
        hour += 12 * (hour < 12)
    elif half_of_day in _NOON:
        hour += 12 * (hour < 3)
    return hour


def _split_off_time_zone(text: str) -> tuple[dt.tzinfo | None, str]:
    """Returns the time zone at the beginning of a text, or None, and the text after the time zone.

    Raises ValueError for an offset from UTC that no time zone has.
    """
    match = _OFFSET_AFTER.match(text)
    if match:
        offset = match[1] if ":" in match[1] or match[1][0] not in "+-" else f"utc{match[1]}"
        minutes = offset_minutes(offset)
        if minutes is None:
            raise ValueError(f"{match[1]} is not an offset from UTC")
        return dt.timezone(dt.timedelta(minutes=minutes)), _SAID_AGAIN.sub("", text[match.end() :])
    match = _UTC_AFTER.match(text)
    if match:
        return dt.UTC, _IN_BRACKETS.sub("", text[match.end() :])
    match = _ZONE_AFTER.match(text)
    zone = zone_of_suffix(match[1]) if match else None
    return (zone, text[match.end() :]) if match and zone else (None, text)


def _parse_day(text: str, clock: dt.time, zone: dt.tzinfo | None) -> ParsedDate | None:
    text = without_weekday(text).strip(" ,")
    match = _NUMERIC.fullmatch(text)
    if match:
        parts = match.group(1, 3, 4) if match[1] else match.group(5, 6, 7)
        days = _days_of_three_numbers(*parts)
    else:
        match = _CHINESE.fullmatch(text)
        day = (
            dt.date(_full_year(match[1]), int(match[2]), int(match[3]))
            if match
            else _day_with_month_name(text)
        )
        days = _same_day_in_every_order(day) if day else {}
    return ParsedDate(days, clock, zone) if days else None


def _days_of_three_numbers(first: str, second: str, third: str) -> dict[str, dt.date]:
    """Returns the days that three numbers mean, by the order ("ymd", "dmy", "mdy") of day, month and year."""
    if len(first) == 4:
        return (
            _same_day_in_every_order(dt.date(_full_year(first), int(second), int(third)))
            if len(third) <= 2
            else {}
        )
    if len(first) == 3 or len(third) == 1:
        return {}
    orders = {"dmy": (third, second, first), "mdy": (third, first, second)}
    if len(first) == len(third) == 2:
        orders["ymd"] = (first, second, third)
    days = {}
    for order, (year, month, day) in orders.items():
        try:
            days[order] = dt.date(_full_year(year), int(month), int(day))
        except ValueError:
            continue
    same = first == second and len(days) > 1 and len(set(days.values())) == 1
    return _same_day_in_every_order(next(iter(days.values()))) if same else days


def _day_with_month_name(text: str) -> dt.date | None:
    """Returns the day of `24 March 2023`, `Mar 24, 2023`, `24-Mar-23` or `2023 Mar 24`, or None."""
    text = _ORDINAL.sub("", text)
    if not all(_BETWEEN.fullmatch(gap) for gap in _WORDS.split(text)):
        return None
    words = [word for word in _WORDS.findall(text) if word not in _FILLERS]
    months = [month_number(word) for word in words]
    if len(words) != 3 or sum(map(bool, months)) != 1:
        return None
    place = next(i for i, month in enumerate(months) if month)
    first, second = (word for i, word in enumerate(words) if i != place)
    if not (first.isdigit() and second.isdigit()):
        return None
    day, year = (second, first) if len(first) == 4 else (first, second)
    if len(day) > 2 or len(year) not in (2, 4) or (len(year) == 2 and place == 2):
        return None
    return dt.date(_full_year(year), months[place], int(day))


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 2:
        year += 1900 if year >= _PIVOT else 2000
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"the year {year} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return year


def _same_day_in_every_order(day: dt.date) -> dict[str, dt.date]:
    return dict.fromkeys(("ymd", "dmy", "mdy"), day)

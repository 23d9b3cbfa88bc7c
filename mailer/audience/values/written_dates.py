"""Parses dates in figures, with the name of a month, in Chinese, and as Unix time. Pure.

All of a cell must be understood, and nothing is guessed. Ambiguous numbers, such as a spreadsheet's day
numbers, are no dates.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.addresses import strip_invisible_characters
from mailer.audience.values.months import month_of, without_weekday
from mailer.audience.values.time_zones import named_zone, offset_of

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
    """Holds a parsed date: its day in each order that gives one, its time, and its zone if it has one.

    `days` has the keys "ymd", "dmy" and "mdy", all of them where they mean the same, and at least one.
    """

    days: Mapping[str, dt.date]
    clock: dt.time = dt.time()
    zone: dt.tzinfo | None = None


def parse_date(text: str) -> ParsedDate | None:
    """Returns the date that `text` is; None where it is none, or is not wholly understood."""
    return _parse_date(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parse_date(text: str) -> ParsedDate | None:
    quick = _QUICK.fullmatch(text)
    if quick:
        return _parse_common(quick)
    plain = " ".join(
        unicodedata.normalize("NFKC", strip_invisible_characters(text).translate(_SAME)).casefold().split()
    )
    try:
        if plain.replace(".", "").isdigit():
            return _parse_unix_time(plain) or _parse_basic_iso(plain) or _parse_day(plain, _MIDNIGHT, None)
        return _parse_basic_iso(plain) or _parse_with_clock(plain)
    except (ValueError, OverflowError):
        return None


def _parse_common(match: re.Match[str]) -> ParsedDate | None:
    one, _, two, three, hour, minute, second, half = match.groups()
    days = _numeric_days(one, two, three)
    try:
        clock = (
            dt.time(_hour(int(hour), (half or "").lower()), int(minute), int(second or 0))
            if hour
            else _MIDNIGHT
        )
    except ValueError:
        return None
    return ParsedDate(days, clock) if days else None


def _parse_unix_time(plain: str) -> ParsedDate | None:
    match = _UNIX.fullmatch(plain)
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
    return ParsedDate(_unambiguous(at.date()), at.time(), dt.UTC)


def _parse_basic_iso(plain: str) -> ParsedDate | None:
    day_alone = _BASIC_DAY.fullmatch(plain)
    if day_alone:
        return ParsedDate(_unambiguous(dt.date(*map(int, day_alone.groups()))))
    match = _BASIC.match(plain)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    rest = plain[match.end() :]
    fraction = re.match(r"[.,](\d{1,9})", rest) if match[6] else None
    micros = int(fraction[1][:6].ljust(6, "0")) if fraction else 0
    zone, rest = _zone(rest[fraction.end() :] if fraction else rest)
    if rest.strip() or not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    return ParsedDate(_unambiguous(dt.date(year, month, day)), dt.time(hour, minute, second, micros), zone)


def _parse_with_clock(plain: str) -> ParsedDate | None:
    plain = _CLOCK_IN_WORDS.sub(lambda match: f"{match[1]}:{match[2]:0>2}:{match[3] or '0':0>2}", plain)
    match = _CLOCK.search(plain)
    if not match:
        return _parse_day(plain, _MIDNIGHT, None)
    zone, rest = _zone(plain[match.end() :])
    before = _T.sub("", plain[: match.start()])
    day = " ".join(_AT.sub(" ", f"{before} {rest}").split())
    return _parse_day(day, _clock(match), zone)


def _clock(match: re.Match[str]) -> dt.time:
    """Returns the time of day of a match. Raises ValueError where there is no such time."""
    after = match["after"] or match["half"]
    if match["before"] and after:
        raise ValueError("morning or afternoon is said twice")
    hour = _hour(int(match["hour"]), match["before"] or after or "")
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    return dt.time(hour, int(match["minute"] or 0), int(match["second"] or 0), int(fraction))


def _hour(hour: int, half: str) -> int:
    """Returns the hour of a 24-hour day from an hour with am or pm. Raises ValueError for a wrong one."""
    if half in _BEFORE_NOON:
        if hour > 12:
            raise ValueError("no hour of a morning")
        hour %= 12
    elif half in _AFTER_NOON:
        if hour == 12 and half == "晚上":
            raise ValueError("midnight of which day?")
        hour += 12 * (hour < 12)
    elif half in _NOON:
        hour += 12 * (hour < 3)
    return hour


def _zone(rest: str) -> tuple[dt.tzinfo | None, str]:
    """Returns the zone that `rest` begins with, or None, and the text after it. Raises ValueError."""
    match = _OFFSET_AFTER.match(rest)
    if match:
        offset = match[1] if ":" in match[1] or match[1][0] not in "+-" else f"utc{match[1]}"
        minutes = offset_of(offset)
        if minutes is None:
            raise ValueError("no offset")
        return dt.timezone(dt.timedelta(minutes=minutes)), _SAID_AGAIN.sub("", rest[match.end() :])
    match = _UTC_AFTER.match(rest)
    if match:
        return dt.UTC, _IN_BRACKETS.sub("", rest[match.end() :])
    match = _ZONE_AFTER.match(rest)
    zone = named_zone(match[1]) if match else None
    return (zone, rest[match.end() :]) if match and zone else (None, rest)


def _parse_day(rest: str, clock: dt.time, zone: dt.tzinfo | None) -> ParsedDate | None:
    rest = without_weekday(rest).strip(" ,")
    match = _NUMERIC.fullmatch(rest)
    if match:
        parts = match.group(1, 3, 4) if match[1] else match.group(5, 6, 7)
        days = _numeric_days(*parts)
    else:
        match = _CHINESE.fullmatch(rest)
        day = dt.date(_year(match[1]), int(match[2]), int(match[3])) if match else _named_month_day(rest)
        days = _unambiguous(day) if day else {}
    return ParsedDate(days, clock, zone) if days else None


def _numeric_days(one: str, two: str, three: str) -> dict[str, dt.date]:
    """Returns the day of three numbers in each order (ymd, dmy, mdy) that gives one."""
    if len(one) == 4:
        return _unambiguous(dt.date(_year(one), int(two), int(three))) if len(three) <= 2 else {}
    if len(one) == 3 or len(three) == 1:
        return {}
    orders = {"dmy": (three, two, one), "mdy": (three, one, two)}
    if len(one) == len(three) == 2:
        orders["ymd"] = (one, two, three)
    days = {}
    for order, (year, month, day) in orders.items():
        try:
            days[order] = dt.date(_year(year), int(month), int(day))
        except ValueError:
            continue
    same = one == two and len(days) > 1 and len(set(days.values())) == 1
    return _unambiguous(next(iter(days.values()))) if same else days


def _named_month_day(rest: str) -> dt.date | None:
    """Returns the day of `24 March 2023`, `Mar 24, 2023`, `24-Mar-23` or `2023 Mar 24`."""
    rest = _ORDINAL.sub("", rest)
    if not all(_BETWEEN.fullmatch(gap) for gap in _WORDS.split(rest)):
        return None
    words = [word for word in _WORDS.findall(rest) if word not in _FILLERS]
    months = [month_of(word) for word in words]
    if len(words) != 3 or sum(map(bool, months)) != 1:
        return None
    place = next(i for i, month in enumerate(months) if month)
    first, second = (word for i, word in enumerate(words) if i != place)
    if not (first.isdigit() and second.isdigit()):
        return None
    day, year = (second, first) if len(first) == 4 else (first, second)
    if len(day) > 2 or len(year) not in (2, 4) or (len(year) == 2 and place == 2):
        return None
    return dt.date(_year(year), months[place], int(day))


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 2:
        year += 1900 if year >= _PIVOT else 2000
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError("no year of our time")
    return year


def _unambiguous(day: dt.date) -> dict[str, dt.date]:
    return dict.fromkeys(("ymd", "dmy", "mdy"), day)

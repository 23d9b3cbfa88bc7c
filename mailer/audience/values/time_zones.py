"""Reads the names of time zones that other programs write. Pure, except for the system's time zone data."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from mailer.addresses import quote
from mailer.audience.values.blanks import is_missing_value
from mailer.errors import AudienceError

__all__ = ["zone_of_suffix", "offset_minutes", "timezone_name"]

_LONGEST = 200
#: The offsets that are in use: from Baker Island to Kiritimati (minutes).
_FIRST, _LAST = -12 * 60, 14 * 60

_OFFSET = re.compile(r"(?:(?:utc|gmt) ?)?([+-])(\d{1,2}):(\d{2})|(?:utc|gmt) ?([+-])(\d{1,2})(\d{2})?", re.I)
# `(UTC+01:00) Amsterdam, Berlin, Bern`, as Windows shows a zone; a space may stand for the plus sign.
_WINDOWS_LABEL = re.compile(r"\((?:utc|gmt) ?([+-]\d{1,2}:?\d{2})?\) *(.*)", re.I | re.S)
# `Eastern Time (US & Canada)` is Windows' "Eastern Standard Time".
_WINDOWS_TIME = re.compile(r"(.+?) (?:time|daylight time|summer time|standard time)\b.*", re.I | re.S)
# Zones of one offset all year where Etc/GMT has none, because it has whole hours alone (minutes).
_FIXED = {
    -570: "Pacific/Marquesas",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
}


# Places that Windows shows beside an offset and that no zone is named after.
_PLACES = {
    "abu_dhabi": "Asia/Dubai",
    "beijing": "Asia/Shanghai",
    "brasilia": "America/Sao_Paulo",
    "hanoi": "Asia/Bangkok",
    "mumbai": "Asia/Kolkata",
    "new_delhi": "Asia/Kolkata",
    "osaka": "Asia/Tokyo",
    "west_central_africa": "Africa/Lagos",
    "北京": "Asia/Shanghai",
    "台北": "Asia/Taipei",
    "东京": "Asia/Tokyo",
}
# Names of China's time in Chinese, which Windows' and Android's settings show.
_CHINESE_TIME = frozenset({"北京时间", "中国标准时间", "北京時間", "中國標準時間"})
# Abbreviations that mean one offset wherever they are used (minutes). CST, IST, BST, AST, MST and PST mean
# several, and are left out.
_ABBREVIATIONS = {
    "est": -300,
    "edt": -240,
    "mdt": -360,
    "pdt": -420,
    "akst": -540,
    "akdt": -480,
    "wet": 0,
    "west": 60,
    "cet": 60,
    "cest": 120,
    "mez": 60,
    "mesz": 120,
    "eet": 120,
    "eest": 180,
    "msk": 180,
    "hkt": 480,
    "jst": 540,
    "kst": 540,
    "aest": 600,
    "aedt": 660,
    "nzst": 720,
    "nzdt": 780,
}


@lru_cache(maxsize=4096)
def timezone_name(text: str) -> str:
    """Returns the IANA name of a time zone (`Europe/Berlin`), or "" if the cell has no value (`\\N`,
    `unknown`).

    Accepts names in any case, offsets (`GMT-5`, `UTC+08:00`, which give `Etc/GMT+5` and `Etc/GMT-8`),
    Windows' names (`W. Europe Standard Time`) and Windows' labels (`(UTC+01:00) Amsterdam, Berlin`). A number
    alone is no time zone. Raises AudienceError for an unknown time zone.
    """
    if is_missing_value(text):
        return ""
    name = " ".join(text[:_LONGEST].split())
    found = (
        ""
        if len(text) > _LONGEST
        else _zone_by_name(name) or _zone_by_offset(name) or _zone_by_windows_label(name)
    )
    if not found:
        raise AudienceError(f"the time zone {quote(name)} is not known; write a name such as Asia/Shanghai")
    return found


def zone_of_suffix(name: str) -> dt.tzinfo | None:
    """Returns the time zone that a suffix after a time names (`cest`, `europe/berlin`), or None."""
    if "/" in name:
        known = _zones_by_lower_name().get(name)
        return ZoneInfo(known) if known else None
    minutes = _ABBREVIATIONS.get(name)
    return None if minutes is None else dt.timezone(dt.timedelta(minutes=minutes))


def offset_minutes(text: str) -> int | None:
    """Returns the minutes east of UTC that a text means (`GMT-5`, `UTC+08:00`, `+05:30`), or None.

    An offset that no time zone has gives None, too.
    """
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    sign, hours, minutes = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
    rest = int(minutes or 0)
    total = (int(hours) * 60 + rest) * (-1 if sign == "-" else 1)
    return total if rest < 60 and _FIRST <= total <= _LAST else None


def _zone_by_name(name: str) -> str:
    if name in _CHINESE_TIME:
        return "Asia/Shanghai"
    return _zones_by_lower_name().get(name.casefold().replace(" ", "_")) or _zones_by_windows_name().get(
        name.casefold(), ""
    )


def _zone_by_offset(name: str) -> str:
    minutes = offset_minutes(name)
    if minutes is None:
        return ""
    if minutes % 60:
        return _FIXED.get(minutes, "")
    hours = minutes // 60
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # Etc has the signs of POSIX, which count westwards


def _zone_by_windows_label(label: str) -> str:
    match = _WINDOWS_LABEL.fullmatch(label)
    if match:
        minutes = offset_minutes(f"utc{match[1]}") if match[1] else 0
        places = match[2].strip()
        if minutes is None:
            return ""
        if not places:
            return _zone_by_offset(f"utc{match[1]}") if match[1] else "UTC"
        found = _zone_by_windows_time_name(places) or _zone_by_cities(places, minutes)
        return found if found and _standard_offset_minutes(found) == minutes else ""
    return _zone_by_windows_time_name(label)


def _zone_by_windows_time_name(name: str) -> str:
    """Returns the time zone of a Windows name such as `Eastern Time (US & Canada)`, or "" if Windows has no
    such name.
    """
    if name.casefold() == "coordinated universal time":
        return "UTC"
    match = _WINDOWS_TIME.fullmatch(name)
    return _zones_by_windows_name().get(f"{match[1]} standard time".casefold(), "") if match else ""


def _zone_by_cities(cities: str, standard_offset: int) -> str:
    """Returns the first time zone with this offset (in minutes) among those of the cities in a text, or "".

    Time zones that Windows uses are preferred.
    """
    main = set(_zones_by_windows_name().values())
    found = ""
    for city in re.split(r"[,、，/&;…]|\.\.\.", cities.casefold()):
        zone = _zones_by_city().get(city.strip(" .()").replace(" ", "_"), "")
        if zone and _standard_offset_minutes(zone) == standard_offset:
            if zone in main:
                return zone
            found = found or zone
    return found


@cache
def _zones_by_lower_name() -> dict[str, str]:
    """Returns all names of time zones by the name in lower case."""
    return {
        name.casefold(): name
        for name in sorted(available_timezones())
        if name not in ("localtime", "Factory", "posixrules") and not name.startswith(("posix/", "right/"))
    }


@cache
def _zones_by_windows_name() -> dict[str, str]:
    """Returns names of IANA time zones by Windows' names for them, in lower case (Unicode CLDR)."""
    known = _zones_by_lower_name()
    pairs = get_global("windows_zone_mapping").items()
    return {name.casefold(): zone for name, zone in pairs if zone.casefold() in known}


@cache
def _zones_by_city() -> dict[str, str]:
    """Returns names of time zones by the city in the name.

    A former name of a time zone gives the present name.
    """
    aliases = get_global("zone_aliases")
    return {
        name.rpartition("/")[2]: aliases.get(zone, zone)
        for name, zone in _zones_by_lower_name().items()
        if "/" in name and not name.startswith("etc/")
    } | _PLACES


@lru_cache(maxsize=1024)
def _standard_offset_minutes(zone: str) -> int:
    """Returns the minutes east of UTC that a time zone has outside of summer time."""
    place = ZoneInfo(zone)
    offsets = []
    for month in (1, 7):
        at = dt.datetime(2023, month, 1, tzinfo=place)
        offsets.append((at.utcoffset() or dt.timedelta()) - (at.dst() or dt.timedelta()))
    return round(offsets[0].total_seconds() / 60)

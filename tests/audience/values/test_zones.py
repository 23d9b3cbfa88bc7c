"""Time zones by the names that other programs give them."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.values.time_zones import timezone_name
from mailer.errors import AudienceError
from tests.sentences import check_sentence


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (" AMERICA/NEW_YORK ", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("asia/shanghai", "Asia/Shanghai"),
        ("utc", "UTC"),
        ("GMT", "GMT"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("GMT-5", "Etc/GMT+5"),
        ("GMT+8", "Etc/GMT-8"),
        ("gmt +8", "Etc/GMT-8"),
        ("UTC+8", "Etc/GMT-8"),
        ("UTC+08:00", "Etc/GMT-8"),
        ("UTC+0800", "Etc/GMT-8"),
        ("(UTC+08:00)", "Etc/GMT-8"),
        ("GMT-05:00", "Etc/GMT+5"),
        ("+08:00", "Etc/GMT-8"),
        ("-03:00", "Etc/GMT+3"),
        ("UTC+00:00", "UTC"),
        ("(UTC)", "UTC"),
        ("UTC+14", "Etc/GMT-14"),
        ("UTC-12", "Etc/GMT+12"),
        ("UTC+05:30", "Asia/Kolkata"),
        ("GMT+5:45", "Asia/Kathmandu"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("China Standard Time", "Asia/Shanghai"),
        ("Eastern Standard Time", "America/New_York"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Pacific Time", "America/Los_Angeles"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin…", "Europe/Berlin"),
        ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome", "Europe/Berlin"),
        ("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Paris"),
        ("(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi", "Asia/Shanghai"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("(UTC+09:00) Osaka, Sapporo, Tokyo", "Asia/Tokyo"),
        ("(UTC+09:00) Seoul", "Asia/Seoul"),
        ("(UTC-03:00) Brasilia", "America/Sao_Paulo"),
        ("(GMT+08:00) Beijing", "Asia/Shanghai"),
        ("(UTC+08:00) 北京，重庆，香港特别行政区，乌鲁木齐", "Asia/Shanghai"),
        ("(UTC-07:00) Arizona", "America/Phoenix"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("北京时间", "Asia/Shanghai"),
        ("(UTC+10:00) Canberra, Melbourne, Sydney", "Australia/Sydney"),
    ],
)
def test_a_zone_is_known_by_the_names_of_others(text: str, name: str) -> None:
    assert timezone_name(text) == name


@pytest.mark.parametrize("text", ["", "  ", "\\N", "NULL", "-", "unknown", "N/A", "\u200b"])
def test_a_cell_that_says_nothing_is_no_zone(text: str) -> None:
    assert timezone_name(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "8",
        "5.5",
        "+8",
        "0",
        "-05",
        "480",
        "UTC+99",
        "UTC+8:99",
        "UTC+15",
        "UTC-13",
        "GMT+05:17",
        "Beijing",
        "Berlin",
        "Mars/Olympus",
        "../../etc/passwd",
        "/etc/localtime",
        "localtime",
        "posix/Europe/Berlin",
        "Europe/Berlin\nX",
        "Europe/Berlin\x00",
        "(UTC+01:00) Atlantis",
        "(UTC+01:00) Tokyo",
        "(UTC+08:00) Eastern Time (US & Canada)",
        "Some Standard Time",
        "x" * 30_000,
        "Europe/Berlin" + " " * 300,
    ],
)
def test_what_is_no_zone_is_told_in_one_sentence(text: str) -> None:
    if text.strip() == "Europe/Berlin":
        assert timezone_name(text.strip()) == "Europe/Berlin"
        return
    with pytest.raises(AudienceError, match="is not known; write a name such as Asia/Shanghai") as caught:
        timezone_name(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_every_name_of_windows_and_of_the_system_is_known(change: type[str]) -> None:
    for name in get_global("windows_zone_mapping"):
        assert ZoneInfo(timezone_name(change(name)))
    for name in ("Africa/Cairo", "Pacific/Auckland", "America/Argentina/Buenos_Aires"):
        assert timezone_name(change(name)) == name


NAMES = sorted(
    name for name in available_timezones() if "/" in name and not name.startswith(("posix", "right"))
)


@given(st.sampled_from(NAMES))
def test_every_zone_is_known_in_small_letters(name: str) -> None:
    assert timezone_name(name.lower()) == name


@given(
    st.text(max_size=40)
    | st.from_regex(r"\(?(UTC|GMT)? ?[+-]?[0-9]{0,3}:?[0-9]{0,3}\)?.{0,10}", fullmatch=True)
)
def test_a_zone_exists_or_is_refused(text: str) -> None:
    try:
        name = timezone_name(text)
    except AudienceError as error:
        check_sentence(error)
        return
    assert name == "" or ZoneInfo(name).key == name
    assert timezone_name(name) == name

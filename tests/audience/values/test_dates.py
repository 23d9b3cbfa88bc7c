"""Dates of lists: which order a cell can be read in, and what it means."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.audience.values.dates import date_orders_of, read_utc_time
from mailer.errors import AudienceError
from tests.sentences import check_sentence

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
ALL = {"ymd", "dmy", "mdy"}
DAY, TIME = "2023-03-24T00:00:00.000000Z", "2023-03-24T10:23:10.000000Z"


# Each has one meaning, whatever order its neighbours are in.
CLEAR = [
    ("2023-03-24", DAY),
    (" 2023-03-24 ", DAY),
    ("2023/3/24", DAY),
    ("2023.03.24", DAY),
    ("2023. 3. 24.", DAY),
    ("2023 03 24", DAY),
    ("2023-03-24 10:23:10", TIME),
    ("2023-03-24T10:23:10", TIME),
    ("2023-3-24T10:23:10", TIME),
    ("2023-03-24t10:23:10z", TIME),
    ("2023-03-24T10:23:10Z", TIME),
    ("2023-03-24T10:23:10.000Z", TIME),
    ("2023-03-24 10:23:10 UTC", TIME),
    ("2023-03-24 10:23:10 GMT", TIME),
    ("2023-03-24 10:23:10UTC", TIME),
    ("2023-03-24 10:23:10 +0000 UTC", TIME),
    ("2023-03-24 10:23:10 +0000", TIME),
    ("2023-03-24 10:23:10+00", TIME),
    ("2023-03-24 10:23:10-00:00", TIME),
    ("2023-03-24 18:23:10+08:00", TIME),
    ("2023-03-24 18:23:10 +0800", TIME),
    ("2023-03-24 18:23:10 +0800 CST", TIME),
    ("2023-03-24 18:23:10 +0800 +08", TIME),
    ("2023-03-24 18:23:10 +0800 CST m=+0.000012", TIME),
    ("2023-03-24T11:23:10+01:00[Europe/Berlin]", TIME),
    ("2023-03-24 15:53:10 +05:30", TIME),
    ("2023-03-24 05:23:10 EST", TIME),
    ("2023-03-24 06:23:10 EDT", TIME),
    ("2023-03-24 11:23:10 CET", TIME),
    ("2023-03-24 11:23:10 Europe/Berlin", TIME),
    ("2023-03-24 18:23:10 GMT+8", TIME),
    ("2023-03-24 18:23:10 UTC+08:00", TIME),
    ("20230324T102310Z", TIME),
    ("20230324T102310", TIME),
    ("20230324102310", TIME),
    ("20230324", DAY),
    ("2023-03-24 10:23", "2023-03-24T10:23:00.000000Z"),
    ("2023-03-24 8:05", "2023-03-24T08:05:00.000000Z"),
    ("2023-03-24 10:23:10.123456789 +0000 UTC", "2023-03-24T10:23:10.123456Z"),
    ("2023-03-24 10:23:10.1 +0000 UTC", "2023-03-24T10:23:10.100000Z"),
    ("2023-03-24T10:23:10.123Z", "2023-03-24T10:23:10.123000Z"),
    ("2023-03-24 10:23:10,123", "2023-03-24T10:23:10.123000Z"),
    ("1679653390", TIME),
    ("1679653390.0", TIME),
    ("1679653390.25", "2023-03-24T10:23:10.250000Z"),
    ("1679653390123", "2023-03-24T10:23:10.123000Z"),
    ("1679653390123456", "2023-03-24T10:23:10.123456Z"),
    ("1679653390123456789", "2023-03-24T10:23:10.123456Z"),
    ("Mar 24, 2023", DAY),
    ("Mar 24, 2023 10:23 AM", "2023-03-24T10:23:00.000000Z"),
    ("Mar 24, 2023, 10:23:10\u202fAM", TIME),
    ("March 24th, 2023 at 10:23 p.m.", "2023-03-24T22:23:00.000000Z"),
    ("24 March 2023", DAY),
    ("24. March 2023", DAY),
    ("24-Mar-2023", DAY),
    ("24-Mar-23", DAY),
    ("24-MAR-23", DAY),
    ("Mar 24, '23", DAY),
    ("24/Mar/2023", DAY),
    ("2023-Mar-24", DAY),
    ("24 Sept 2023", "2023-09-24T00:00:00.000000Z"),
    ("the 24th of March 2023", DAY),
    ("Fri, 24 Mar 2023 10:23:10 +0000", TIME),
    ("Fri, 24 Mar 2023 10:23:10 GMT", TIME),
    ("24 Mar 2023 11:23:10 +0100 (CET)", TIME),
    ("Friday, March 24, 2023", DAY),
    ("Fri Mar 24 10:23:10 2023", TIME),
    ("Fri Mar 24 10:23:10 UTC 2023", TIME),
    ("Fri Mar 24 10:23:10 +0000 2023", TIME),
    ("Fri Mar 24 2023 18:23:10 GMT+0800 (China Standard Time)", TIME),
    ("24. März 2023", DAY),
    ("Fr., 24. März 2023 um 10:23 Uhr", "2023-03-24T10:23:00.000000Z"),
    ("24 mars 2023 à 10:23:10", TIME),
    ("24 de marzo de 2023", DAY),
    ("1º de março de 2023", "2023-03-01T00:00:00.000000Z"),
    ("2023-03-24T10:23:10Z[UTC]", TIME),
    ("1er mars 2023", "2023-03-01T00:00:00.000000Z"),
    ("2023年3月24日", DAY),
    ("2023 年 3 月 24 日", DAY),
    ("23年3月24日", DAY),
    ("2023年3月24日 10:23:10", TIME),
    ("2023年3月24日10时23分10秒", TIME),
    ("2023年3月24日 星期五 10点23分", "2023-03-24T10:23:00.000000Z"),
    ("2023年3月24日(金)", DAY),
    ("2023年3月24日 下午3:05", "2023-03-24T15:05:00.000000Z"),
    ("2023/3/24 下午3:05:10", "2023-03-24T15:05:10.000000Z"),
    ("2023/3/24 上午 10:23:10", TIME),
    ("2023/3/24 上午12:05", "2023-03-24T00:05:00.000000Z"),
    ("2023/3/24 中午12:05", "2023-03-24T12:05:00.000000Z"),
    ("2023-03-24 凌晨1:05", "2023-03-24T01:05:00.000000Z"),
    ("２０２３－０３－２４", DAY),
    ("2023년 3월 24일", DAY),
    ("2023. 3. 24. 오후 3:05:10", "2023-03-24T15:05:10.000000Z"),
    ("\u200e2023\u200e/\u200e3\u200e/\u200e24\u200e \u200e10:23:10", TIME),
    ("2023–03–24", DAY),
    ("2023-03-24 10:23:10 (UTC)", TIME),
    ("Fri Mar 24 2023 11:23:10 GMT+0100 (Mitteleuropäische Normalzeit)", TIME),
    ("03/03/2023", "2023-03-03T00:00:00.000000Z"),
]

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize(("text", "moment"), CLEAR)
@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy"])
def test_what_has_one_meaning_is_read_in_every_order(text: str, moment: str, order: str) -> None:
    assert date_orders_of(text) == ALL
    assert read_utc_time(text, dt.UTC, order) == moment


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("24-03-2023 10:23:10", {"dmy"}),
        ("24/03/2023", {"dmy"}),
        ("24.03.2023", {"dmy"}),
        ("24. 3. 2023", {"dmy"}),
        ("24 03 2023", {"dmy"}),
        ("3/24/23", {"mdy"}),
        ("3/24/2023 10:23:10 AM", {"mdy"}),
        ("03-24-2023", {"mdy"}),
        ("03/04/2023", {"dmy", "mdy"}),
        ("3.4.2023", {"dmy", "mdy"}),
        ("3/4/23", {"dmy", "mdy"}),
        ("03/04/05", {"ymd", "dmy", "mdy"}),
        ("23/03/24", {"ymd", "dmy"}),
        ("99-12-31", {"ymd"}),
        ("31/12/99", {"dmy"}),
        ("29/02/2024", {"dmy"}),
        ("12/11/2023 23:59", {"dmy", "mdy"}),
    ],
)
def test_a_cell_is_read_in_the_orders_that_give_a_day(text: str, orders: set[str]) -> None:
    assert date_orders_of(text) == orders


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("24-03-2023 10:23:10", "dmy", TIME),
        ("24-03-2023 10:23:10", "ymd", TIME),
        ("24/03/2023", "ymd", DAY),
        ("3/24/23", "ymd", DAY),
        ("3/24/23", "mdy", DAY),
        ("03/04/2023", "dmy", "2023-04-03T00:00:00.000000Z"),
        ("03/04/2023", "mdy", "2023-03-04T00:00:00.000000Z"),
        ("03/04/23 12:05 AM", "dmy", "2023-04-03T00:05:00.000000Z"),
        ("03/04/23 12:05 PM", "mdy", "2023-03-04T12:05:00.000000Z"),
        ("03/04/23 13:05 PM", "mdy", "2023-03-04T13:05:00.000000Z"),
        ("23/03/24", "dmy", "2024-03-23T00:00:00.000000Z"),
        ("31/12/99", "dmy", "1999-12-31T00:00:00.000000Z"),
        ("01/01/70", "dmy", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_cell_is_read_in_the_order_of_its_column(text: str, order: str, moment: str) -> None:
    assert read_utc_time(text, dt.UTC, order) == moment


@pytest.mark.parametrize(
    "text", ["03/04/2023", "3.4.2023", "03/04/05", "23/03/24", "01/02/2026", "1-2-26 10:00"]
)
def test_where_day_and_month_cannot_be_told_apart_the_option_is_named(text: str) -> None:
    with pytest.raises(AudienceError) as caught:
        read_utc_time(text, dt.UTC)
    assert str(caught.value) == (
        f'the date "{text}" is ambiguous; write it as 2026-01-31, or say whether day or month comes first '
        "with --dates dmy or --dates mdy"
    )


@pytest.mark.parametrize(("text", "order"), [("3/24/23", "dmy"), ("24.03.2023", "mdy"), ("99/12/31", "mdy")])
def test_a_cell_that_is_not_in_the_order_of_its_column_is_refused(text: str, order: str) -> None:
    sentence = f'the date "{text}" cannot be read in the order {order}; write it as 2026-01-31'
    with pytest.raises(AudienceError, match=sentence):
        read_utc_time(text, dt.UTC, order)


NO_DATES = [
    "",
    " ",
    "-",
    "\\N",
    "NULL",
    "0",
    "1",
    "5",
    "10",
    "-5",
    "2023",
    "2023-03",
    "03/2023",
    "March 2023",
    "24 March",
    "45009",
    "45009.4327",
    "19230324",
    "20231324",
    "20230230",
    "24032023",
    "12345678",
    "99999999",
    "167965339012",
    "4102444800",
    "16796533901234567",
    "1.67965E+09",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "0001-01-01",
    "1066-10-14",
    "2223-03-24",
    "2023-13-01",
    "2023-02-30",
    "30/02/2023",
    "2023-24-03",
    "24/03-2023",
    "24/13/2023",
    "1/2/3/2023",
    "112年3月24日",
    "2023-W12-5",
    "2023-03-24 25:00",
    "2023-03-24 10:60",
    "2023-03-24 10:23:61",
    "2023-03-24 13:00 AM",
    "2023-03-24 上午 3:00 PM",
    "2023-03-24 10",
    "2023-03-24 10:23:10 CST",
    "2023-03-24 10:23:10 IST",
    "2023-03-24 10:23:10 Mars/Olympus",
    "2023-03-24 10:23:10 +25:00",
    "2023-03-24 10:23:10 +0199",
    "2023-03-24 10:23:10 nonsense",
    "2023-03-24T10:23:10Z trailing",
    "2023-03-24 10:23 UTC foo",
    "2023-03-24T10:23:10Z EST",
    "2023-03-24x10:23:10",
    "2023-03-24-10:23:10",
    "about 2023-03-24",
    "2 days ago",
    "yesterday",
    "today",
    "now",
    "never",
    "Friday",
    "10:23",
    "10 AM",
    "yes",
    "true",
    "192.0.2.7",
    "1.2.3",
    "+1 555 010 0100",
    "Mar Mar 2023",
    "24 24 Mar",
    "Marz 24 2023 2023",
    "News 12",
    "ann@example.org",
    "2023-03-24 2023-03-24",
    "2023-03-24 10:23 10:23",
    "a" * 10_000,
    "1" * 10_000,
    "2023-03-24" + " " * 10_000 + "x",
]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_has_no_order_and_is_refused(text: str) -> None:
    assert date_orders_of(text) == frozenset()
    for order in ("ymd", "dmy", "mdy"):
        with pytest.raises(AudienceError, match=r"cannot be read; write it as 2026-01-31$"):
            read_utc_time(text, SHANGHAI, order)


@pytest.mark.parametrize("text", ["1969-12-31", "1/1/1969", "31 December 1901", "1900-01-01"])
def test_nobody_joined_before_1970(text: str) -> None:
    assert date_orders_of(text)
    with pytest.raises(AudienceError, match="cannot be read; write it as 2026-01-31"):
        read_utc_time(text, dt.UTC)


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22 12:00:00", "22.11.2026", "1795348800"])
def test_tomorrow_is_no_mistake_because_clocks_and_zones_differ(text: str) -> None:
    assert read_utc_time(text, dt.UTC)[:10] == "2026-11-22"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 12:00:01",
        "2026-11-23",
        "23.11.2026",
        "3 March 2027",
        "24/03/2099",
        "2050-01-01T00:00:00Z",
        "3/24/68",
    ],
)
def test_what_lies_in_the_future_is_a_mistake(text: str) -> None:
    assert date_orders_of(text)
    with pytest.raises(AudienceError, match=f'the date "{text}" is in the future; correct it'):
        read_utc_time(text, dt.UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-03-24", "2023-03-23T16:00:00.000000Z"),
        ("24/03/2023", "2023-03-23T16:00:00.000000Z"),
        ("2023年3月24日 上午8:00", "2023-03-24T00:00:00.000000Z"),
        ("2023-03-24 08:00:00 UTC", "2023-03-24T08:00:00.000000Z"),
        ("1679653390", TIME),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_publication(text: str, moment: str) -> None:
    assert read_utc_time(text, SHANGHAI) == moment


def test_summer_time_counts() -> None:
    assert read_utc_time("2023-07-01 12:00:00", BERLIN) == "2023-07-01T10:00:00.000000Z"
    assert read_utc_time("1.7.2023 12:00", BERLIN, "dmy") == "2023-07-01T10:00:00.000000Z"
    assert read_utc_time("2023-01-01 12:00:00", BERLIN) == "2023-01-01T11:00:00.000000Z"


def test_a_date_is_shown_on_one_line_in_an_error() -> None:
    with pytest.raises(AudienceError) as caught:
        read_utc_time("2023\n\x1b[2J\x00", dt.UTC)
    assert str(caught.value).isprintable()


MOMENTS = st.datetimes(dt.datetime.fromisoformat("1970-01-02"), dt.datetime.fromisoformat("2026-11-20"))


@given(MOMENTS)
@example(dt.datetime.fromisoformat("2000-02-29T23:59:59.999999"))
def test_a_moment_is_read_back_as_it_was(at: dt.datetime) -> None:
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert read_utc_time(text, SHANGHAI) == text


@given(MOMENTS)
def test_every_form_of_a_moment_means_the_same(at: dt.datetime) -> None:
    at = at.replace(microsecond=0)
    wanted = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    day, noon = f"{at.day:02}", "AM" if at.hour < 12 else "PM"
    english = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
        at.month - 1
    ]
    clock = f"{at.hour % 12 or 12}:{at.minute:02}:{at.second:02}"
    for form in (
        f"{at:%Y-%m-%d %H:%M:%S} +0000 UTC",
        f"{at:%Y-%m-%d %H:%M:%S}.000000001 +0000 UTC",
        f"{at:%Y/%m/%d %H:%M:%S}",
        f"{english} {day}, {at.year} {clock} {noon}",
        f"{day}-{english}-{at.year} {at:%H:%M:%S}",
        f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}",
        f"{at.year}/{at.month}/{at.day} {'上午' if at.hour < 12 else '下午'}{clock}",
    ):
        assert date_orders_of(form) == ALL, form
        assert read_utc_time(form, dt.UTC) == wanted, form
    assert read_utc_time(f"{at:%d/%m/%Y %H:%M:%S}", dt.UTC, "dmy") == wanted
    assert read_utc_time(f"{at:%m/%d/%Y} {clock} {noon}", dt.UTC, "mdy") == wanted


@given(st.text(alphabet="0123456789-/. :,年月日TZ+ampjr上午", max_size=30) | st.text(max_size=40))
def test_a_date_is_read_in_the_orders_that_it_has_and_in_no_other(text: str) -> None:
    orders = date_orders_of(text)
    for order in ("ymd", "dmy", "mdy"):
        try:
            moment = read_utc_time(text, dt.UTC, order)
        except AudienceError as error:
            check_sentence(error)
            continue
        assert orders
        assert order in orders or order == "ymd"
        assert dt.datetime.fromisoformat(moment).year >= 1969

# ruff: noqa: E501 (a table reads better than its folded lines)
"""Switches, choices and points in time: what may be written, and what is said of the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mailer.issue.values.choices import (
    ImagePlace,
    ListStyle,
    Moment,
    NoticePlace,
    Numbering,
    Switch,
    is_before,
)
from tests.issue.conftest import NAME, Load, Wrong

SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def value_of(kind: Any, written: Any) -> Any:
    return TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize("written", ["true", "True", "YES", "on", " yes ", True])
def test_a_switch_is_on(written: Any) -> None:
    assert value_of(Switch, written) is True


@pytest.mark.parametrize("written", ["false", "No", "OFF", False])
def test_a_switch_is_off(written: Any) -> None:
    assert value_of(Switch, written) is False


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (ImagePlace, "Above", "above"),
        (ImagePlace, " after ", "after"),
        (NoticePlace, "FOOTER", "footer"),
        (Numbering, "By-Section", "by-section"),
        (Numbering, "none", "none"),
        (ListStyle, "list", "list"),
        (ListStyle, "Stories", "stories"),
    ],
)
def test_a_choice_is_one_of_its_words_in_any_case(kind: Any, written: str, value: str) -> None:
    assert value_of(kind, written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-12-20", dt.date(2026, 12, 20)),
        (" 2026-12-20 ", dt.date(2026, 12, 20)),
        ("2026-12-20T18:00", dt.datetime.fromisoformat("2026-12-20T18:00")),
        ("2026-12-20 9:05", dt.datetime.fromisoformat("2026-12-20T09:05")),
        ("2026-12-20t18:00:30", dt.datetime.fromisoformat("2026-12-20T18:00")),
        ("2026-12-20T18:00Z", dt.datetime(2026, 12, 20, 18, tzinfo=dt.UTC)),
        ("2026-12-20T18:00 +08:00", dt.datetime(2026, 12, 20, 18, tzinfo=SHANGHAI)),
        ("2026-12-20T18:00:00-03:30", dt.datetime(2026, 12, 20, 18, tzinfo=dt.timezone(-dt.timedelta(hours=3.5)))),
    ],
)  # fmt: skip
def test_a_moment_is_a_day_or_a_day_with_a_time(written: str, value: dt.date) -> None:
    found = value_of(Moment, written)
    assert (type(found), found) == (type(value), value)
    assert getattr(found, "utcoffset", lambda: None)() == getattr(value, "utcoffset", lambda: None)()


def test_what_is_no_text_is_left_to_the_type() -> None:
    assert value_of(Moment, dt.date(2026, 12, 20)) == dt.date(2026, 12, 20)
    for kind in (Switch, ImagePlace, Moment):
        with pytest.raises(ValidationError):
            value_of(kind, ["a"])


ITEM = "items:\n  - title: a\n"
EVENT = f"{ITEM}    event:\n      starts: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ITEM}    lead: maybe\n", '6:11: lead: "maybe" is neither true nor false; write one of them'),
        ("contents: 2\nbody: x\n", '4:11: contents: "2" is neither true nor false; write one of them'),
        ("numbering: thru\nbody: x\n", '4:12: numbering: "thru" is not known here; did you mean "through"?'),
        ("numbering: roman\nbody: x\n", '4:12: numbering: "roman" is not known here; write through, by-section or none'),
        (f"style: row\n{ITEM}", '4:8: style: "row" is not known here; write list or stories'),
        (
            "notices: [{text: a, place: top}]\nbody: x\n",
            '4:28: place: "top" is not known here; write before, after or footer',
        ),
        (
            f"{ITEM}    image: {{src: 'https://a.example/a.png', alt: a, place: belov}}\n",
            '6:60: place: "belov" is not known here; did you mean "below"?',
        ),
        (f"{EVENT}tomorrow\n", '7:15: starts: "tomorrow" is not a day with a time; write it as 2026-12-20T18:00, or 2026-12-20'),
        (f"{EVENT}2026-02-30\n", "7:15: starts: 2026-02-30 is not a day of the calendar; write a date such as 2026-11-21"),
        (f"{EVENT}2026-02-20T24:00\n", "7:15: starts: 2026-02-20T24:00 has a time that no clock shows; write 00:00 to 23:59"),
        (f"{EVENT}2026-02-20T18:60\n", "7:15: starts: 2026-02-20T18:60 has a time that no clock shows"),
        (f"{EVENT}2026-02-20T18:00+25:00\n", "7:15: starts: 2026-02-20T18:00+25:00 has a time that no clock shows"),
        (f"{EVENT}2026-02-20T6 pm\n", '7:15: starts: "2026-02-20T6 pm" is not a day with a time'),
        (f"{EVENT}1899-12-31\n", "7:15: starts: 1899-12-31 is in a year that no event is in; write one from 1900 to 2199"),
        (f"{EVENT}9999-12-31T23:59-12:00\n", "7:15: starts: 9999-12-31 is in a year that no event is in"),
        (f"{EVENT}[a]\n", "7:15: starts: must be a day, or a day with a time, such as 2026-12-20T18:00"),
        (f"{ITEM}    lead: {{a: b}}\n", "6:11: lead: must be true or false"),
        ("numbering: [a]\nbody: x\n", "4:12: numbering: must be through, by-section or none"),
        (f"style: {{a: b}}\n{ITEM}", "4:8: style: must be list or stories"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_a_sentence_with_its_place(
    wrong: Wrong, head: str, text: str, message: str
) -> None:
    (line,) = wrong(head + text)
    assert line.startswith(f"{NAME}:{message}")


def test_the_values_of_an_issue(load: Load, head: str) -> None:
    issue = load(
        f"{head}contents: no\nnumbering: None\nstyle: List\n{ITEM}    lead: Yes\n    sponsored: false\n"
    ).issue
    assert (issue.contents, issue.numbering, issue.style) == (False, "none", "list")
    assert (issue.items[0].lead, issue.items[0].sponsored) == (True, False)


DAY, NEXT = dt.date(2026, 12, 20), dt.date(2026, 12, 21)


def at(hour: int, zone: dt.tzinfo | None = None, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), zone)


@pytest.mark.parametrize(
    ("end", "start", "expected"),
    [
        (DAY, DAY, False),
        (DAY, NEXT, True),
        (DAY, at(18), False),
        (at(9), DAY, False),
        (at(9), NEXT, True),
        (at(17), at(18), True),
        (at(18), at(18), False),
        (at(17, SHANGHAI), at(10, dt.UTC), True),
        (at(18, SHANGHAI), at(10, dt.UTC), False),
    ],
)
def test_an_end_is_before_a_start(end: dt.date, start: dt.date, expected: bool) -> None:
    assert is_before(end, start) is expected

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience import values
from mailer.errors import AudienceError

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-30T16:00:00.000000Z"),
        ("2026/1/31", "2026-01-30T16:00:00.000000Z"),
        ("2026.1.31 ", "2026-01-30T16:00:00.000000Z"),
        ("2026年1月31日", "2026-01-30T16:00:00.000000Z"),
        ("2026-01-31 8:05", "2026-01-31T00:05:00.000000Z"),
        ("2026-01-31 08:05:06", "2026-01-31T00:05:06.000000Z"),
        ("2026-01-31 8:05:06Z", "2026-01-31T08:05:06.000000Z"),
        ("2026-01-31T08:05:06.123456Z", "2026-01-31T08:05:06.123456Z"),
        ("2026-01-31 08:05:06 UTC", "2026-01-31T08:05:06.000000Z"),
        ("2026-01-31 08:05:06+02:00", "2026-01-31T06:05:06.000000Z"),
    ],
)
def test_dates_are_read_in_the_publications_time_zone(text: str, moment: str) -> None:
    assert values.moment(text, SHANGHAI) == moment


@pytest.mark.parametrize(
    "text",
    ["01/02/2026", "yesterday", "2026-13-01", "2026-02-30", "0001-01-01", "2026-01-31 25:00", "20260131"],
)
def test_a_date_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(AudienceError, match=f'the date "{text}" is not clear; write it as 2026-01-31'):
        values.moment(text, SHANGHAI)


@given(st.datetimes().filter(lambda at: 1900 <= at.year < 9999))
def test_a_moment_is_read_back_as_it_was(at: dt.datetime) -> None:
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert values.moment(text, SHANGHAI) == text


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("", ""),
        (" ", ""),
        ("ZH", "zh"),
        ("en_us", "en-US"),
        ("zh-CN", "zh-Hans-CN"),
        ("中文", "zh"),
        ("English", "en"),
    ],
)
def test_languages_have_one_spelling(text: str, tag: str) -> None:
    assert values.language_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", ""),
        ("Active", "active"),
        ("Subscribed", "active"),
        ("退订", "unsubscribed"),
        ("cleaned", "bounced"),
    ],
)
def test_other_programs_words_for_a_status_are_understood(text: str, status: str) -> None:
    assert values.status_word(text) == status


def test_names_are_one_line() -> None:
    assert values.clean_line(" Li\r\n  Wei\u3000\t") == "Li Wei"
    assert values.clean_line("  ") == ""
    assert values.clean_line("Zoe\u0301") == "Zoé"


def test_tags_are_split_and_each_is_kept_once() -> None:
    assert values.tags_of(["vip, press;x|y", "vip", " ；、，"]) == ("vip", "press", "x", "y")


def test_an_attribute_is_called_what_an_expression_can_say() -> None:
    assert values.attribute_key(" Company Name (2) ") == "company_name_2"
    assert values.attribute_key("公司") == "公司"
    assert values.attribute_key("2nd") == "_2nd"


def test_time_zones_are_known_ones() -> None:
    assert values.timezone_name(" Asia/Shanghai ") == "Asia/Shanghai"
    assert values.timezone_name(" ") == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: values.clean_line("a\x00b"), 'the name "a\ufffdb" holds a control character; remove it'),
        (lambda: values.clean_line("a\ud800b"), "holds a control character"),
        (lambda: values.clean_line("a" * 201), "the name is longer than 200 characters; shorten it"),
        (lambda: values.clean_line("a " * 20_000_0), "the name is longer than 200 characters; shorten it"),
        (
            lambda: values.language_tag("klingonese"),
            'the language "klingonese" is not known; write a tag such as',
        ),
        (
            lambda: values.timezone_name("Beijing"),
            'the time zone "Beijing" is not known; write a name such as',
        ),
        (lambda: values.timezone_name("../../etc/passwd"), "the time zone"),
        (
            lambda: values.status_word("maybe"),
            'the status "maybe" is not known; write one of pending, active',
        ),
        (
            lambda: values.tags_of(str(n) for n in range(101)),
            "there are more than 100 tags; keep what is used",
        ),
        (lambda: values.tags_of(["x" * 101]), "the tag is longer than 100 characters"),
        (lambda: values.editions_of(["mornin"], ["morning", "evening"]), "did you mean morning?"),
        (lambda: values.editions_of(["x"], ["morning", "evening"]), "there are morning, evening"),
        (
            lambda: values.attribute_key("???"),
            '"???" cannot be the name of an attribute; use letters and digits',
        ),
        (lambda: values.attribute_key("k" * 101), "has a name of more than 100 characters"),
        (lambda: values.attribute_value("a\x07", "company"), "company holds a control character; remove it"),
        (lambda: values.attribute_value("a" * 2001, "company"), "company is longer than 2,000 characters"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence(wrong: object, sentence: str) -> None:
    with pytest.raises(AudienceError) as caught:
        wrong()  # type: ignore[operator]
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_attribute_may_have_several_lines() -> None:
    assert values.attribute_value(" 1 Quay\r\nPort \n", "street") == "1 Quay\r\nPort"

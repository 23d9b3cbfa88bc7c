"""What language tags mean: their spelling, the way they are written, whose words stand in."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.language.dates import long_date
from mailer.language.direction import affects_direction
from mailer.language_tags import (
    direction_of,
    fallback_tags,
    locale_of,
    nearest_tag,
    normalised_language_tag,
)

TO_THE_LEFT = (
    "ar he iw fa ur yi ps sd ug dv ckb ku-Arab az-Arab az-IR pa-PK uz-AF ar-EG fa-AF ms-Arab ff-Adlm syr"
)

TO_THE_RIGHT = "en zh-Hant-TW ja ku az ar-Latn pa uz ms tlh de-DE"


@pytest.mark.parametrize("tag", TO_THE_LEFT.split())
def test_languages_written_from_right_to_left(tag: str) -> None:
    assert direction_of(tag) == direction_of(normalised_language_tag(tag)) == "rtl"


@pytest.mark.parametrize("tag", TO_THE_RIGHT.split())
def test_all_others_are_written_from_left_to_right(tag: str) -> None:
    assert direction_of(tag) == direction_of(normalised_language_tag(tag)) == "ltr"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("zh-TW", "zh-Hant-TW"),
        ("zh_tw", "zh-Hant-TW"),
        ("zh-HK", "zh-Hant-HK"),
        ("zh-CN", "zh-Hans-CN"),
        ("EN", "en"),
        ("ku-arab", "ku-Arab"),
        ("ar-latn", "ar-Latn"),
        ("tlh", "tlh"),
        ("zh-hant-xx", "zh-Hant-XX"),
        ("en_cn", "en-CN"),
        ("en-UK", "en-GB"),
        ("de-1996", "de-1996"),
    ],
)
def test_a_tag_in_its_usual_spelling(text: str, tag: str) -> None:
    assert normalised_language_tag(text) == tag


@pytest.mark.parametrize(
    "text", ["english", "", "xx", "zh-YUE", "en-ZQ", "e", "en-", "中文", "en us", "a" * 40]
)
def test_what_is_no_tag(text: str) -> None:
    with pytest.raises(ValueError, match="not a language tag"):
        normalised_language_tag(text)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,35}", fullmatch=True))
def test_whatever_is_taken_has_a_date_and_a_direction_and_stays_as_it_is(text: str) -> None:
    try:
        tag = normalised_language_tag(text)
    except ValueError:
        tag = text
    else:
        assert normalised_language_tag(tag) == tag
    assert long_date(dt.date(2026, 11, 23), tag)
    assert direction_of(tag) in ("ltr", "rtl")
    assert fallback_tags(tag)[0] == tag.lower().replace("_", "-")


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        ("zh", ("zh",)),
        ("zh-TW", ("zh-tw", "zh-hant-tw", "zh-hant", "zh")),
        ("zh-Hant-TW", ("zh-hant-tw", "zh-tw", "zh-hant", "zh")),
        ("zh-Hans-TW", ("zh-hans-tw", "zh-hans", "zh")),
        ("zh_SG", ("zh-sg", "zh-hans-sg", "zh-hans", "zh")),
        ("en", ("en",)),
    ],
)
def test_whose_words_stand_in(tag: str, asked: tuple[str, ...]) -> None:
    assert fallback_tags(tag) == asked


def test_dates_of_a_language_without_any_are_english() -> None:
    assert str(locale_of("tlh")) == str(locale_of("no such")) == "en"
    assert str(locale_of("zh-Hant-XX")) == "zh_Hant"
    assert long_date(dt.date(2026, 11, 23), "tlh") == "November 23, 2026"


def test_a_name_is_set_apart_where_directions_meet() -> None:
    assert affects_direction("Harbour Wire!", "rtl")
    assert affects_direction("صحيفة", "ltr")
    assert not affects_direction("Harbour Wire · 港口", "ltr")


@pytest.mark.parametrize(
    ("wanted", "known", "found"),
    [
        ("zh", ["en", "zh"], "zh"),
        ("zh-Hant", ["en", "zh"], "zh"),
        ("zh_TW", ["zh", "zh-Hant"], "zh-Hant"),
        ("zh-TW", ["zh-Hans"], "zh-Hans"),
        ("zh", ["zh-Hant", "zh-Hans-CN"], "zh-Hans-CN"),
        ("en", ["fr", "en-GB"], "en-GB"),
        ("en-US", ["en-GB", "en"], "en"),
        ("de", ["en", "zh"], None),
        ("", ["en"], None),
        ("no tag", ["en"], None),
        ("en", [], None),
    ],
)
def test_the_nearest_tag_is_of_the_same_language(wanted: str, known: list[str], found: str | None) -> None:
    assert nearest_tag(wanted, known) == found

from __future__ import annotations

import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.exchange.columns.cell_words import folded_text
from mailer.audience.exchange.columns.profile import status_words
from mailer.audience.values import cells as values
from mailer.audience.values.dates import read_utc_time
from mailer.errors import AudienceError

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-30T16:00:00.000000Z"),
        ("2026/1/31", "2026-01-30T16:00:00.000000Z"),
        ("20260131", "2026-01-30T16:00:00.000000Z"),
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
    assert read_utc_time(text, SHANGHAI) == moment


@pytest.mark.parametrize(
    "text",
    ["01/02/2026", "yesterday", "2026-13-01", "2026-02-30", "0001-01-01", "2026-01-31 25:00"],
)
def test_a_date_that_is_not_clear_is_refused(text: str) -> None:
    why = "is ambiguous" if text == "01/02/2026" else "cannot be read"
    with pytest.raises(AudienceError, match=f'the date "{text}" {why}; write it as 2026-01-31'):
        read_utc_time(text, SHANGHAI)


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
    assert status_words().get(folded_text(text), "") == status


def test_names_are_one_line() -> None:
    assert values.clean_line(" Li\r\n  Wei\u3000\t") == "Li Wei"
    assert values.clean_line("  ") == ""
    assert values.clean_line("Zoe\u0301") == "Zoé"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "\u200b",
            "\u00ad",
            "\u2800",
            "\u3164",
            "\ufeff",
            "\u115f",
            "\u1160",
            "\uffa0",
            "\u2060",
            "\u200d",
            "\ufe0f",
        ),
        *(
            "\u200b \u00ad",
            "\u2800\u2800",
            "\u3164 \u3164",
            "\u202e",
            "\u2066\u2069",
            "\U000e0020",
            "\u034f",
            "\u180e",
        ),
        *("NULL", " NULL ", "\\N", "\ufeffNULL", "\u00a0", "\u3000"),
    ],
)
def test_a_name_that_shows_nothing_is_no_name(text: str) -> None:
    assert values.clean_line(text) == ""
    assert values.attribute_value(text, "company") == ""
    assert values.clean_tags([text]) == ()


@pytest.mark.parametrize(
    "name", ["Null", "null", "Jane Null", "N", "N/A", "None", "-", "\\n", ".", "❤️", "ᄀ", "한"]
)
def test_people_are_named_null(name: str) -> None:
    assert values.clean_line(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\u202eenna", "enna"),
        ("Ann\u202a Vale\u202c", "Ann Vale"),
        ("\u2067علي\u2069", "علي"),
        ("Ann \u202e Vale", "Ann Vale"),
        ("\ufeffAnn", "Ann"),
        ("Ann\u200b", "Ann"),
        ("\u3164Ann\u2800", "Ann"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("Zoe\u0301  V", "Zoé V"),
    ],
)
def test_what_turns_or_surrounds_a_name_unseen_goes_and_the_rest_stays(text: str, name: str) -> None:
    assert values.clean_line(text) == name


LINES = st.text(
    alphabet=st.sampled_from("aé\u0301\u200b\u00ad\u2800\u3164\ufeff\u202e\u2066 NULL\\中\u200d\t"),
    max_size=12,
)


@given(LINES)
def test_a_line_is_clean_once_and_for_all(text: str) -> None:
    line = values.clean_line(text)
    assert values.clean_line(line) == line
    assert not set(line) & set("\u202e\u2066")
    assert unicodedata.is_normalized("NFC", line)


@given(LINES)
def test_an_attribute_is_clean_once_and_for_all(text: str) -> None:
    value = values.attribute_value(text, "k")
    assert values.attribute_value(value, "k") == value
    assert not set(value) & set("\u202e\u2066")
    assert unicodedata.is_normalized("NFC", value)


def test_attributes_and_their_names_are_in_nfc() -> None:
    assert values.attribute_value("Zoe\u0301", "k") == "Zoé"
    assert values.attribute_key("Cafe\u0301") == "café"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"Customer","VIP"', ("Customer", "VIP")),
        ('"VIP"', ("VIP",)),
        ('"Smith, John";vip', ("Smith, John", "vip")),
        (' "a" , "b" ', ("a", "b")),
        ('"say ""hi""",x', ('say "hi"', "x")),
        ("老客户、华东", ("老客户", "华东")),
        ("a、b;c|d，e；f\ng", ("a", "b", "c", "d", "e", "f", "g")),
        ("VIP,vip,Vip", ("VIP",)),
        ("Straße;STRASSE;strasse", ("Straße",)),
        ("ÉCOLE,école", ("ÉCOLE",)),
        ("Zoe\u0301,Zoé", ("Zoé",)),
        ('a"press', ('a"press',)),
        ('"open,b', ('"open', "b")),
        ('"a" b,c', ('"a" b', "c")),
        ('""', ()),
        ('"",,"" ', ()),
        ('["VIP", "a,b"]', ("VIP", "a,b")),
        ("[]", ("[]",)),
        ("[x]", ("[x]",)),
        ("[1]", ("[1]",)),
        ("NULL,x", ("x",)),
        ("\\N", ()),
        ("", ()),
    ],
)
def test_tags_come_without_their_quotes_and_each_once_whatever_its_case(
    text: str, tags: tuple[str, ...]
) -> None:
    assert values.clean_tags([text]) == tags


def test_tags_of_several_options_are_compared_without_case_too() -> None:
    assert values.clean_tags(["VIP", "vip", "Press"]) == ("VIP", "Press")


@given(st.lists(st.text(alphabet=st.sampled_from('ab",;、[] \\é'), min_size=1, max_size=6), max_size=5))
def test_a_list_in_a_cell_is_read_back(parts: list[str]) -> None:
    tags = tuple(dict.fromkeys(tag for part in parts if (tag := values.clean_line(part))))
    assert values.split_list(values.join_list(tags)) == tags


def test_tags_are_split_and_each_is_kept_once() -> None:
    assert values.clean_tags(["vip, press;x|y", "vip", " ；、，"]) == ("vip", "press", "x", "y")


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
            lambda: values.clean_tags(str(n) for n in range(101)),
            "a person can have at most 100 tags; remove some",
        ),
        (lambda: values.clean_tags(["x" * 101]), "the tag is longer than 100 characters"),
        (lambda: values.checked_editions(["mornin"], ["morning", "evening"]), "did you mean morning?"),
        (lambda: values.checked_editions(["x"], ["morning", "evening"]), "choose from morning, evening"),
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

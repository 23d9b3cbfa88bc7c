"""Cells that hold an address and something around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.addresses import cleaned_address_and_note, read_address
from mailer.audience.values.address import address_of_cell
from mailer.errors import AudienceError
from tests.sentences import check_sentence

ANN = "ann@example.org"


@pytest.mark.parametrize(
    "text",
    [
        ANN,
        "Ann.Vale+news@EXAMPLE.org",
        " ann@example.org\t",
        "o'neil@example.org",
        "bücher@example.org",
        "ann@bücher.example",
        "ann@xn--bcher-kva.example",
        "a_b-c@sub.example.co.uk",
        "nobody",
        "",
        "@example.org",
        "ann@example.org bob",
        "ann@example.org, bob",
        "ann @example.org",
        "ann@ example.org",
        "ann@exa\u200bmple.org",
        "<ann@example.org",
        "ann@example.org>",
        '"ann@example.org',
        ".ann@example.org",
        "ann@example",
        "ann@example,org",
        "ann at example.org",
        "mailto:",
        "mailto:ann",
        "Ann <ann>",
        "Ann <>",
        "()",
        '""',
        "ann@@example.org",
        "a@b@example.org",
        "x" * 5000 + "@example.org",
    ],
)
def test_what_needs_no_cleaning_or_cannot_be_cleaned_comes_back_as_it_is(text: str) -> None:
    assert cleaned_address_and_note(text) == (text if len(text) > 1000 else text.strip(), "")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("mailto:ann@example.org", "mailto:"),
        ("MAILTO:ann@example.org", "mailto:"),
        ("mailto://ann@example.org", "mailto:"),
        ("mailto:ann@example.org?subject=Hello%20you", "mailto:"),
        ("mailto:ann%40example.org", "mailto:"),
        ("<mailto:ann@example.org>", "brackets, mailto:"),
        ("SMTP:ann@example.org", "smtp:"),
        ("<ann@example.org>", "brackets"),
        ("＜ann@example.org＞", "full-width characters, brackets"),
        ("(ann@example.org)", "brackets"),
        ("[ann@example.org]", "brackets"),
        ("Ann <ann@example.org>", "a name"),
        ("Ann Vale<ann@example.org>", "a name"),
        ('"Vale, Ann" <ann@example.org>', "a name"),
        ("安 <ann@example.org>", "a name"),
        ("安＜ann＠example.org＞", "full-width characters, a name"),
        ("ann@example.org <ann@example.org>", "a name"),
        ('"ANN@example.org" <ann@example.org>', "a name"),
        ("Ann Vale (ann@example.org)", "a name"),
        ("Ann <mailto:ann@example.org>", "a name, mailto:"),
        ("ann@example.org (work)", "a comment"),
        ("(work) ann@example.org", "a comment"),
        ("ann@example.org。", "full-width characters, punctuation around it"),
        ("ann@example.org.", "punctuation around it"),
        ("ann@example.org,", "punctuation around it"),
        ("ann@example.org;", "punctuation around it"),
        ("ann@example.org；", "full-width characters, punctuation around it"),
        ("ann@example.org，", "full-width characters, punctuation around it"),
        ("ann@example.org、", "full-width characters, punctuation around it"),
        ("ann@example.org !", "punctuation around it"),
        (",ann@example.org", "punctuation around it"),
        ("; ann@example.org ; ", "punctuation around it"),
        ("<ann@example.org>,", "punctuation around it, brackets"),
        ("ann＠example.org", "full-width characters"),
        ("ann@example。org", "full-width characters"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ", "full-width characters"),
        ("\u00a0ann@example.org\u00a0", "invisible characters around it"),
        ("\ufeffann@example.org", "invisible characters around it"),
        ("ann@example.org\u200b", "invisible characters around it"),
        ("\u202aann@example.org\u202c", "invisible characters around it"),
        ("<\u200bann@example.org\u00a0>", "brackets"),
        ("'ann@example.org'", "quotes"),
        ('"ann@example.org"', "quotes"),
        ("“ann@example.org”", "quotes"),
        ("‘ann@example.org’", "quotes"),
        ("「ann@example.org」", "brackets"),
        ('"<ann@example.org>"', "quotes, brackets"),
        ("'Ann <ann@example.org>'", "quotes, a name"),
    ],
)
def test_what_stands_around_an_address_is_left_out_and_told(text: str, note: str) -> None:
    address, told = cleaned_address_and_note(text)
    assert address.lower() == ANN
    assert sorted(told.split(", ")) == sorted(note.split(", "))
    assert address_of_cell(text)[0].key == ANN


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org, bob@example.org",
        "ann@example.org;bob@example.org",
        "ann@example.org bob@example.org",
        "ann@example.org / bob@example.org",
        "ann@example.org\nbob@example.org",
        "ann@example.org；bob@example.org",
        "ann@example.org、bob@example.org",
        "<ann@example.org>, <bob@example.org>",
        "Ann <ann@example.org>, Bob <bob@example.org>",
        "ann@example.org <bob@example.org>",
        "ann@example.org (bob@example.org)",
        "mailto:ann@example.org,bob@example.org",
        "mailto:ann@example.org?cc=bob@example.org",
        "mailto:ann@example.org?cc=bob%40example.org",
        "mailto:?to=ann@example.org&cc=bob@example.org",
        '"ann@example.org" <bob@example.org>',
        "ann@example.org|bob@example.org",
    ],
)
def test_two_addresses_are_never_one(text: str) -> None:
    with pytest.raises(ValueError, match="holds more than one address; give each a row of its own"):
        cleaned_address_and_note(text)
    with pytest.raises(AudienceError, match="holds more than one address"):
        address_of_cell(text)


PIECES = st.sampled_from(
    [
        *("ann@example.org", "bob@example.org", "mailto:", "<", ">", "(", ")", '"', "'", ",", ";", ".", "。"),
        *("＠", "@", " ", "Ann", "work", "\u200b", "\u00a0", "example.org", "ann", "?", "%40", "“", "”", "a"),
        *("|", "/", "\r\n", "\x00"),
    ]
)
CELLS = st.lists(PIECES, max_size=7).map("".join) | st.text(max_size=40)
WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3002: ".",
    0xFF61: ".",
    0xFE6B: "@",
    0x3001: ",",
}


@given(CELLS)
def test_an_address_is_never_invented(text: str) -> None:
    """It stands in the cell, as it is, with nothing that could be a part of it on either side."""
    try:
        address, note = cleaned_address_and_note(text)
    except ValueError as error:
        assert text.count("@") + text.count("＠") + text.count("%40") > 1
        check_sentence(error)
        return
    plain = text.translate(WIDE)
    if not note:
        assert address in text
        return
    read_address(address)
    if "mailto:" not in note:
        assert address in plain
        before, _, after = plain.partition(address)
        assert not f"{before[-1:]}{after[:1]}".strip('"').isalnum()


@given(CELLS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    try:
        address, _ = cleaned_address_and_note(text)
    except ValueError:
        return
    try:
        read_address(address)
    except ValueError:
        return
    assert cleaned_address_and_note(address) == (address, "")

"""Values of header fields read back, with the standard library, as what was written."""

from __future__ import annotations

from collections.abc import Callable
from email.header import decode_header, make_header
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.message.header_fields import (
    encode_phrase,
    encode_unstructured_value,
    encoded_words,
    field_value,
    language_fields,
    list_id_value,
    mailbox_value,
)

ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))


@given(ONE_LINE, st.integers(1, 20))
def test_encoded_words_are_short_and_read_back(text: str, column: int) -> None:
    encoded = encoded_words(text, column)
    first, *others = encoded.split(b"\r\n ")
    assert column + len(first) <= 76
    assert all(len(word) <= 75 for word in others)
    assert str(make_header(decode_header(encoded.decode("ascii")))) == text


@given(ONE_LINE)
@example("=?utf-8?q?hi?=")
@example(" leading")
@example("word " * 40)
@example(("word " * 40).strip())
@example("two  spaces " * 9 + "end")
@example("x" * 80 + " y")
@example("y " + "x" * 80)
@example("x" * 70 + " y")
def test_a_subject_reads_back(text: str) -> None:
    value = encode_unstructured_value("Subject", text)
    lines = (b"Subject:" + value).split(b"\r\n")
    assert all(len(line) <= (76 if b"=?" in line else 78) for line in lines)
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    unfolded = value.decode("ascii").replace("\r\n", "").removeprefix(" ")
    assert str(make_header(decode_header(unfolded))) == text
    if "=?" not in text:
        shown = default.header_fetch_parse("Subject", value.decode("ascii"))
        assert str(shown).strip() == text.strip()


def test_a_plain_subject_stays_readable() -> None:
    assert encode_unstructured_value("Subject", "Ten headlines") == b" Ten headlines"


def test_a_display_name_is_quoted_or_encoded() -> None:
    assert encode_phrase("") == b""
    assert encode_phrase("O'Hara, Mary") == b'"O\'Hara, Mary"'
    assert encode_phrase("李雷") == b"=?utf-8?B?5p2O6Zu3?="
    assert encode_phrase("=?x?=").startswith(b"=?utf-8?B?")


@pytest.mark.parametrize(
    ("field", "write", "length"),
    [
        ("To", lambda size: mailbox_value("To", "Li", "a" * (size - 23) + "@example.org"), 78),
        ("To", lambda size: mailbox_value("To", "李", "a" * (size - 35) + "@example.org"), 76),
        ("List-Id", lambda size: list_id_value("a" * 40, "b" * (size - 54)), 78),
        ("Message-ID", lambda size: field_value("Message-ID", b"c" * (size - 12)), 78),
    ],
)
def test_a_value_is_folded_where_its_line_is_too_long_and_only_there(
    field: str, write: Callable[[int], bytes], length: int
) -> None:
    line = f"{field}:".encode() + write(length)
    assert b"\r\n" not in line
    assert len(line) <= length
    assert len(f"{field}:".encode() + write(length + 9).replace(b"\r\n", b"")) > length
    assert b"\r\n " in write(length + 9)


def test_a_value_that_is_too_long_for_any_line_is_not_folded() -> None:
    assert b"\r\n" not in mailbox_value("To", "", "a" * 64 + "@" + "b" * 60 + ".test")


def test_the_language_is_a_tag_and_may_be_unknown() -> None:
    assert language_fields("zh_Hant") == (("Content-Language", "zh-Hant"),)
    assert language_fields("") == ()

"""Encoding by hand must read back, with the standard library, as what was written."""

from __future__ import annotations

import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from mailer.message.mime import (
    LINE,
    encode_quoted_printable,
    encode_slot_value,
)

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
)


def _decoded(data: bytes) -> str:
    return quopri.decodestring(data).decode("utf-8").replace("\r\n", "\n")


@given(TEXT)
@example(".")
@example("From here\nFrom there")
@example("a" * 75 + ".")
@example("x " * 60)
@example("x" * 74 + " ")
@example("x" * 73 + " ")
@example("tab\t\nspace \n")
def test_quoted_printable_reads_back_and_keeps_to_its_lines(text: str) -> None:
    encoded = encode_quoted_printable(text)
    assert _decoded(encoded) == text
    for line in encoded.split(b"\r\n"):
        assert len(line) <= LINE
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


@given(TEXT, TEXT, TEXT)
def test_a_slot_stands_between_fragments_that_were_encoded_before(
    before: str, value: str, after: str
) -> None:
    joined = encode_quoted_printable(before) + encode_slot_value(value) + encode_quoted_printable(after)
    assert _decoded(joined) == before + value + after
    assert all(len(line) <= LINE and not line.startswith(b".") for line in joined.split(b"\r\n"))

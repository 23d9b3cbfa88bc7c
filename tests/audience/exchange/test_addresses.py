"""The addresses of a list are found whatever stands around them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.audience.exchange import addresses
from mailer.audience.exchange.addresses import read_addresses
from mailer.errors import AudienceError

LINE = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8", exclude_characters="\r\n"), st.sampled_from("@,;|\t\"'<> ")
    ),
    max_size=40,
)


def found(data: bytes) -> list[str]:
    return [line.address.address for line in read_addresses(data, "x") if line.address]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(LINE, max_size=6), st.lists(LINE, max_size=6), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_other_lines_of_a_plain_list_hide_no_address(before: list[str], after: list[str], codec: str) -> None:
    lines = ["ann@example.org", *before, "cy@example.org", *after, "bo@example.org"]
    read = found("\n".join(lines).encode(codec))
    assert {"ann@example.org", "bo@example.org", "cy@example.org"} <= set(read)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE.filter(lambda text: '"' not in text), max_size=6))
def test_other_rows_of_a_table_hide_no_address(rows: list[str]) -> None:
    """A quote that is open may take the next lines with it, so that it is tried apart."""
    text = "email,name\nann@example.org,Ann\n" + "".join(f"{row}\n" for row in rows) + "bo@example.org,Bo\n"
    assert {"ann@example.org", "bo@example.org"} <= set(found(text.encode()))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_defect(data: bytes) -> None:
    try:
        lines = read_addresses(data, "x")
    except AudienceError:
        return
    assert all((line.address is None) == bool(line.problem) for line in lines)


def test_an_open_quote_in_a_table_costs_its_row_alone() -> None:
    text = 'email,note\nann@example.org,"open\n' + "".join(f"r{n}@example.org,x\n" for n in range(200))
    assert found(text.encode()) == [f"r{n}@example.org" for n in range(200)]


def test_two_open_quotes_cost_their_rows_alone() -> None:
    text = 'email,note\nann@example.org,"open\nbo@example.org,x\ncy@example.org,"open\ndi@example.org,y\n'
    assert found(text.encode()) == ["bo@example.org", "di@example.org"]


def test_a_table_full_of_quotes_and_a_list_that_is_too_long_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = 'r@example.org,"open\n' * 20_000
    assert found(f"email,note\nann@example.org,x\n{rows}".encode()) == ["ann@example.org"]
    monkeypatch.setattr(addresses, "MOST_BYTES", 20)
    with pytest.raises(AudienceError, match="x: is larger than 0 MB; split the list"):
        read_addresses(b"ann@example.org\n" * 2, "x")


@pytest.mark.parametrize(
    "codec", ["utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "gb18030", "cp1252", "cp1250"]
)
def test_whatever_the_encoding_the_addresses_are_found(codec: str) -> None:
    """A list is not refused for its names: those that are spoilt are no part of it."""
    name = "安" if codec.startswith(("utf", "gb")) else "Zoë"
    text = f"name,email\n{name},ann@example.org\n{name},bo@example.org\n"
    assert found(text.encode(codec)) == ["ann@example.org", "bo@example.org"]

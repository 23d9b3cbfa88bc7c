"""Quotes as other programs write them, and quotes that are not closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience.exchange import importer, records
from mailer.audience.exchange.quotes import cells_of_row_with_spaced_quotes
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import find, list_subscribers
from mailer.errors import AudienceError, FailureError

Load = Callable[..., ImportReport]


def people(db: Database) -> list[tuple[str | None, str, object]]:
    return [(person.address, person.name, person.attributes.get("city")) for person in list_subscribers(db)]


@pytest.mark.parametrize("before", ["", " ", "   "])
@pytest.mark.parametrize("after", ["", " ", "\u00a0", "  \u3000"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blanks_around_a_quoted_cell_are_no_part_of_it(
    db: Database, load: Load, before: str, after: str, delimiter: str, end: str
) -> None:
    rows = (
        ["email", '"name"', "city"],
        ["ann@example.org", "Ann Vale", "Port"],
        ["bob@example.org", f'"Marsh{delimiter} ""Bob"""', "Port"],
        ["cid@example.org", "Cid", '"Port, North"'],
        ['"dee@example.org"', '""', '"Port"'],
    )
    text = "".join(f"{after}{delimiter}{before}".join(row) + after + end for row in rows)
    report = load(text)
    assert report.count("added") == 4, report.notes
    assert people(db) == [
        ("ann@example.org", "Ann Vale", "Port"),
        (
            "bob@example.org",
            f'Marsh{" " if delimiter == chr(9) else delimiter} "Bob"'.replace("  ", " "),
            "Port",
        ),
        ("cid@example.org", "Cid", "Port, North"),
        ("dee@example.org", "", "Port"),
    ]


@given(st.lists(st.text(alphabet='ab ,;"\n'), min_size=1, max_size=5), st.sampled_from(["", " ", "  "]))
def test_cells_in_quotes_are_read_whatever_blanks_stand_around(cells: list[str], blank: str) -> None:
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    assert cells_of_row_with_spaced_quotes(f"{blank},{blank}".join(quoted) + blank, ",") == cells


@pytest.mark.parametrize("text", ['"a', '"a"b', '"a" b,c', 'a,"b" "c"', '"a""'])
def test_a_quote_within_a_cell_is_still_no_row(text: str) -> None:
    assert cells_of_row_with_spaced_quotes(text, ",") is None


def test_rows_that_an_open_quote_swallows_are_read_as_rows(db: Database, load: Load) -> None:
    """Two open quotes close each other, and the rows between them would be one attribute."""
    report = load('email,name\na@b.test,"\nb@b.test,B\nc@b.test,"\nd@b.test,D\n')
    assert report.count("refused") >= 1
    assert find(db, "b@b.test") is not None
    assert find(db, "d@b.test") is not None
    assert report.notes[0].reason == "a quote is opened but not closed; close it"


def test_a_list_of_addresses_alone_keeps_those_behind_an_open_quote(db: Database, load: Load) -> None:
    load('email\n"a@b.test\nb@b.test\nc@b.test"\nd@b.test\n')
    assert find(db, "b@b.test") is not None
    assert find(db, "d@b.test") is not None


def test_a_note_with_line_breaks_and_an_address_is_kept(db: Database, load: Load) -> None:
    load('email,name,city\na@b.test,A,"12 Quay\nwrite to x@b.test\n, or call"\n')
    assert people(db) == [("a@b.test", "A", "12 Quay\nwrite to x@b.test\n, or call")]


def test_an_open_quote_costs_its_row_alone_however_many_there_are(db: Database, load: Load) -> None:
    block = 'bad{0}@b.test,"open\n' + "".join(f"ok{{0}}-{n}@b.test,N\n" for n in range(600))
    report = load("email,name\n" + "".join(block.format(number) for number in range(5)))
    assert report.count("added") == 3000
    assert report.count("refused") == 5


@pytest.mark.parametrize(
    "block",
    [
        'bad@b.test,"open\n' + "ok@b.test,N\n" * 700,
        'bad@b.test,"open\n' + 'ok@b.test,""\n' * 700,
        'a@b.test,"x\nb","y\n' + "ok@b.test,N\n" * 200,
        'a@b.test,"\n' + 'ok@b.test,"N"\nok@b.test,N\n' * 300,
        'a@b.test,"""\n' + 'ok@b.test,"""N"""\n' * 300,
        'a@b.test, "x" "\nb@b.test,C\n' + "ok@b.test,N\n" * 300,
    ],
)
def test_no_line_is_read_again_and_again(block: str, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled = 0
    take = records._LineReader.__next__

    def counted(lines: records._LineReader) -> str:
        nonlocal pulled
        pulled += 1
        return take(lines)

    monkeypatch.setattr(records._LineReader, "__next__", counted)
    assert load("email,name\n" + block * 20).count("added") >= 1
    assert pulled < 4 * 20 * block.count("\n")


def test_a_list_whose_rows_are_all_broken_is_refused_at_once(db: Database, load: Load) -> None:
    rows = "".join(f'a{n}@b.test,"x"y\n' for n in range(50_000))
    with pytest.raises(AudienceError) as caught:
        load("email,name\n" + rows)
    assert str(caught.value) == (
        "list.csv:1001: 1,000 of the first 1,000 rows are broken by quotes that are not closed or are "
        "within a cell; correct the quotes, or save the list as CSV again"
    )
    assert people(db) == []


def test_a_list_that_breaks_off_into_broken_rows_is_given_up(
    db: Database, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 100)
    good = "".join(f"a{n}@b.test,A\n" for n in range(1500))
    bad = "".join(f'b{n}@b.test,"x"y\n' for n in range(50_000))
    with pytest.raises(FailureError, match="rows are broken by quotes"):
        load("email,name\n" + good + bad)
    assert len(people(db)) == 1500


@pytest.mark.parametrize("mark", ["sep=^\n", '"sep=^"\n', "\ufeffsep=^\r\n", "SEP=^\n\n"])
def test_the_delimiter_that_the_first_line_names_is_used(db: Database, load: Load, mark: str) -> None:
    load(f"{mark}email^name^city\na@b.test^A, B; C^Port\n")
    assert people(db) == [("a@b.test", "A, B; C", "Port")]


def test_a_mark_that_is_wrong_is_passed_over(db: Database, load: Load) -> None:
    load("sep=;\nemail,name\na@b.test,A\n")
    assert people(db) == [("a@b.test", "A", None)]

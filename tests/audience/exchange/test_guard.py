"""Columns that nobody declared and that tell who has left: they stop the import of a list."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.exchange.leaving import spoken
from mailer.audience.exchange.options import options_of
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import find
from mailer.errors import AudienceError

Load = Callable[..., ImportReport]

NAMES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("guard.toml").read_text("utf-8"))
HARMLESS: dict[str, str] = NAMES["harmless"]
LEAVING: list[str] = NAMES["leaving"]
WORDS: list[str] = NAMES["words"]


def test_there_are_enough_names() -> None:
    assert len(HARMLESS) >= 20
    assert len(LEAVING) >= 40


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_is_an_attribute(db: Database, load: Load, name: str) -> None:
    report = load(f"email,name,joined,{name}\na@example.org,A,2020-01-01,{HARMLESS[name]}\n")
    assert report.count("added") == 1
    person = find(db, "a@example.org")
    assert person is not None
    assert person.status == "active"
    assert list(person.attributes.values()) == [HARMLESS[name]]


@pytest.mark.parametrize("name", LEAVING)
def test_a_name_that_speaks_of_leaving_stops_the_list(db: Database, load: Load, name: str) -> None:
    assert spoken(name)
    for cell in ("yes", "1", "2024-01-02", "x", "no"):
        with pytest.raises(AudienceError) as caught:
            load(f"email,name,{name}\na@example.org,A,{cell}\nb@example.org,B,\n")
        sentence = str(caught.value)
        for part in (name, "--map ", "=status", "--ignore ", "--status unsubscribed"):
            assert part in sentence
        assert sentence.startswith("list.csv:1: ")
        assert caught.value.exit_status == 2
    assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 0


@pytest.mark.parametrize("word", WORDS)
def test_a_column_with_a_word_for_leaving_stops_the_list(db: Database, load: Load, word: str) -> None:
    rows = "".join(f"r{number}@example.org,cell {number}\n" for number in range(3000))
    with pytest.raises(
        AudienceError, match=r'the column "Remarks" seems to tell who has left .*--ignore Remarks'
    ):
        load(f"email,Remarks\n{rows}a@example.org,{word}\n")
    assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 0


@pytest.mark.parametrize("cell", ["cancelled", "inactive", "已取消"])
def test_the_status_of_something_else_is_an_attribute(db: Database, load: Load, cell: str) -> None:
    load(f"email,Order status,订单状态\na@example.org,{cell},{cell}\n")
    person = find(db, "a@example.org")
    assert person is not None
    assert person.attributes == {"order_status": cell, "订单状态": cell}


def test_a_state_of_both_kinds_stops_the_list(load: Load) -> None:
    with pytest.raises(AudienceError, match=r'the column "State" seems to tell who has left'):
        load("email,State\na@example.org,CA\nb@example.org,cancelled\n")


def test_an_empty_column_that_speaks_of_leaving_says_nothing(db: Database, load: Load) -> None:
    assert load("email,Unsubscribed\na@example.org,\nb@example.org,NULL\n").count("added") == 2


def test_columns_of_our_own_export_are_never_guarded(db: Database, load: Load) -> None:
    load("address,tags,attributes.unsubscribed,attributes.note\na@example.org,bounced,yes,unsubscribed\n")
    person = find(db, "a@example.org")
    assert person is not None
    assert (person.status, person.tags) == ("active", ("bounced",))


def test_a_guarded_column_can_be_read_left_out_or_stand_for_everybody(db: Database, load: Load) -> None:
    text = "email,Opt-out\na@example.org,yes\nb@example.org,no\nc@example.org,2024-02-03\nd@example.org,\n"

    def statuses() -> list[str]:
        return [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY address_key")]

    load(text, options=options_of(maps=["Opt-out=status"]))
    assert statuses() == ["unsubscribed", "active", "unsubscribed", "active"]
    db.conn.execute("DELETE FROM events")
    db.conn.execute("DELETE FROM subscribers")
    load(text, options=options_of(ignored=["opt out"]))
    assert statuses() == ["active"] * 4
    load(text, options=options_of(status="bounced"))
    assert statuses() == ["bounced"] * 4


@pytest.mark.parametrize(
    ("column", "cell", "status"),
    [
        ("Bounced", "1", "bounced"),
        ("Bounced", "0", "active"),
        ("Spam complaint", "true", "complained"),
        ("退订", "是", "unsubscribed"),
        ("退订", "未退订", "active"),
        ("Unsubscribed", "FALSE", "active"),
        ("Unsubscribed", "Nein", "active"),
        ("Unsubscribed", "Bounced", "bounced"),
        ("deleted_at", "2024-01-01", "unsubscribed"),
        ("Category", "Unsubscribed by admin", "unsubscribed"),
        ("Category", "Hard-bounced", "bounced"),
        ("Category", "active", "active"),
    ],
)
def test_a_mapped_column_is_read_by_its_name_and_its_cells(
    db: Database, load: Load, column: str, cell: str, status: str
) -> None:
    load(f"email,{column}\na@example.org,{cell}\n", options=options_of(maps=[f"{column}=status"]))
    person = find(db, "a@example.org")
    assert person is not None
    assert person.status == status


@pytest.mark.parametrize("cell", ["perhaps", "2", "never unsubscribed", "yes"])
def test_a_cell_of_a_mapped_column_that_is_not_understood_makes_nobody_active(
    db: Database, load: Load, cell: str
) -> None:
    report = load(f"email,Category\na@example.org,{cell}\n", options=options_of(maps=["Category=status"]))
    assert report.count("refused") == 1
    assert f'the status "{cell}" in "Category" is not known' in report.notes[0].reason
    assert find(db, "a@example.org") is None

"""Columns that nobody declared and that tell who has left: they stop the import of a list."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.suppression import is_suppressed
from mailer.audience.exchange.columns.exclusion_words import exclusion_status
from mailer.audience.exchange.columns.options import options_of_command
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import find
from mailer.config import Settings
from mailer.errors import AudienceError

Load = Callable[..., ImportReport]

NAMES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("guard.toml").read_text("utf-8"))
HARMLESS: dict[str, str] = NAMES["harmless"]
LEAVING: list[str] = NAMES["leaving"]
WORDS: list[str] = NAMES["words"]
WANTING: dict[str, str] = NAMES["wanting"]


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
    assert exclusion_status(name)
    for cell in ("yes", "1", "2024-01-02", "x", "no"):
        with pytest.raises(AudienceError) as caught:
            load(f"email,name,{name}\na@example.org,A,{cell}\nb@example.org,B,\n")
        sentence = str(caught.value)
        for part in (name, "--map ", "=status", "--ignore ", "--status unsubscribed"):
            assert part in sentence
        assert sentence.startswith("list.csv:1: ")
        assert caught.value.exit_status == 2
    assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 0


@pytest.mark.parametrize("name", WANTING)
def test_a_column_that_asks_who_wants_mail_stops_the_list_with_a_no(
    db: Database, load: Load, name: str
) -> None:
    rows = f"a@example.org,A,yes\nb@example.org,B,{WANTING[name]}\nc@example.org,C,\n"
    with pytest.raises(AudienceError, match="seems to tell who has left"):
        load(f"email,name,{name}\n{rows}")
    load(f"email,name,{name}\n{rows}", options=options_of_command(maps=[f"{name}=status"]))
    people = dict(db.conn.execute("SELECT name, status FROM subscribers"))
    assert people == {"A": "active", "B": "unsubscribed", "C": "active"}


def test_a_column_that_asks_who_wants_mail_may_hold_numbers_and_other_words(db: Database, load: Load) -> None:
    load(
        "email,Newsletters read,Newsletter topics\na@example.org,0,art\nb@example.org,7,\nc@example.org,1,\n"
    )
    statuses = [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY id")]
    assert statuses == ["active"] * 3


@pytest.mark.parametrize(
    "file",
    [
        "unsubscribes.csv",
        "suppression_bounces.csv",
        "bounces.csv",
        "2024 spam complaints.csv",
        "blocks.csv",
        "opt-outs.csv",
        "do_not_mail.csv",
        "退订名单.csv",
    ],
)
def test_a_file_that_is_called_after_those_who_left_stops(
    db: Database, load: Load, settings: Settings, workspace: Path, file: str
) -> None:
    path = workspace / file
    path.write_text("email,created\na@example.org,1679653390\n")
    with pytest.raises(AudienceError, match=r"says that people have left.*--status.*--as plain"):
        import_csv(db, settings, ListFile.at(path, settings))
    assert (
        import_csv(
            db, settings, ListFile.at(path, settings), options=options_of_command(tool="plain", dry_run=True)
        ).count("added")
        == 1
    )
    import_csv(db, settings, ListFile.at(path, settings), options=options_of_command(status="bounced"))
    assert db.conn.execute("SELECT status FROM subscribers").fetchall() == [("bounced",)]
    path.write_text("email,status\nb@example.org,active\n")
    assert import_csv(db, settings, ListFile.at(path, settings)).count("added") == 1


@pytest.mark.parametrize(
    "file", ["list.csv", "cleaned.csv", "list without bounces.csv", "building_blocks.csv", "list.refused.csv"]
)
def test_other_names_of_files_say_nothing(
    db: Database, settings: Settings, workspace: Path, file: str
) -> None:
    path = workspace / file
    path.write_text("email\na@example.org\n")
    assert import_csv(db, settings, ListFile.at(path, settings)).count("added") == 1


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Not Activated", "pending"),
        ("Temporary hold", "pending"),
        ("Bouncing", "bounced"),
        ("by_bounces", "bounced"),
        ("Marked as junk", "complained"),
        ("Gelöscht", "unsubscribed"),
        ("Nicht abonniert", "unsubscribed"),
        ("Désactivé", "unsubscribed"),
        ("Nettoyé", "bounced"),
        ("Eliminado", "unsubscribed"),
        ("Não inscrito", "unsubscribed"),
        ("Non iscritto", "unsubscribed"),
        ("Geweigerd", "unsubscribed"),
        ("退会", "unsubscribed"),
        ("구독 취소", "unsubscribed"),
        ("Отписался", "unsubscribed"),
    ],
)
@pytest.mark.parametrize("column", ["Status", "ステータス", "상태", "Статус"])
def test_words_of_other_tools_and_languages(
    db: Database, load: Load, column: str, word: str, status: str
) -> None:
    load(f"email,{column}\na@example.org,{word}\n")
    assert db.conn.execute("SELECT status FROM subscribers").fetchone()[0] == status


@pytest.mark.parametrize(
    "cell", ["Unsubscribed (manual)", "unsubscribed - 2020", "已退订 2020-01-02", "Bounced: 550"]
)
@pytest.mark.parametrize("column", ["Remarks", ""])
def test_a_word_for_leaving_with_a_note_stops_the_list(
    db: Database, load: Load, column: str, cell: str
) -> None:
    with pytest.raises(AudienceError, match="seems to tell who has left"):
        load(f"email,{column},name\na@example.org,{cell},A\n")
    report = load(f"email,{column},name\na@example.org,Removed from the waiting list 2020,A\n")
    assert report.count("added") == 1


@pytest.mark.parametrize(
    "name",
    [
        "un\u00adsubscribed",
        "Un\u200bsubscribed\u00a0at",
        "退\u200b订了",
        "\ufeffopt\u2060-out",
        "unsub\u3164scribed\ufe0f",
    ],
)
def test_characters_that_nobody_sees_hide_nothing(load: Load, name: str) -> None:
    with pytest.raises(AudienceError, match="seems to tell who has left"):
        load(f"email,{name}\na@example.org,yes\n")


@pytest.mark.parametrize("letter", ["U", "B", "P", "c"])
def test_a_letter_for_a_status_makes_nobody_active(db: Database, load: Load, letter: str) -> None:
    assert load(f"email,status\na@example.org,{letter}\n").count("refused") == 1
    assert find(db, "a@example.org") is None


@pytest.mark.parametrize(("no", "yes"), [("\0", "\1"), ("\\0", "1"), ("f", "t")])
def test_a_bit_of_a_database_is_a_yes_or_a_no(db: Database, load: Load, no: str, yes: str) -> None:
    load(f"email,subscribed\na@example.org,{no}\nb@example.org,{yes}\n")
    assert [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY id")] == [
        "unsubscribed",
        "active",
    ]


@pytest.mark.parametrize("cell", ["\x02", "x" * 5000, ",".join(map(str, range(5000)))])
def test_a_choice_may_hold_anything(db: Database, load: Load, cell: str) -> None:
    load(f'email,Newsletter\na@example.org,"{cell}"\nb@example.org,yes\n')
    assert find(db, "b@example.org") is not None


@pytest.mark.parametrize(
    ("column", "cell", "status"),
    [
        ("接收状态", "停止接收", "unsubscribed"),
        ("订阅", "不订", "unsubscribed"),
        ("状态", "已关闭", "unsubscribed"),
        ("状态", "地址不存在", "bounced"),
    ],
)
def test_more_words_of_chinese_lists(db: Database, load: Load, column: str, cell: str, status: str) -> None:
    load(f"邮箱,{column}\na@example.org,{cell}\n")
    assert db.conn.execute("SELECT status FROM subscribers").fetchone()[0] == status


def test_a_consent_that_was_withdrawn_is_none(db: Database, load: Load) -> None:
    load("email,Consent\na@example.org,Withdrawn 2020-01-01\nb@example.org,web form\n")
    assert [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY id")] == [
        "unsubscribed",
        "active",
    ]


def test_a_code_of_a_mail_server_is_no_status(db: Database, load: Load) -> None:
    report = load("email,reason,status,created\na@example.org,no such user,5.1.1,1679653390\n")
    assert report.count("refused") == 1
    assert find(db, "a@example.org") is None


def test_a_reason_of_a_suppression_alone_suppresses(db: Database, load: Load) -> None:
    load(
        "email,SuppressionReason,suppressed_at,language\na@example.org,HardBounce,,\nb@example.org,x,no,\n"
        "c@example.org,Spam,,no language\nd@example.org,,,\n"
    )
    told = [name for name in "abcd" if is_suppressed(db, f"{name}@example.org")]
    assert told == ["a", "c"]


def test_a_state_in_spanish_is_one_of_a_country_too(db: Database, load: Load) -> None:
    load("email,Estado\na@example.org,Baja California\nb@example.org,Jalisco\n")
    assert [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY id")] == ["active"] * 2
    load("email,Estado\na@example.org,Activo\nb@example.org,Cancelado\n")
    assert [row[0] for row in db.conn.execute("SELECT status FROM subscribers ORDER BY id")] == [
        "active",
        "unsubscribed",
    ]
    with pytest.raises(AudienceError, match='"Estado" seems to tell who has left'):
        load("email,Estado\na@example.org,Activo\nb@example.org,Dado de baja ayer\n")


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

    load(text, options=options_of_command(maps=["Opt-out=status"]))
    assert statuses() == ["unsubscribed", "active", "unsubscribed", "active"]
    db.conn.execute("DELETE FROM events")
    db.conn.execute("DELETE FROM subscribers")
    load(text, options=options_of_command(ignored=["opt out"]))
    assert statuses() == ["active"] * 4
    load(text, options=options_of_command(status="bounced"))
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
    load(f"email,{column}\na@example.org,{cell}\n", options=options_of_command(maps=[f"{column}=status"]))
    person = find(db, "a@example.org")
    assert person is not None
    assert person.status == status


@pytest.mark.parametrize("cell", ["perhaps", "2", "never unsubscribed", "yes"])
def test_a_cell_of_a_mapped_column_that_is_not_understood_makes_nobody_active(
    db: Database, load: Load, cell: str
) -> None:
    report = load(
        f"email,Category\na@example.org,{cell}\n", options=options_of_command(maps=["Category=status"])
    )
    assert report.count("refused") == 1
    assert f'the status "{cell}" in "Category" is not known' in report.notes[0].reason
    assert find(db, "a@example.org") is None

"""How columns are read: what the operator says, specific names, content, cells that are left out, dates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import consents_of
from mailer.audience.consent.suppression import is_suppressed, suppression_of
from mailer.audience.exchange.columns.options import options_of_command
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import Subscriber, find
from mailer.config import Settings
from mailer.errors import AudienceError

Load = Callable[..., ImportReport]
Add = Callable[..., Subscriber]


def known(db: Database, address: str) -> Subscriber:
    person = find(db, address)
    assert person is not None
    return person


def read_as(report: ImportReport) -> dict[str, str]:
    return {note.column: note.read_as for note in report.columns}


def everything(db: Database) -> list[Any]:
    return [
        db.conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("subscribers", "subscriptions", "consents", "suppressions", "events")
    ]


def test_the_operator_says_what_columns_hold(db: Database, load: Load) -> None:
    report = load(
        "Who,Where,Sort,Seit,Unsubscribed,Rest\nAnn,a@example.org,vip,01.02.2020,no,x\n",
        options=options_of_command(
            maps=["Who=name", "where=Address", "Sort=tags", "Seit=joined", "Unsubscribed=attributes.old"],
            ignored=["Rest"],
            order="dmy",
        ),
    )
    ann = known(db, "a@example.org")
    assert (ann.name, ann.tags, ann.attributes) == ("Ann", ("vip",), {"old": "no"})
    assert ann.joined_at == "2020-01-31T16:00:00.000000Z"
    assert read_as(report)["Rest"] == "left out"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"maps": ["Name"]}, "--map must be COLUMN=FIELD, such as --map Mail=address, not"),
        ({"maps": ["=name"]}, "--map must be COLUMN=FIELD"),
        ({"maps": ["Name=nam"]}, 'there is no field "nam"; did you mean name?'),
        ({"maps": ["Name=zzz"]}, 'there is no field "zzz"; choose from address, name'),
        (
            {"status": "active"},
            'there is no status of a whole list "active"; choose from unsubscribed, bounced',
        ),
        ({"status": "bounce"}, "did you mean bounced?"),
        ({"order": "ymd"}, '--dates must be dmy or mdy, not "ymd"'),
        ({"tool": "mailchmp"}, 'there is no profile "mailchmp"; did you mean mailchimp?'),
        ({"tool": "zzz"}, "choose from beehiiv, brevo, buttondown, chinese"),
    ],
)
def test_an_option_that_is_wrong_is_told(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AudienceError) as caught:
        options_of_command(**options)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"maps": ["Nane=name"]}, 'list.csv:1: there is no column "Nane"; did you mean "Name"?'),
        ({"ignored": ["???"]}, 'there is no column "???"; the columns are "email", "Name"'),
        ({"maps": ["email=name", "Name=name"]}, 'columns 1 and 2 ("email" and "Name") both hold the name'),
        ({"ignored": ["email"]}, 'no column holds the address (found "email", "Name")'),
    ],
)
def test_a_column_that_is_not_there_is_told(
    db: Database, load: Load, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        load("email,Name\na,A\n", options=options_of_command(**options))
    assert sentence in str(caught.value)
    assert everything(db) == [[], [], [], [], []]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Address,Email Address,Name", "1 Quay St,a@example.org,Ann"),
        ("Mail,E-Mail,Name", "x,a@example.org,Ann"),
        ("邮箱,地址,姓名", "a@example.org,上海,Ann"),
        ("昵称,姓名,电子邮件", "安,Ann,a@example.org"),
        ("Nickname,Full Name,email", "Annie,Ann,a@example.org"),
        ("Labels,Tags,email,name", "x,vip,a@example.org,Ann"),
        ("First,Second,Name", "b,a@example.org,Ann"),
        ("E-mail 1 - Value,E-mail 2 - Value,Name", "a@example.org,b@example.org,Ann"),
        ("Subscriber,Points,Name", "a@example.org,5,Ann"),
    ],
)
def test_the_right_column_is_found(db: Database, load: Load, header: str, row: str) -> None:
    assert load(f"{header}\n{row}\n").count("added") == 1
    assert known(db, "a@example.org").name == "Ann"


def test_a_header_says_what_was_meant(load: Load) -> None:
    report = load("邮箱,顾客名字,城市,Langauge\na@example.org,李,上海,zh\n")
    notes = {note.column: (note.read_as, note.hint) for note in report.columns}
    assert notes == {
        "邮箱": ("address", ""),
        "顾客名字": ("kept as attribute 顾客名字", "name"),
        "城市": ("kept as attribute 城市", ""),
        "Langauge": ("kept as attribute langauge", "language"),
    }


def test_a_tag_and_a_date_of_any_meaning_are_attributes(db: Database, load: Load) -> None:
    load("email,Tag,Date,日期\na@example.org,Montag,2020-01-01,2020-01-02\n")
    person = known(db, "a@example.org")
    assert person.tags == ()
    assert person.attributes == {"tag": "Montag", "date": "2020-01-01", "日期": "2020-01-02"}
    assert person.joined_at > "2026"


def test_a_side_column_never_loses_the_person(db: Database, load: Load) -> None:
    report = load(
        "email,language,timezone,tags,joined,consent_at,note,status\n"
        f"a@example.org,Gibberish,Mars,{'x' * 101},soon,soon,{'x' * 2001},Lead\n"
        "b@example.org,de,Asia/Shanghai,vip,2020-01-01,,kept,Lead\n"
    )
    assert report.count("added") == 2
    assert [(cell.row, cell.column) for cell in report.cells] == [
        (2, column) for column in ("status", "language", "timezone", "tags", "joined", "consent_at", "note")
    ] + [(3, "status")]
    assert report.cells_left_out == 8
    assert known(db, "a@example.org").attributes == {}
    assert known(db, "b@example.org").attributes == {"note": "kept"}
    assert [(word.word, word.status, word.rows) for word in report.words] == [("Lead", "", 2)]


@pytest.mark.parametrize("cell", ["", "NULL", "0000-00-00", "-"])
def test_a_cell_that_says_nothing_is_not_reported(db: Database, load: Load, cell: str) -> None:
    report = load(f"email,joined,language\na@example.org,{cell},\n")
    assert (report.count("added"), report.cells) == (1, [])


@pytest.mark.parametrize(
    ("column", "cells", "statuses"),
    [
        ("Newsletter", ["yes", "no", ""], ["active", "unsubscribed", "pending"]),
        ("Newsletter", ["x", ""], ["active", "pending"]),
        ("Newsletter", ["weekly", ""], ["active", "active"]),
        ("订阅", ["是", "否"], ["active", "unsubscribed"]),
        ("订阅", ["已订阅", "已退订"], ["active", "unsubscribed"]),
        ("Subscribed", ["TRUE", "FALSE"], ["active", "unsubscribed"]),
        ("opt-in", ["ja", "nein"], ["active", "unsubscribed"]),
        ("consent", ["yes", "no", "paper form"], ["active", "unsubscribed", "active"]),
        ("Active", ["1", "0"], ["active", "unsubscribed"]),
        ("Confirmed", ["1", "0"], ["active", "pending"]),
        ("Email Marketing Consent", ["SUBSCRIBED", "NEVER_SUBSCRIBED"], ["active", "unsubscribed"]),
        ("Subscribed", ["2018-01-02", "2019-01-02"], ["active", "active"]),
        ("state", ["active", "cancelled", "bounced"], ["active", "unsubscribed", "bounced"]),
        ("State", ["NE", "CA", "NY"], ["active", "active", "active"]),
    ],
)
def test_a_column_of_yes_and_no_is_read_by_its_cells(
    db: Database, load: Load, column: str, cells: list[str], statuses: list[str]
) -> None:
    load(f"email,{column}\n" + "".join(f"r{row}@example.org,{cell}\n" for row, cell in enumerate(cells)))
    assert [known(db, f"r{row}@example.org").status for row in range(len(cells))] == statuses


def test_a_cell_that_may_be_a_no_refuses_the_row(db: Database, load: Load) -> None:
    report = load("email,Newsletter\na@example.org,no\nb@example.org,perhaps\n")
    assert report.count("refused") == 1
    assert find(db, "b@example.org") is None


def test_a_choice_of_dates_is_the_day_of_joining_and_of_editions_is_that(db: Database, load: Load) -> None:
    load("email,Subscribed,Newsletter\na@example.org,2018-01-02,morning;evening\n")
    person = known(db, "a@example.org")
    assert (person.joined_at[:10], person.editions) == ("2018-01-01", ("evening", "morning"))
    assert consents_of(db, person.id)[0].given_at == person.joined_at


DATES = {
    "01/02/2020 03/04/2021": "may begin with the day or the month (such as",
    "13/02/2020 02/14/2020": "begin with the day in some rows and with the month in others",
}  # fmt: skip


@pytest.mark.parametrize("cells", DATES)
def test_dates_that_can_be_read_in_two_ways_refuse_the_list(db: Database, load: Load, cells: str) -> None:
    rows = "".join(f"r{number}@example.org,{cell}\n" for number, cell in enumerate(cells.split()))
    with pytest.raises(AudienceError) as caught:
        load(f"email,Start date\n{rows}")
    assert DATES[cells] in str(caught.value)
    assert everything(db) == [[], [], [], [], []]


@pytest.mark.parametrize(
    ("order", "cells", "day"),
    [
        (None, ["01/02/2020", "13/02/2020"], "2020-01-31"),
        (None, ["01/02/2020", "02/13/2020"], "2020-01-01"),
        ("dmy", ["01/02/2020"], "2020-01-31"),
        ("mdy", ["01/02/2020"], "2020-01-01"),
        (None, ["2020-02-01"], "2020-01-31"),
        (None, ["2020-02-01", ""], "2020-01-31"),
    ],
)
def test_the_order_of_dates_is_that_of_the_column(
    db: Database, load: Load, order: str | None, cells: list[str], day: str
) -> None:
    rows = "".join(f"r{number}@example.org,{cell}\n" for number, cell in enumerate(cells))
    load(f"email,Start date\n{rows}", options=options_of_command(order=order))
    person = known(db, "r0@example.org")
    assert person.joined_at[:10] == day
    assert consents_of(db, person.id)[0].given_at == person.joined_at


def test_a_date_against_the_order_is_left_out(db: Database, load: Load) -> None:
    report = load(
        "email,joined\na@example.org,13/02/2020\nb@example.org,02/14/2020\n",
        options=options_of_command(order="dmy"),
    )
    assert [cell.row for cell in report.cells] == [3]
    assert known(db, "a@example.org").joined_at[:10] == "2020-02-12"


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
@pytest.mark.parametrize(
    "text",
    ["a@example.org\nb@example.org\na@example.org\n", "name,email\nA,a@example.org\nB,b@example.org\n"],
)
def test_everybody_in_a_list_can_be_taken_out(
    db: Database, load: Load, person: Add, status: str, text: str
) -> None:
    person("a@example.org", "morning")
    load(text, options=options_of_command(status=status))
    assert [known(db, f"{letter}@example.org").status for letter in "ab"] == [status, status]
    kind = {"unsubscribed": "unsubscribe", "bounced": "bounce", "complained": "complaint"}[status]
    assert {row[0] for row in db.conn.execute("SELECT kind FROM events")} == {kind}


def test_a_list_without_a_header_keeps_rows_that_it_cannot_use(db: Database, load: Load) -> None:
    report = load("a@example.org;A\nbad;B\n", options=options_of_command(status="unsubscribed"))
    assert (report.count("added"), report.count("refused")) == (1, 1)
    assert [note.row for note in report.notes] == [2]
    assert report.refused_file is not None
    assert (
        report.refused_file.read_text("utf-8-sig").splitlines()[0] == "refused_row,refused_because,address,"
    )


def test_everybody_in_a_list_can_be_suppressed(db: Database, load: Load, person: Add) -> None:
    number = person("a@example.org", "morning").id
    report = load(
        "a@example.org\nb@example.org\nb@example.org\n", options=options_of_command(status="suppressed")
    )
    assert {name: rows.count for name, rows in report.rows.items() if rows.count} == {
        "added": 1, "updated": 1, "unchanged": 1,
    }  # fmt: skip
    assert is_suppressed(db, "a@example.org")
    assert suppression_of(db, "b@example.org").reason == "the list list.csv"  # type: ignore[union-attr]
    assert find(db, "b@example.org") is None
    assert db.conn.execute("SELECT subscriber_id, kind, source FROM events").fetchall() == [
        (number, "suppress", "import"), (None, "suppress", "import"),
    ]  # fmt: skip
    assert load("a@example.org\n", options=options_of_command(status="suppressed")).count("unchanged") == 1


def test_a_list_takes_people_out_against_a_later_consent_and_names_them(
    db: Database, load: Load, person: Add
) -> None:
    person("a@example.org", "morning")
    load("email\nb@example.org\n")
    report = load("email,status\na@example.org,unsubscribed\nb@example.org,bounced\n")
    assert [(note.row, note.outcome, note.reason) for note in report.notes] == [
        (2, "updated", "marked as unsubscribed, although a consent is recorded here: web on 2026-01-01")
    ]
    assert known(db, "b@example.org").status == "bounced"


def test_several_signs_in_a_row_come_to_the_worst(db: Database, load: Load) -> None:
    load(
        "Email Address,OPTIN_TIME,LAST_CHANGED,UNSUB_TIME,UNSUB_REASON,CLEAN_TIME\n"
        "a@example.org,2018-01-01 00:00:00,,2019-01-01 00:00:00,SPAM,2020-01-01 00:00:00\n"
        "b@example.org,2018-01-01 00:00:00,,2019-01-01 00:00:00,NORMAL,2020-01-01 00:00:00\n"
    )
    assert known(db, "a@example.org").status == "complained"
    assert known(db, "b@example.org").status == "bounced"


def test_a_file_of_mailchimps_archive_is_known_by_its_name_too(
    db: Database, load: Load, settings: Settings, workspace: Path
) -> None:
    header = "Email Address,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,LEID,EUID\n"
    for name, status in (
        ("nonsubscribed_members_export_ab12.csv", "unsubscribed"),
        ("unsubscribed_members_export_ab12.csv", "unsubscribed"),
        ("cleaned_members_export_ab12.csv", "bounced"),
        ("subscribed_members_export_ab12.csv", "active"),
    ):
        path = workspace / name
        path.write_text(f"{header}{name[:4]}@example.org,2,,2021-03-01 08:00:00,1,ab\n")
        import_csv(db, settings, ListFile.at(path, settings))
        assert known(db, f"{name[:4]}@example.org").status == status


def test_people_who_read_no_edition_are_counted(load: Load) -> None:
    report = load("email,editions\na@example.org,\nb@example.org,morning\nc@example.org,\n")
    assert report.no_edition == 2


LIST = """\
email,name,joined,status,Newsletter
a@example.org,A,2020-01-01,,yes
b@example.org,B,x,unsubscribed,no
bad,,,,yes
a@example.org,C,,,yes
"""


def test_a_dry_run_says_what_the_import_then_does(
    db: Database, load: Load, person: Add, workspace: Path
) -> None:
    person("b@example.org", "morning")
    before = everything(db)
    dry = load(LIST, options=options_of_command(dry_run=True))
    assert everything(db) == before
    assert not list(workspace.glob("*.refused*"))
    real = load(LIST)
    assert dry.dry_run
    assert real.refused_file is not None
    for field in dataclasses.fields(dry):
        if field.name not in ("dry_run", "refused_file"):
            assert getattr(dry, field.name) == getattr(real, field.name), field.name
    assert everything(db) != before


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("name,surname", "Jane,Doe", "Jane Doe"),
        ("Name,Last name", "Jane Doe,Doe", "Jane Doe"),
        ("Nom,Prénom", "Dupont,Zoé", "Zoé Dupont"),
        ("Nome,Cognome", "Anna,Rossi", "Anna Rossi"),
        ("姓名,姓", "王伟,王", "王伟"),
        ("Full name,Last name,First name", "Jane Q. Doe,Doe,Jane", "Jane Q. Doe"),
        ("Name,Surname", "Alexander,er", "Alexander er"),
    ],
)
def test_a_surname_beside_a_name_is_joined(
    db: Database, load: Callable[..., ImportReport], header: str, row: str, name: str
) -> None:
    load(f"email,{header}\na@example.org,{row}\n")
    assert db.conn.execute("SELECT name FROM subscribers").fetchone()[0] == name


def test_of_two_days_of_joining_the_first_column_counts(
    db: Database, load: Callable[..., ImportReport]
) -> None:
    load("email,Registered at,Subscribed on\na@example.org,2018-01-01T00:00:00Z,2019-01-01\n")
    row = db.conn.execute("SELECT joined_at, attributes FROM subscribers").fetchone()
    assert row == ("2018-01-01T00:00:00.000000Z", '{"subscribed_on": "2019-01-01"}')


MORE_DATES = (
    "Member since,Subscriber since,Added on,Registration time,Created (UTC),Create Date,注册日,关注时间,"
    "首次订阅时间,登録日,Fecha de suscripción,Data de inscrição,Angemeldet am"
)


@pytest.mark.parametrize("column", MORE_DATES.split(","))
def test_more_names_of_the_day_of_joining(
    db: Database, load: Callable[..., ImportReport], column: str
) -> None:
    load(f"email,{column}\na@example.org,20180213\n")
    assert db.conn.execute("SELECT joined_at FROM subscribers").fetchone()[0].startswith("2018-02-12T16")

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import Consent, consents_of
from mailer.audience.consent.suppression import suppress
from mailer.audience.exchange import importer
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import Subscriber, find
from mailer.audience.subscribers import erase, set_editions, unsubscribe
from mailer.config import Settings
from mailer.errors import AudienceError, FailureError
from mailer.store.database import open_store

Load = Callable[..., ImportReport]
Add = Callable[..., Subscriber]


def counts(report: ImportReport) -> dict[str, int]:
    return {outcome: rows.count for outcome, rows in report.rows.items() if rows.count}


def known(db: Database, address: str) -> Subscriber:
    person = find(db, address)
    assert person is not None
    return person


def state(db: Database) -> list[Any]:
    """Everything an import may change, without the times it happened at."""
    return [
        db.conn.execute(
            "SELECT id, address_key, name, language, tags, attributes, status FROM subscribers ORDER BY id"
        ).fetchall(),
        db.conn.execute("SELECT edition, subscriber_id FROM subscriptions ORDER BY 1, 2").fetchall(),
        db.conn.execute("SELECT subscriber_id, method, origin FROM consents ORDER BY 1").fetchall(),
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_is_read_however_it_is_written(
    db: Database, load: Load, encoding: str, delimiter: str, end: str
) -> None:
    rows = [
        ["姓名", "E-Mail", "公司", "标签"],
        ["李伟", "li@example.org", "海港贸易", '"vip,press"'],
        ["", "a@b.test", "", ""],
    ]
    report = load((end.join(delimiter.join(row) for row in rows) + end).encode(encoding))
    assert counts(report) == {"added": 2}
    li = known(db, "li@example.org")
    assert (li.name, li.tags, li.attributes) == ("李伟", ("vip", "press"), {"公司": "海港贸易"})


def test_every_field_has_a_column(db: Database, load: Load) -> None:
    header = (
        "Joined,Tags,Lang,Last Name,First Name,Address,Editions,consent_at,consent method,Consent-Origin,"
        "Company Name,TZ\n"
    )
    load(
        header
        + "2026-01-05,vip;press,EN,Silva,Ana,Ana@Example.org,evening;morning,2026-01-04 10:00,paper form,"
        "fair,Acme,Europe/Lisbon\n"
    )
    ana = known(db, "ana@example.org")
    assert (ana.name, ana.language, ana.timezone) == ("Ana Silva", "en", "Europe/Lisbon")
    assert (ana.tags, ana.editions) == (("vip", "press"), ("evening", "morning"))
    assert (ana.address, ana.status, ana.joined_at) == (
        "Ana@example.org",
        "active",
        "2026-01-04T16:00:00.000000Z",
    )
    assert ana.attributes == {"company_name": "Acme"}
    assert consents_of(db, ana.id) == (Consent("2026-01-04T02:00:00.000000Z", "paper form", "fair"),)


def test_consent_is_recorded_from_the_file_where_the_row_does_not_say(db: Database, load: Load) -> None:
    load("email,joined\na@b.test,2026-01-05\nc@d.test,\n")
    assert consents_of(db, known(db, "a@b.test").id) == (
        Consent("2026-01-04T16:00:00.000000Z", "import", "list.csv"),
    )
    assert consents_of(db, known(db, "c@d.test").id)[0].given_at > "2026-01-05"


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [("伟", "李", "李伟"), ("Ana", "Silva", "Ana Silva"), ("", "Silva", "Silva"), ("Ana", "", "Ana")],
)
def test_first_and_last_names_are_joined_as_is_usual(
    db: Database, load: Load, first: str, last: str, whole: str
) -> None:
    load(f"email,名,姓\na@b.test,{first},{last}\n")
    assert known(db, "a@b.test").name == whole


def test_somebody_new_reads_everything_unless_the_list_says_otherwise(db: Database, load: Load) -> None:
    load("email\nall@b.test\n")
    load("email\none@b.test\n", editions=("morning",))
    load("email,editions\ncell@b.test,evening\nnone@b.test,\n", editions=("morning",))
    assert known(db, "all@b.test").editions == ("evening", "feature", "morning")
    assert known(db, "one@b.test").editions == ("morning",)
    assert known(db, "cell@b.test").editions == ("evening",)
    assert known(db, "none@b.test").editions == ()


def test_an_import_adds_editions_only_where_they_are_named(db: Database, load: Load, person: Add) -> None:
    person("a@b.test", "morning")
    assert counts(load("email\na@b.test\n")) == {"unchanged": 1}
    assert known(db, "a@b.test").editions == ("morning",)
    assert counts(load("email\na@b.test\n", editions=("evening",))) == {"updated": 1}
    assert known(db, "a@b.test").editions == ("evening", "morning")
    assert counts(load("email,editions\na@b.test,feature\n")) == {"updated": 1}
    assert known(db, "a@b.test").editions == ("evening", "feature", "morning")
    assert len(consents_of(db, known(db, "a@b.test").id)) == 3


def test_an_import_never_puts_anybody_back_on_an_edition_they_left(
    db: Database, load: Load, person: Add
) -> None:
    number = person("a@b.test", "morning", "evening").id
    unsubscribe(db, number, edition="evening", source="web")
    report = load("email\na@b.test\n", editions=("morning", "evening"))
    assert counts(report) == {"kept": 1}
    assert report.notes[0].reason == "kept: the person has unsubscribed from evening"
    assert known(db, "a@b.test").editions == ("morning",)
    set_editions(db, number, ["evening", "morning"], consent=Consent("2026", "web"))
    assert counts(load("email\na@b.test\n", editions=("evening",))) == {"unchanged": 1}


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained", "pending"])
@pytest.mark.parametrize("told", ["", "active", "subscribed"])
def test_an_import_never_makes_anybody_active_again(
    db: Database, load: Load, person: Add, status: str, told: str
) -> None:
    person("Li@example.org", "morning", status=status, name="Li")
    before = state(db)
    report = load(f"email,name,status\nLI@EXAMPLE.org,New,{told}\n", editions=("evening",))
    assert counts(report) == {"kept": 1}
    assert report.notes[0].reason.startswith(f"kept as {status}")
    assert report.refused_file is None
    assert state(db) == before


def test_an_import_never_brings_back_who_was_erased_or_suppressed(
    db: Database, load: Load, person: Add
) -> None:
    erase(db, person("li@example.org", "morning").id)
    person("wu@example.org", "morning", name="Wu")
    suppress(db, "wu@example.org", "by letter")
    suppress(db, "new@example.org", "by letter")
    before = state(db)
    report = load("email,name\nLi@Example.ORG,Li\nwu@example.org,X\nnew@example.org,\n")
    assert [(note.row, note.outcome, note.reason) for note in report.notes] == [
        (2, "kept", "kept as erased"),
        (3, "kept", "kept as suppressed"),
        (4, "kept", "kept as suppressed"),
    ]
    assert state(db) == before


@pytest.mark.parametrize(
    ("status", "told", "becomes"),
    [
        ("active", "unsubscribed", "unsubscribed"),
        ("active", "bounced", "bounced"),
        ("active", "pending", "active"),
        ("pending", "complained", "complained"),
        ("bounced", "unsubscribed", "unsubscribed"),
        ("unsubscribed", "bounced", "unsubscribed"),
        ("complained", "unsubscribed", "complained"),
    ],
)
def test_another_programs_word_that_somebody_left_is_believed(
    db: Database, load: Load, person: Add, status: str, told: str, becomes: str
) -> None:
    person("a@b.test", "morning", status=status)
    report = load(f"email,status\na@b.test,{told}\n")
    assert counts(report) == {"unchanged" if status == becomes else "updated": 1}
    assert known(db, "a@b.test").status == becomes
    left = db.conn.execute("SELECT kind, source FROM events").fetchall()
    kinds = {"unsubscribed": "unsubscribe", "bounced": "bounce", "complained": "complaint"}
    assert left == ([] if status == becomes else [(kinds[becomes], "import")])


def test_who_had_left_elsewhere_is_known_as_that_and_never_written_to(db: Database, load: Load) -> None:
    load("email,status\na@b.test,退订\nc@d.test,pending\n")
    assert known(db, "a@b.test").status == "unsubscribed"
    assert consents_of(db, known(db, "a@b.test").id) == ()
    assert known(db, "c@d.test").status == "pending"
    assert counts(load("email,status,name\nc@d.test,pending,C\n")) == {"updated": 1}


def test_an_empty_cell_says_nothing_and_a_full_one_replaces(db: Database, load: Load) -> None:
    load("email,name,language,tags,company,joined\na@b.test,A,zh,vip,Acme,2026-01-01\n")
    joined = known(db, "a@b.test").joined_at
    assert counts(load("email,name,language,tags,company\nA@B.test,, ,,\n")) == {"unchanged": 1}
    assert counts(load("email,tags,size,joined\na@b.test,press,5,2020-01-01\n")) == {"updated": 1}
    a = known(db, "a@b.test")
    assert (a.name, a.language, a.tags, a.attributes) == (
        "A",
        "zh",
        ("press",),
        {"company": "Acme", "size": "5"},
    )
    assert a.joined_at == joined


def test_an_attribute_that_is_not_text_is_unchanged_by_its_own_text(
    db: Database, load: Load, person: Add
) -> None:
    person("a@b.test", "morning", attributes={"size": 5, "paid": True, "list": [1, "ü"], "none": None})
    assert counts(load('email,size,paid,list,none\na@b.test,5,true,"[1, ""ü""]",\n')) == {"unchanged": 1}
    assert known(db, "a@b.test").attributes["size"] == 5


def test_duplicates_in_a_list_are_one_person_and_the_later_row_wins(db: Database, load: Load) -> None:
    report = load("email,name\nLi@bücher.test,A\nli@BÜCHER.test,\nLI@xn--bcher-kva.test,B\n")
    assert counts(report) == {"added": 1, "updated": 1, "unchanged": 1}
    assert known(db, "li@bücher.test").name == "B"
    assert known(db, "li@bücher.test").address == "Li@xn--bcher-kva.test"


def test_importing_the_same_list_again_changes_nothing(
    db: Database, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"r{number % 40}@example.org,Name {number % 7},{number}" for number in range(60)]
    text = "email,name,number\n" + "\n".join(rows)
    monkeypatch.setattr(importer, "BATCH", 7)
    assert counts(load(text)) == {"added": 40, "updated": 20}
    before = state(db)
    assert load(text).count("added") == 0
    assert state(db) == before


def test_the_report_says_what_became_of_each_row(load: Load, person: Add, workspace: Path) -> None:
    person("old@b.test", "morning", status="unsubscribed")
    report = load(
        'email,name\na@b.test,A\n\nbad,B\n"x\ny@b.test",\nold@b.test,\nc@b.test,C\nd@b.test,\n a@b.test ,A\n'
    )
    assert {outcome: str(rows) for outcome, rows in report.rows.items()} == {
        "added": "2, 7-8", "updated": "", "unchanged": "9", "kept": "6", "refused": "4-5",
    }  # fmt: skip
    assert report.total == 7
    assert [(note.row, note.address, note.outcome) for note in report.notes] == [
        (4, "bad", "refused"), (5, "x\ny@b.test", "refused"), (6, "old@b.test", "kept"),
    ]  # fmt: skip
    assert report.refused_file == workspace / "list.refused.csv"


def test_refused_rows_can_be_mended_and_imported(
    db: Database, load: Load, settings: Settings, workspace: Path
) -> None:
    report = load(
        'email,name,"cell, with comma",editions\n=bad,=1+1,x,\na@b.test,A,,mornin\nc@d.test,C,,,,6\n'
        '"open@b.test,\n'
    )
    assert counts(report) == {"refused": 4}
    refused = workspace / "list.refused.csv"
    text = refused.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == 'refused_row,refused_because,email,name,"cell, with comma",editions'
    assert '2,"""=bad"" is not an e-mail address: it has no @",\'=bad,\'=1+1,x,' in text
    assert 'the edition ""mornin"" is not in mailer.toml' in text
    assert "the row has 6 cells, but the header has 4" in text
    assert refused.stat().st_mode & 0o077 == 0
    refused.write_text(
        text.replace("'=bad", "good@b.test").replace(",mornin\n", ",morning\n"),
        encoding="utf-8",
    )
    again = import_csv(db, settings, ListFile.at(refused, settings))
    assert counts(again) == {"added": 2, "refused": 2}
    assert known(db, "good@b.test").name == "=1+1"
    assert set(known(db, "good@b.test").attributes) == {"cell_with_comma"}
    assert again.refused_file == workspace / "list.refused.refused.csv"


def test_no_refused_row_makes_no_file(load: Load, workspace: Path) -> None:
    assert load("email\na@b.test\n").refused_file is None
    assert {path.name for path in workspace.glob("*.csv*")} == {"list.csv"}


def test_everything_that_is_wrong_with_a_row_is_told_at_once(load: Load) -> None:
    report = load("email,language,tz,joined,editions,status,company\nbad,xx,Mars,soon,mornin,maybe,\x07\n")
    reason = report.notes[0].reason
    for sentence in (
        '"bad" is not an e-mail address', 'the language "xx"', 'the time zone "Mars"', 'the date "soon"',
        'the edition "mornin" is not in mailer.toml; did you mean morning?', 'the status "maybe"',
        "company holds a control character",
    ):  # fmt: skip
        assert sentence in reason


def test_a_name_that_is_too_long_in_two_columns_is_refused(load: Load) -> None:
    report = load(f"email,first name,last name\na@b.test,{'a' * 150},{'b' * 150}\n")
    assert report.notes[0].reason == "the name is longer than 200 characters; shorten it"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a@b.test,x\x00y", "the name"),
        ("a\x00@b.test,x", "is not an e-mail address"),
        ("a@b.test," + "x" * 201, "the name is longer than 200 characters"),
        ("a@b.test," + "x" * 140_000, "a cell is longer than 131,072 characters; shorten it"),
        ("a@b.test," + "x" * 1_100_000, "the row is longer than 1,000,000 characters"),
        (
            'a@b.test,"x"y',
            "a quote is in the middle of a cell; put the cell in quotes and write the quote twice",
        ),
        (",x", "the address is empty"),
        (
            "a@b.test,x,y",
            "the row has 3 cells, but the header has 2; put a cell that holds the delimiter in quotes",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_the_next_is_read(
    db: Database, load: Load, row: str, reason: str
) -> None:
    report = load(f"email,name\n{row}\nnext@b.test,N\n")
    assert counts(report) == {"added": 1, "refused": 1}
    assert reason in report.notes[0].reason
    assert report.notes[0].row == 2
    assert known(db, "next@b.test").name == "N"


def test_a_short_row_and_empty_extra_cells_are_read(db: Database, load: Load) -> None:
    assert counts(load("email,name,tags\na@b.test\nc@d.test,C,vip,,\n,,\n\n")) == {"added": 2}
    assert known(db, "c@d.test").tags == ("vip",)


@pytest.mark.parametrize(
    "middle", ["x\n" * 10, "x,y\n" * 20_000, "x" * 200_000 + "\n", "x" * 1_200_000 + "\n"]
)
def test_a_quote_that_is_never_closed_costs_one_row(db: Database, load: Load, middle: str) -> None:
    load(f'email,name\na@b.test,"open\nb@b.test,B\n{middle}c@b.test,C\n')
    assert find(db, "a@b.test") is None
    assert known(db, "b@b.test").name == "B"
    assert known(db, "c@b.test").name == "C"


def test_quoted_line_breaks_and_doubled_quotes_are_kept(db: Database, load: Load) -> None:
    load('email,name,street\na@b.test,"Ana ""A""\nSilva","1 Quay\r\nPort"\n')
    a = known(db, "a@b.test")
    assert (a.name, a.attributes) == ('Ana "A" Silva', {"street": "1 Quay\r\nPort"})


def test_a_mark_of_excel_and_empty_lines_above_the_header_are_passed_over(db: Database, load: Load) -> None:
    report = load("sep=;\r\n\r\nemail;name\r\na@b.test;A, B\r\nbad;x\r\n")
    assert known(db, "a@b.test").name == "A, B"
    assert report.notes[0].row == 4


def test_a_header_may_have_line_breaks_in_quotes(db: Database, load: Load) -> None:
    assert counts(load('"E-\nMail",name\na@b.test,A\n')) == {"added": 1}


def test_columns_without_a_name_are_left_out_and_told(load: Load) -> None:
    assert load("email,,name,\na@b.test,x,A,y\n").unnamed_columns == (2, 4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "list.csv: is empty; the first row must name the columns"),
        (b"\n \n,,\n", "list.csv:4: has no header; the first row must name the columns"),
        (b"a@b.test,A\nc@d.test,C\n", "list.csv:1: there is no header row; put one above the list"),
        (b"name,company\nA,B\n", 'no column holds the address (found "name", "company"); rename'),
        (b"name,e_mial\nA,B\n", 'rename "e_mial" to address'),
        (b"a,b,c,d,e,f,g,h,i\n", '"h", "i")'),
        (b"email,E-Mail\n", 'columns 1 and 2 ("email" and "E-Mail") both hold the address; rename'),
        (b"email,Company,company\n", "are both the attribute company; rename or remove one"),
        (b"email,???\n", '"???" cannot be the name of an attribute'),
        (b'"email,name\n', "list.csv:1: the header cannot be read: a quote is opened but not closed"),
        (b"email" + b",x" * 300 + b"\n", "there are 301 columns; at most 300 can be read"),
        (b"x" * 1_000_001, "has no header"),
        (b"PK\x03\x04....", "list.csv: is a spreadsheet or a zip archive, not a CSV file; save the list"),
        (b"\xd0\xcf\x11\xe0....", "is an old Excel workbook"),
        (b"%PDF-1.7", "is a PDF"),
        (b"email,name\na@b.test,\xb1a\xa5b\xbbc\xa6\n", "list.csv:2: is not UTF-8, and its encoding"),
        (b"email\na@b.test\n\xff\xff\xff\x00", "list.csv:3: is not UTF-8"),
        (b"\xef\xbb\xbfemail\n\xc4\xe3\xba\xc3", "list.csv:2: begins as UTF-8, but this line is not valid"),
        (b"\xff\xfee\x00m", "list.csv:1: begins as UTF-16, but this line is not valid UTF-16; save the list"),
        (b"\xff\xfee\x00m\x00\x00\xd8", "list.csv:1: begins as UTF-16, but this line is not valid UTF-16"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_changes_nothing(
    db: Database, load: Load, workspace: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        load(content)
    assert sentence in str(caught.value)
    assert caught.value.exit_status == 2
    assert state(db) == [[], [], []]
    assert not list(workspace.glob("*.refused*"))


def test_a_header_alone_is_a_list_of_nobody(load: Load) -> None:
    assert counts(load("email,name")) == {}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("missing.csv", "missing.csv: there is no such file"), ("issues", "issues: is not a file")],
)
def test_what_is_not_there_cannot_be_imported(
    db: Database, settings: Settings, workspace: Path, name: str, sentence: str
) -> None:
    with pytest.raises(AudienceError, match=sentence):
        import_csv(db, settings, ListFile.at(workspace / name, settings))


def test_a_file_that_may_not_be_read_is_told(
    db: Database, settings: Settings, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    (workspace / "list.csv").write_text("email\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudienceError, match=r"list\.csv: cannot be read: permission denied"):
        import_csv(db, settings, ListFile.at(workspace / "list.csv", settings))


def test_an_unknown_edition_changes_nothing(db: Database, load: Load) -> None:
    with pytest.raises(AudienceError, match='the edition "mornin" is not in mailer\\.toml; did you'):
        load("email\na@b.test\n", editions=("morning", "mornin"))
    assert state(db) == [[], [], []]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (
            "nowhere/refused.csv",
            "nowhere/refused.csv: the folder does not exist; name another file with --refused",
        ),
        ("issues", "issues: refused rows cannot be written here"),
        ("list.csv", "list.csv: is the list itself"),
        ("issues/../list.csv", "is the list itself; name another file with --refused FILE"),
    ],
)
def test_refused_rows_need_a_place_before_anything_is_changed(
    db: Database, load: Load, workspace: Path, target: str, sentence: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        load("email\na@b.test\n", refused=workspace / target)
    assert sentence in str(caught.value)
    assert state(db) == [[], [], []]
    assert (workspace / "list.csv").read_text() == "email\na@b.test\n"


def test_refused_rows_go_where_they_are_asked_to(load: Load, workspace: Path) -> None:
    report = load("email\nbad\n", refused=workspace / "issues" / "why.csv")
    assert report.refused_file == workspace / "issues" / "why.csv"
    assert report.refused_file.exists()


def test_progress_is_told_by_rows_and_bytes(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH", 2)
    told: list[tuple[int, int, int]] = []
    load(
        "email\n" + "".join(f"{n}@b.test\n" for n in range(5)), on_progress=lambda *steps: told.append(steps)
    )
    assert [rows for rows, _, _ in told] == [2, 4, 5]
    assert told[-1][1] == told[-1][2] > 0


def test_many_refused_rows_are_told_in_little(load: Load) -> None:
    report = load("email\n" + "".join(f"{'bad' if n % 2 else f'a{n}@b.test'}\n" for n in range(600)))
    assert len(report.notes) == 100
    assert report.count("refused") == 300
    assert str(report.rows["refused"]).endswith(", …")
    assert len(str(report.rows["added"])) < 200


def test_a_file_changed_while_it_is_read_is_told(
    db: Database, settings: Settings, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace / "list.csv"
    path.write_bytes(b"email,name\n" + "a@b.test,好\n".encode() * 20_000)
    monkeypatch.setattr("mailer.audience.exchange.records.detect_encoding", lambda path, name: "ascii")
    with pytest.raises(FailureError, match=r"list\.csv: was changed while it was read; import it again"):
        import_csv(db, settings, ListFile.at(path, settings))


def test_two_databases_of_the_same_list_are_the_same(
    load: Load, settings: Settings, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one batch ends does not matter."""
    rows = "".join(f"r{number * 7 % 50}@example.org,N{number % 3},{number}\n" for number in range(200))
    states = []
    for batch in (1, 13, 1000):
        monkeypatch.setattr(importer, "BATCH", batch)
        (workspace / "list.csv").write_text("email,name,number\n" + rows)
        other = open_store(workspace / f"{batch}.db")
        import_csv(other, settings, ListFile.at(workspace / "list.csv", settings))
        states.append(json.dumps(state(other)))
        other.close()
    assert len(set(states)) == 1

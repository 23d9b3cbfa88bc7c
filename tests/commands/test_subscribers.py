from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.exchange.exporter import export_csv
from mailer.commands.program import main
from mailer.commands.subscribers import lists
from mailer.services.subscribers import listing
from mailer.store.database import open_store

Run = Callable[..., tuple[int, str, str]]

LIST = "email,name,language,tags\nLi@example.org,李伟,zh,vip\nana@example.org,Ana,en,\n"


@pytest.fixture
def run(workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `mailer subscribers …`; gives the exit status, standard output and standard error."""
    monkeypatch.chdir(workspace)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            main(["subscribers", *words])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def listed(run: Run, workspace: Path) -> Run:
    """The same, with Li and Ana imported."""
    (workspace / "list.csv").write_text(LIST, encoding="utf-8")
    assert run("import", "list.csv")[0] == 0
    return run


def document(result: tuple[int, str, str]) -> Any:
    status, out, err = result
    assert (status, err) == (0, "")
    return json.loads(out)


def test_an_import_says_what_it_did_by_row_number(run: Run, workspace: Path) -> None:
    (workspace / "list.csv").write_text(LIST + "bad,,,\n", encoding="utf-8")
    status, out, err = run("import", "list.csv")
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "list.csv: 3 rows",
        "  added               2  rows 2-3",
        "  refused             1  rows 4",
        'row 4: "bad" is not an e-mail address: it has no @',
        "The refused rows are in list.refused.csv. Correct them there and import that file.",
    ]


def test_an_import_as_json_is_one_document(run: Run, workspace: Path) -> None:
    (workspace / "list.csv").write_text(LIST + "bad,,,\n", encoding="utf-8")
    run("suppress", "ana@example.org")
    status, out, err = run("import", "list.csv", "--edition", "morning", "--json")
    assert (status, err) == (1, "")
    assert json.loads(out) == {
        "file": "list.csv", "rows": 3, "added": 1, "updated": 0, "unchanged": 0, "kept": 1, "refused": 1,
        "dry_run": False, "profile": "plain", "read_as": "", "no_edition": 0, "words": [], "cells": [],
        "cells_left_out": 0, "addresses_cleaned": 0, "cleaned": [],
        "columns": [{"column": name, "read_as": read_as, "hint": ""} for name, read_as in (
            ("email", "address"), ("name", "name"), ("language", "language"), ("tags", "tags"))],
        "refused_file": "list.refused.csv",
        "row_numbers": {"added": "2", "updated": "", "unchanged": "", "kept": "3", "refused": "4"},
        "unnamed_columns": [],
        "problems": [
            {"row": 3, "address": "ana@example.org", "outcome": "kept", "reason": "kept as suppressed"},
            {"row": 4, "address": "bad", "outcome": "refused",
             "reason": '"bad" is not an e-mail address: it has no @'},
        ],
    }  # fmt: skip


def test_an_import_says_how_a_list_of_another_tool_is_read(run: Run, workspace: Path) -> None:
    (workspace / "list.csv").write_text(
        "Email Address,First Name,OPTIN_TIME,UNSUB_TIME,LEID,EUID,顾客名字,LANGUAGE,editions\n"
        "una@example.org,Una,2018-02-12 10:54:27,2018-07-23 12:19:27,1,ab,,tlh-x-!,\n",
        encoding="utf-8",
    )
    status, out, err = run("import", "list.csv", "--dry-run")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["list.csv: 1 row", "read as a Mailchimp export of unsubscribed members"]
    for line in (
        "  Email Address → address",
        "  UNSUB_TIME → who has left (anything in it: unsubscribed)",
        "  LEID → left out",
        "  顾客名字 → kept as attribute 顾客名字; did you mean --map 顾客名字=name?",
        "  UNSUB_TIME: (anything: unsubscribed) → unsubscribed, 1 row",
        "  added               1  rows 2",
    ):
        assert line in lines
    assert "row 2: una@example.org: LANGUAGE is left out: the language" in out
    assert lines[-1] == "This was a dry run: nothing was changed."
    assert run("list")[1] == ""
    assert "unsubscribed" in run("import", "list.csv", "--as", "mailchimp")[1]
    assert "una@example.org" in run("list", "--status", "unsubscribed")[1]


def test_an_import_refuses_what_may_say_who_has_left(run: Run, workspace: Path) -> None:
    (workspace / "list.csv").write_text("email,Opt-out,Kind\na@example.org,yes,x\n")
    status, out, err = run("import", "list.csv")
    assert (status, out) == (2, "")
    assert err == (
        'list.csv:1: the column "Opt-out" seems to tell who has left (it holds "yes"), but no profile '
        "describes it; read it with --map Opt-out=status, leave it out with --ignore Opt-out, or add "
        "--status unsubscribed if everybody in the list has left\n"
    )
    shown = run(
        "import", "list.csv", "--map", "Opt-out=status", "--ignore", "kind", "--as", "plain", "--json"
    )
    assert json.loads(shown[1])["words"] == [
        {"column": "Opt-out", "word": "yes", "status": "unsubscribed", "rows": 1}
    ]
    assert run("import", "list.csv", "--status", "gone")[0] == 2
    assert run("import", "list.csv", "--map", "Opt-out")[0] == 2
    assert run("import", "list.csv", "--dates", "ymd")[0] == 2


def test_a_plain_list_can_be_taken_out_and_people_without_edition_are_told(run: Run, workspace: Path) -> None:
    (workspace / "list.csv").write_text("address,editions\na@example.org,\nb@example.org,\n")
    assert "2 active people of the list read no edition" in run("import", "list.csv")[1]
    run("add", "c@example.org", "--edition", "morning", "--consent", "at the fair")
    (workspace / "gone.txt").write_text("a@example.org\nc@example.org\n")
    status, out, _ = run("import", "gone.txt", "--status", "unsubscribed")
    assert status == 0
    assert (
        "row 2: c@example.org: marked as unsubscribed, although a consent is recorded here: at the fair on 20"
        in out
    )
    assert run("list", "--status", "active")[1].count("@") == 1


def test_kept_rows_and_unnamed_columns_are_told(listed: Run, workspace: Path) -> None:
    listed("unsubscribe", "li@example.org")
    (workspace / "more.csv").write_text("email,\nli@example.org,x\n" + "bad,\n" * 25)
    status, out, _ = listed("import", "more.csv")
    assert status == 1
    assert "row 2: li@example.org: kept as unsubscribed\n" in out
    assert "… and 5 more rows that were refused\n" in out
    assert "Left out, because the header does not name them: columns 2.\n" in out


def test_an_unusable_list_is_told_and_makes_nobody(run: Run, workspace: Path) -> None:
    assert run("import", "missing.csv") == (2, "", "missing.csv: there is no such file; check the name\n")
    (workspace / "list.csv").write_text("name\nA\n")
    status, out, err = run("import", "list.csv")
    assert (status, out) == (2, "")
    assert err.startswith('list.csv:1: no column holds the address (found "name"); ')
    (workspace / "list.csv").write_text(LIST)
    status, _, err = run("import", "list.csv", "--edition", "mornin")
    assert (status, err) == (2, 'mailer: the edition "mornin" is not in mailer.toml; did you mean morning?\n')
    assert run("list")[1] == ""


def test_a_long_import_tells_how_far_it_is(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_LINE_ROWS", 1)
    (workspace / "list.csv").write_text(LIST, encoding="utf-8")
    assert run("import", "list.csv")[2] == "2 rows read, 100 % of the file\n"
    assert run("import", "list.csv", "--json")[2] == ""


def test_on_a_terminal_an_import_shows_a_bar(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (workspace / "list.csv").write_text(LIST, encoding="utf-8")
    status, _, err = run("import", "list.csv")
    assert status == 0
    assert "rows read" not in err


def test_people_are_added_and_shown(run: Run) -> None:
    words = (
        "add Li@Example.org --edition evening --name 李伟 --language ZH --timezone Asia/Shanghai --tag vip"
    )
    more = ("--tag", "press", "--attribute", "company=Acme", "--consent", "at the fair")
    status, out, _ = run(*words.split(), *more)
    assert (status, out) == (0, "Li@example.org is added; reads evening.\n")
    shown = run("show", "li@example.org")[1]
    for line in (
        "Address      Li@example.org",
        "Status       active",
        "Editions     evening",
        "Name         李伟",
        "Language     zh",
        "Time zone    Asia/Shanghai",
        "Tags         vip, press",
        "company      Acme",
    ):
        assert line + "\n" in shown
    assert ": at the fair command line\n" in shown
    shown = document(run("show", "LI@example.org", "--json"))
    assert shown["attributes"] == {"company": "Acme"}
    assert shown["consents"][0]["method"] == "at the fair"
    assert shown["suppressed"] is None


def test_somebody_new_reads_all_editions_and_somebody_known_stays_with_theirs(run: Run) -> None:
    assert document(run("add", "a@b.test", "--json"))["subscriber"]["editions"] == [
        "evening",
        "feature",
        "morning",
    ]
    run("add", "c@d.test", "--edition", "morning")
    again = document(run("add", "C@D.test", "--name", "C", "--json"))
    assert (again["added"], again["subscriber"]["editions"], again["subscriber"]["name"]) == (
        False,
        ["morning"],
        "C",
    )


def test_only_their_own_wish_brings_somebody_back(listed: Run) -> None:
    listed("unsubscribe", "li@example.org")
    status, _, err = listed("add", "li@example.org")
    assert status == 2
    assert err == (
        "mailer: Li@example.org is unsubscribed, and only the reader can change that; if the reader "
        'asked for mail, say how with --consent "…"\n'
    )
    assert document(listed("show", "li@example.org", "--json"))["status"] == "unsubscribed"
    assert listed("add", "li@example.org", "--consent", "by phone")[0] == 0
    assert document(listed("show", "li@example.org", "--json"))["status"] == "active"


def test_an_unsubscribe_is_of_everything_or_one_edition(listed: Run) -> None:
    assert (
        listed("unsubscribe", "li@example.org", "--edition", "evening")[1]
        == "Li@example.org is now unsubscribed from evening.\n"
    )
    assert (
        listed("unsubscribe", "li@example.org", "--edition", "evening")[1]
        == "Li@example.org was already unsubscribed from evening.\n"
    )
    assert (
        listed("unsubscribe", "LI@example.org", "--reason", "too much")[1]
        == "Li@example.org is now unsubscribed from everything.\n"
    )
    again = document(listed("unsubscribe", "li@example.org", "--json"))
    assert (again["changed"], again["subscriber"]["status"]) == (False, "unsubscribed")


def test_erasing_forgets_and_suppresses(listed: Run, workspace: Path) -> None:
    status, out, _ = listed("erase", "li@example.org", "--yes")
    assert (status, out) == (
        0,
        "Li@example.org is erased (number 1), and no import can add the address again.\n",
    )
    assert listed("show", "li@example.org")[0] == 2
    assert "kept as erased" in listed("import", "list.csv")[1]
    assert document(listed("erase", "ana@example.org", "--yes", "--json")) == {"erased": 2}
    assert listed("list", "--status", "erased")[1].startswith("(erased, number 1) ")


def test_a_suppressed_address_is_never_written_to_again(listed: Run) -> None:
    assert listed("suppress", "LI@example.org", "--reason", "by letter")[1] == (
        "LI@example.org is now on the suppression list.\n"
    )
    assert document(listed("suppress", "li@example.org", "--json")) == {
        "address": "li@example.org",
        "changed": False,
    }
    assert "Suppressed" in listed("show", "li@example.org")[1]
    status, _, err = listed("add", "li@example.org", "--consent", "by phone")
    assert status == 2
    assert "li@example.org has been on the suppression list since 20" in err
    assert "(by letter) and must not get mail again" in err


def test_lists_are_of_whom_one_asks_for(listed: Run) -> None:
    assert listed("list")[1].splitlines() == [
        "Li@example.org                           active        evening, feature, morning 李伟",
        "ana@example.org                          active        evening, feature, morning Ana",
    ]
    assert [p["name"] for p in document(listed("list", "--segment", '"vip" in tags', "--json"))] == ["李伟"]
    assert document(listed("list", "--status", "bounced", "--json")) == []
    assert len(document(listed("list", "--edition", "morning", "--json"))) == 2


def test_an_export_goes_to_a_file_or_to_standard_output(listed: Run, workspace: Path) -> None:
    status, out, _ = listed("export", "-o", "out.csv")
    assert (status, out) == (0, "2 people are in out.csv.\n")
    text = (workspace / "out.csv").read_text(encoding="utf-8-sig")
    assert (workspace / "out.csv").stat().st_mode & 0o077 == 0
    assert "Li@example.org,李伟,zh," in text
    assert listed("import", "out.csv")[1] == "out.csv: 2 rows\n  unchanged           2  rows 2-3\n"
    assert document(listed("export", "-o", "out.csv", "--segment", 'language == "en"', "--json")) == {
        "file": "out.csv", "exported": 1,
    }  # fmt: skip


def test_an_export_to_standard_output_is_csv(listed: Run) -> None:
    status, out, err = listed("export", "--segment", 'language == "zh"')
    assert (status, err) == (0, "")
    header, row = out.splitlines()
    assert header.startswith("address,name,language,")
    assert row.startswith("Li@example.org,李伟,zh,,vip,evening;feature;morning,active,")


def test_two_exports_to_one_file_at_once_do_not_mix(
    listed: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others = export_csv, ["--status=bounced"]

    def another_comes_between(db: Database, file: Any, **wanted: Any) -> int:
        number = real(db, file, **wanted)
        while others:
            assert listed("export", "-o", "out.csv", others.pop())[0] == 0
        return number

    monkeypatch.setattr(listing, "export_csv", another_comes_between)
    assert listed("export", "-o", "out.csv")[:2] == (0, "2 people are in out.csv.\n")
    assert len((workspace / "out.csv").read_text(encoding="utf-8-sig").splitlines()) == 3
    assert not list(workspace.glob(".out.csv*"))


def test_an_export_that_fails_leaves_the_old_file(
    listed: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "out.csv").write_text("old")

    def full(*args: Any, **kwargs: Any) -> int:
        raise OSError(28, "No space left on device", "out.csv")

    monkeypatch.setattr(listing, "export_csv", full)
    status, _, err = listed("export", "-o", "out.csv")
    assert (status, err) == (
        1,
        "mailer: out.csv: no space left on device; correct that and run this again\n",
    )
    assert (workspace / "out.csv").read_text() == "old"
    assert not list(workspace.glob(".out.csv*"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "li"], 'mailer: "li" is not an e-mail address: it has no @'),
        (["add", "a@b.test", "--language", "xx"], 'the language "xx" is not known'),
        (["add", "a@b.test", "--timezone", "Mars"], 'the time zone "Mars" is not known'),
        (
            ["add", "a@b.test", "--edition", "x"],
            'the edition "x" is not in mailer.toml; choose from morning, evening',
        ),
        (
            ["add", "a@b.test", "--attribute", "company"],
            '--attribute "company" must be KEY=VALUE, such as',
        ),
        (["add", "a@b.test", "--attribute", "=x"], "must be KEY=VALUE"),
        (["add", "a@b.test", "--name", "a\x07"], "holds a control character"),
        (["add", "a@b.test", "--consent", " "], "--consent must not be empty; say how the person asked"),
        (["show", "a@b.test"], "a@b.test is not a subscriber; `mailer subscribers list` shows who is"),
        (["unsubscribe", "A@b.test"], "A@b.test is not a subscriber"),
        (["unsubscribe", "li@example.org", "--edition", "mornin"], "did you mean morning?"),
        (["erase", "a@b.test"], "is not a subscriber"),
        (["suppress", "nobody"], "is not an e-mail address"),
        (["list", "--status", "activ"], 'there is no status "activ"; did you mean active?'),
        (["list", "--status", "x"], "choose one of pending, active, unsubscribed"),
        (["list", "--edition", "x"], 'the edition "x" is not in mailer.toml'),
        (
            ["list", "--segment", "langauge == 1"],
            'segment:1: "langauge" is not a field; did you mean language?',
        ),
        (["export", "--json"], "--json and the list cannot both go to standard output; add -o FILE"),
    ],
)
def test_wrong_input_is_one_sentence_and_changes_nothing(
    listed: Run, workspace: Path, words: list[str], sentence: str
) -> None:
    db = open_store(workspace / "subscribers.db")
    before = list(db.conn.iterdump())
    status, out, err = listed(*words)
    assert status == 2
    assert (list(json.loads(out)) == ["error"]) if "--json" in words else (out == "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert list(db.conn.iterdump()) == before
    db.close()

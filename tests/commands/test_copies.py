"""A copy of the workspace is noticed by the first command that sends from it, told once, and used."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.config import load_settings
from mailer.services.database import moved as copies
from mailer.services.due.background import Scheduler
from mailer.store import database
from mailer.store import last_run as place
from mailer.store.database import open_store
from mailer.store.last_run import read_last_run
from mailer.transports.base import Outcome, OutcomeKind
from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, SLUG, TEXT, fill
from tests.spooled import Scripted, send_over

SEEN = "this database"
THEN = "if that copy is still in use, use only one of them"
AT = "Sat 21 Nov 2026 08:00 (Asia/Shanghai)"
OTHER = "issues/other.yaml"
MACHINE_ID = "b08dfa6083e7567a1921a715000001fb"

pytestmark = [pytest.mark.clock("2026-11-21T00:00"), pytest.mark.desk(readers=3)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the machine's id."""
    path = tmp_path / "machine-id"
    path.write_text(MACHINE_ID + "\n")
    monkeypatch.setattr(place, "_MACHINE_IDS", (tmp_path / "none", path))
    return path


@pytest.fixture
def desk(machine: Path, clock: Clock, desk: Path) -> Path:
    """A workspace that sent one issue on Saturday at eight, and has another; ten minutes later."""
    write_other(desk)
    ran = run(desk, "send", ISSUE, "--yes")
    assert (ran.status, ran.err) == (0, "")
    clock.forward(minutes=10)
    gc.collect()  # the command's connection
    return desk


def write_other(desk: Path, edition: str = "evening") -> None:
    (desk / OTHER).write_text(TEXT.replace("morning", edition), encoding="utf-8")


def copied(desk: Path) -> Path:
    copy = desk.with_name("copy")
    subprocess.run(["cp", "-r", str(desk), str(copy)], check=True)
    return copy


def warnings(desk: Path, *words: str) -> str:
    ran = run(desk, *(words or ("send", OTHER, "--yes")))
    assert ran.status == 0, ran.err
    return ran.err


def test_a_copy_of_the_folder_says_once_where_it_was_used_before_and_sends(desk: Path) -> None:
    copy = copied(desk)
    sentence = f"{SEEN} was last used at {desk / 'subscribers.db'}, {AT}; {THEN}"
    assert warnings(copy) == f"mailer: warning: {sentence}\n"
    assert len(list((copy / "outbox").glob("*.eml"))) == 6
    (copy / OTHER).write_text(TEXT.replace("morning", "feature"), encoding="utf-8")
    assert warnings(copy) == ""
    assert warnings(desk) == ""


def test_it_is_said_before_the_question_and_again_where_the_answer_was_no(desk: Path) -> None:
    copy = copied(desk)
    for _ in range(2):
        assert SEEN in run(copy, "send", OTHER, answer="n\n").err
    assert SEEN in run(copy, "send", OTHER, answer="y\n").err
    assert warnings(copy, "send", OTHER) == ""


def test_commands_that_do_not_send_say_nothing(desk: Path) -> None:
    copy = copied(desk)
    for words in (("plan", OTHER), ("campaigns", "list"), ("campaigns", "show", SLUG), ("run-due",)):
        assert warnings(copy, *words) == ""
    assert SEEN in warnings(copy)


def test_a_renamed_folder_is_told(desk: Path) -> None:
    renamed = desk.rename(desk.with_name("renamed"))
    assert f"was last used at {desk / 'subscribers.db'}, {AT}" in warnings(renamed)
    assert warnings(renamed, "send", ISSUE, "--yes") == ""


def test_a_link_to_the_folder_is_the_same_place(desk: Path) -> None:
    link = desk.with_name("link")
    link.symlink_to(desk)
    assert warnings(link) == ""


def backup(desk: Path) -> Path:
    """A copy of the database as it is now; then one more issue is sent."""
    kept = desk.with_name("backup.db")
    source, target = sqlite3.connect(desk / "subscribers.db"), sqlite3.connect(kept)
    source.backup(target)
    for connection in (source, target):
        connection.close()
    write_other(desk, "feature")
    assert run(desk, "send", OTHER, "--yes").status == 0
    gc.collect()
    write_other(desk)
    return kept


def moved_in(kept: Path, database: Path) -> None:
    kept.rename(database)


def written_over(kept: Path, database: Path) -> None:
    shutil.copyfile(kept, database)


def put_in_place_of_the_removed(kept: Path, database: Path) -> None:
    database.unlink()
    shutil.copyfile(kept, database)


@pytest.mark.parametrize("restore", [moved_in, written_over, put_in_place_of_the_removed])
def test_a_restored_backup_is_told_however_it_was_put_back(
    desk: Path, restore: Callable[[Path, Path], None]
) -> None:
    kept = backup(desk)
    for log in desk.glob("subscribers.db-*"):
        log.unlink()
    restore(kept, desk / "subscribers.db")
    told = warnings(desk)
    assert told.startswith(f"mailer: warning: {SEEN} ")
    assert AT in told
    assert "use only one of them" in told
    assert warnings(desk, "send", OTHER, "--yes") == ""


def test_another_file_at_the_same_path_is_told(desk: Path) -> None:
    database = desk / "subscribers.db"
    shutil.copyfile(database, desk / "new")
    (desk / "new").rename(database)
    assert f"{SEEN} was last used as another file at the same path, {AT}; {THEN}" in warnings(desk)


def test_a_database_that_was_compacted_or_is_used_again_is_not_told(desk: Path) -> None:
    assert warnings(desk, "send", ISSUE, "--yes") == ""
    connection = sqlite3.connect(desk / "subscribers.db")
    connection.execute("VACUUM")
    connection.close()
    assert warnings(desk) == ""


def test_a_run_that_died_while_it_was_noted_is_not_told(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(copies, "record_last_run", die)
        assert run(desk, "send", OTHER, "--yes").status == 1
    assert warnings(desk) == ""


# -- machines, boots, devices ---------------------------------------------------------------


def test_the_same_place_on_another_machine_is_told(desk: Path, machine: Path) -> None:
    machine.write_text("another" + MACHINE_ID)
    sentence = f"was last used at {desk / 'subscribers.db'} on another machine, {AT}; {THEN}"
    assert sentence in warnings(desk)
    assert warnings(desk, "send", ISSUE, "--yes") == ""


@pytest.mark.parametrize("text", [None, "", "uninitialized\n"])
def test_a_machine_that_is_not_known_is_not_another_one(desk: Path, machine: Path, text: str | None) -> None:
    if text is None:
        machine.unlink()
    else:
        machine.write_text(text)
    assert warnings(desk) == ""
    db = open_store(desk / "subscribers.db")
    noted = read_last_run(db)
    db.close()
    assert noted is not None
    assert noted.location.machine == ""


def test_the_id_of_the_machine_is_nowhere_in_the_database(desk: Path) -> None:
    db = open_store(desk / "subscribers.db")
    noted = read_last_run(db)
    assert noted is not None
    assert len(noted.location.machine) == 64
    assert MACHINE_ID not in "\n".join(db.conn.iterdump())
    db.close()


def test_of_two_runs_noted_at_once_the_last_stays_noted(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(desk)
    db, other = open_store(settings.database), open_store(settings.database)
    real = database.writing
    between = iter([False, True])

    def writing(which: Database) -> object:
        if which is db and next(between):
            copies.record_run_location(other, settings)
        return real(which)

    with monkeypatch.context() as patch:
        patch.setattr(copies, "writing", writing)
        copies.record_run_location(db, settings)
    for each in (db, other):
        assert copies.moved_database_note(each, settings) == ""
        each.close()


@pytest.mark.parametrize(("boot", "told"), [("the same", True), ("another", False), ("", False)])
def test_another_device_counts_within_one_boot(
    desk: Path, monkeypatch: pytest.MonkeyPatch, boot: str, told: bool
) -> None:
    db = open_store(desk / "subscribers.db")
    db.conn.execute("UPDATE last_run SET device = 'x', boot = 'the same'")
    db.close()
    monkeypatch.setattr(place, "boot_id", lambda: boot)
    assert (SEEN in warnings(desk)) == told


def test_a_path_that_is_no_text_is_noted(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    db = open_store(folder / "subscribers.db")
    assert place.location_of(folder / "subscribers.db").path.endswith("/caf\\xe9/subscribers.db")
    db.close()


# -- the other commands that send -----------------------------------------------------------


@pytest.fixture
def due(desk: Path) -> Path:
    """A copy in which a campaign is due."""
    ran = run(desk, "send", OTHER, "--yes", "--at", "2026-11-21T09:00")
    assert (ran.status, ran.err) == (0, "")
    db = open_store(desk / "subscribers.db")
    db.conn.execute("UPDATE campaigns SET due_at = '2026-11-21T00:09:00.000000Z' WHERE status = 'scheduled'")
    db.close()
    return copied(desk)


def test_run_due_says_so_when_something_is_due(due: Path) -> None:
    ran = run(due, "run-due")
    assert ran.status == 0
    assert ran.err.count(f"mailer: warning: {SEEN} was last used at ") == ran.err.count("\n") == 1
    assert "3 accepted; sent" in ran.out
    assert warnings(due, "send", ISSUE, "--yes") == ""


def test_the_service_says_so_once_in_its_log(
    due: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        scheduler = Scheduler(load_settings(due))
        scheduler._send_due_campaigns()
        scheduler._send_due_campaigns()
    first, second = caplog.messages
    assert first.startswith(f"{SEEN} was last used at ")
    assert second.endswith("3 accepted; sent")
    assert caplog.records[0].levelno == logging.WARNING


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_say_it(
    due: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "put_file", full)
    ran = run(due, "run-due")
    assert ran.status == 1
    assert SEEN in ran.err
    assert "no space left on device" in ran.err


@pytest.mark.parametrize("words", [("resume",), ("retry",), ("resolve", "--resend")])
def test_commands_that_go_on_with_a_campaign_say_so(
    desk: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    fate = {"resume": OutcomeKind.REJECTED, "retry": OutcomeKind.REJECTED, "resolve": OutcomeKind.UNCERTAIN}[
        words[0]
    ]
    transport = Scripted(lambda _: Outcome(fate, reason="no"))
    send_over(monkeypatch, transport)
    run(desk, "send", OTHER, "--yes")
    gc.collect()
    copy = copied(desk)
    transport.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    slug = SLUG.replace("morning", "evening")
    assert SEEN in run(copy, "campaigns", words[0], slug, *words[1:]).err
    assert warnings(copy, "send", ISSUE, "--yes") == ""


def test_two_real_copies_of_a_workspace(workspace: Path) -> None:
    fill(workspace, 3)
    write_other(workspace)
    gc.collect()

    def send(folder: Path, issue: str) -> str:
        command = [sys.executable, str(Path(__file__).parents[2] / "cli.py"), "send", issue, "--yes"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert send(workspace, ISSUE) == ""
    copy = copied(workspace)
    assert send(workspace, OTHER) == ""
    told = send(copy, OTHER)
    assert told.startswith(f"mailer: warning: {SEEN} was last used at {workspace / 'subscribers.db'}, ")
    assert told.count("\n") == 1
    assert send(copy, ISSUE) == ""

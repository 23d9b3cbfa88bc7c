"""What can befall subscribers.db, the journal, the outbox and the campaign's folder, before and during a run.

What is on the wire goes by SMTP to a real server, so that its log tells who got what. "Full" is a write that
fails beyond a size: EFBIG, which SQLite and we treat as ENOSPC.
"""

from __future__ import annotations

import functools
import gc
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer.files import NewFile
from mailer.spool.journal import Journal
from mailer.store.database import open_store
from tests.faults.conftest import (
    GO_ON,
    ISSUE,
    SLUG,
    At,
    Desk,
    bound_by_permissions,
    no_file_larger_than,
)
from tests.servers.smtp import SmtpServer

ROOT = Path(__file__).parents[2]


def waiting_for(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """How long a command waits for another writer."""
    quick = functools.partial(open_store, busy_seconds=seconds)
    monkeypatch.setattr("mailer.services.workspace.open_store", quick)


@pytest.fixture
def lock(desk: Desk) -> Iterator[sqlite3.Connection]:
    """Another process's connection; `BEGIN IMMEDIATE` on it holds the database."""
    other = sqlite3.connect(desk.root / "subscribers.db", isolation_level=None, check_same_thread=False)
    yield other
    other.close()


# -- somebody else holds the database -------------------------------------------------------


def test_a_lock_that_outlasts_the_wait_ends_the_run_and_loses_nothing(
    desk: Desk, server: SmtpServer, lock: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_for(monkeypatch, 0.1)
    server.received = At(2, lambda: lock.execute("BEGIN IMMEDIATE"))
    ran = desk.send()
    assert ran.status == 1
    assert (
        "subscribers.db: another process is writing to the database; wait until it ends and "
        "run this command again" in ran.err
    )
    assert "4 were being handed over, and the next run finds out which of them arrived" in ran.err
    assert "nobody has it" not in ran.err
    assert GO_ON in ran.err
    lock.execute("ROLLBACK")
    handed = len(server.received)
    assert handed >= 2
    desk.finishes(lambda: server.recipients)
    assert len(server.received) == 4


def test_a_lock_within_the_wait_is_not_noticed(
    desk: Desk, server: SmtpServer, lock: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_for(monkeypatch, 20)

    def hold() -> None:
        lock.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, lambda: lock.execute("ROLLBACK")).start()

    server.received = At(2, hold)
    assert desk.send().status == 0
    desk.finishes(lambda: server.recipients)


def test_sigterm_while_the_database_is_locked(
    desk: Desk, server: SmtpServer, lock: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_for(monkeypatch, 0.1)

    def both() -> None:
        lock.execute("BEGIN IMMEDIATE")
        os.kill(os.getpid(), signal.SIGTERM)

    server.received = At(1, both)
    ran = desk.send()
    lock.execute("ROLLBACK")
    assert ran.status == 1
    assert (
        "another process is writing to the database; wait until it ends and run this command again" in ran.err
    )
    desk.finishes(lambda: server.recipients)


# -- read-only and full ---------------------------------------------------------------------


@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_a_read_only_database_sends_nothing(desk: Desk, server: SmtpServer, what: str) -> None:
    database = desk.root / "subscribers.db"
    gc.collect()  # no connection of this process is left, so that the last one takes -wal and -shm away
    sqlite3.connect(database).execute("SELECT 1 FROM subscribers").connection.close()
    with bound_by_permissions():
        if what != "folder":
            database.chmod(0o444)
        if what != "file":
            desk.root.chmod(0o555)
        try:
            ran = desk.send()
        finally:
            desk.root.chmod(0o755)
            database.chmod(0o644)
    assert ran.status == 1
    assert "subscribers.db: " in ran.err
    assert "allow this user to write the file and its folder" in ran.err, ran.err
    assert server.received == []
    assert desk.send().status == 0
    desk.finishes(lambda: server.recipients)


def test_a_full_database_makes_no_campaign(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> object:
        db = open_store(path)
        pages = db.conn.execute("PRAGMA page_count").fetchone()[0]
        db.conn.execute(f"PRAGMA max_page_count={pages}")
        return db

    desk.people(3000)
    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.workspace.open_store", full)
        ran = desk.send()
    assert ran.status == 1
    assert (
        "subscribers.db: the disk is full or failing; free some disk space and run this command again"
        in ran.err
    )
    assert server.received == []
    assert desk.states == []
    assert not (desk.root / "campaigns" / SLUG).exists()


def test_a_disk_that_is_full_before_the_campaign_makes_none(desk: Desk, server: SmtpServer) -> None:
    with no_file_larger_than(8000):
        ran = desk.send()
    assert ran.status == 1
    assert "cannot be written: " in ran.err or "the disk is full or failing; free some disk space" in ran.err
    assert "run th" in ran.err
    assert desk.states == []
    assert not (desk.root / "campaigns" / SLUG).exists()
    assert server.received == []
    assert desk.send().status == 0
    desk.finishes(lambda: server.recipients)


def test_a_disk_that_fills_up_during_the_run_loses_nothing(desk: Desk, server: SmtpServer) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    server.received = At(2, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1])))
    try:
        ran = desk.send()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ran.status == 1
    assert (
        "subscribers.db: the disk is full or failing; free some disk space and run this command again"
        in ran.err
    )
    assert "(nothing is lost)" in ran.err
    assert len(server.received) >= 2
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize("full", [True, False], ids=["full disk", "read-only"])
def test_a_journal_that_cannot_be_begun_sends_nothing(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    journal = desk.root / ".mailer" / f"{SLUG}.journal"
    journal.parent.mkdir(exist_ok=True)
    journal.touch(0o666 if full else 0o444)

    def no_room(self: Journal, text: str) -> None:
        raise OSError(28, "No space left on device")

    with bound_by_permissions(), monkeypatch.context() as patch:
        if full:
            patch.setattr(Journal, "_write", no_room)
        ran = desk.send()
    assert ran.status == 1
    why = "no space left on device" if full else "permission denied"
    assert f"{SLUG}.journal: {why}; correct this error first" in ran.err
    assert f"no reader has the issue yet; {GO_ON} sends the 4 that are left" in ran.err
    assert desk.states == ["pending"] * 4
    assert desk.status == "stopped"
    assert server.received == []
    journal.unlink()
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize("lines", [2, 3, 4])
def test_a_journal_that_fills_up_stops_the_run(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    real, calls = Journal._write, []

    def fill_up(self: Journal, text: str) -> None:
        calls.append(text)
        if len(calls) > lines:
            raise OSError(28, "No space left on device")
        real(self, text)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", fill_up)
        ran = desk.send()
    assert ran.status == 1
    assert "the journal cannot be written (No space left on device), so nothing more is sent" in ran.err
    assert "free some disk space and run this command again" in ran.err
    handed = len(server.received)
    assert 1 <= handed < 4
    assert desk.states == ["accepted"] * handed + ["pending"] * (4 - handed)
    readers = "reader has" if handed == 1 else "readers have"
    assert f"{handed} {readers} the issue; {GO_ON} sends the {4 - handed} that are left" in ran.err
    desk.finishes(lambda: server.recipients)


# -- damaged, removed, replaced -------------------------------------------------------------


def settled(desk: Desk) -> bytes:
    """The bytes of the database, all of them in the one file."""
    database = sqlite3.connect(desk.root / "subscribers.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    database.close()
    return (desk.root / "subscribers.db").read_bytes()


def put(desk: Desk, data: bytes) -> None:
    """This is the database now."""
    for name in ("subscribers.db", "subscribers.db-wal", "subscribers.db-shm"):
        (desk.root / name).unlink(missing_ok=True)
    (desk.root / "subscribers.db").write_bytes(data)


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_damaged_database_sends_nothing(desk: Desk, server: SmtpServer, where: str) -> None:
    sound = settled(desk)
    noise = b"\xa5" * len(sound)
    put(desk, noise if where == "head" else sound[:4096] + noise[4096:])
    ran = desk.send()
    assert ran.status == 1
    assert "the file is damaged, or is no SQLite database; restore it from a backup" in ran.err, ran.err
    assert server.received == []
    put(desk, sound)
    assert desk.send().status == 0
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize("everything", [True, False], ids=["with its wal", "alone"])
def test_a_database_that_is_removed_during_the_run_is_rescued(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, everything: bool
) -> None:
    monkeypatch.setattr("mailer.delivery.loop.POLL_SECONDS", 0.0)
    root = desk.root

    def remove() -> None:
        for name in ("", "-wal", "-shm") if everything else ("",):
            (root / f"subscribers.db{name}").unlink(missing_ok=True)

    (root / "subscribers.db-rescued").write_text("of an earlier time")
    server.received = At(2, remove)
    ran = desk.send()
    assert ran.status == 1
    assert "subscribers.db was removed or replaced while it was in use; its content" in ran.err
    assert "rename subscribers.db-rescued-2 to subscribers.db, and run this again" in ran.err
    assert (root / "subscribers.db-rescued").read_text() == "of an earlier time"
    for name in ("", "-wal", "-shm"):  # as it says
        (root / f"subscribers.db{name}").unlink(missing_ok=True)
    (root / "subscribers.db-rescued-2").rename(root / "subscribers.db")
    assert desk.counts["accepted"] >= 2
    assert desk.counts.get("uncertain", 0) == 0
    desk.finishes(lambda: server.recipients)


def test_a_new_database_does_not_send_what_the_archive_says_was_sent(desk: Desk, server: SmtpServer) -> None:
    assert desk.send().status == 0
    put(desk, b"")
    desk.people(4)
    ran = desk.send()
    assert ran.status == 2
    assert (
        f"campaigns/{SLUG} says that this issue was sent from here, but subscribers.db does not know"
        in ran.err
    )
    assert "restore the database from a backup" in ran.err
    assert len(server.received) == 4
    shutil.move(desk.root / "campaigns" / SLUG, desk.root / "moved")  # the operator's choice
    assert desk.send().status == 0
    assert len(server.received) == 8


def test_a_clone_that_holds_the_archive_may_send(desk: Desk, server: SmtpServer) -> None:
    """Where the archive came from elsewhere, this workspace's database is not to blame."""
    assert desk.send().status == 0
    put(desk, b"")
    shutil.rmtree(desk.root / ".mailer")
    desk.people(4)
    assert f"Campaign   {SLUG}-2 (new)" in desk.run("plan", ISSUE).out


def test_an_old_copy_of_the_database_sends_nothing(desk: Desk, server: SmtpServer) -> None:
    server.fail("RCPT", "reply", "450 later", times=4)
    assert desk.send().status == 1
    old = settled(desk)
    assert desk.send().status == 0
    put(desk, old)
    ran = desk.send()
    assert ran.status == 1
    assert f"subscribers.db is older than campaigns/{SLUG}: the manifest counts 4 readers" in ran.err
    assert "Restore a newer copy of the database" in ran.err
    assert len(server.received) == 4
    assert desk.run("campaigns", "cancel", SLUG).status == 0


def die(*_: object, **__: object) -> None:
    """Ends the process where a kill would, with nothing written down on the way."""
    raise SystemExit(9)


@pytest.mark.parametrize("known", ["outcomes", "a beginning"])
def test_an_old_copy_beside_the_journal_of_a_run_that_died_sends_nothing(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    """Also where `subscribers.db-wal` was tidied up after a crash, or a backup is of the middle of a run."""
    server.fail("RCPT", "reply", "450 later", times=4)
    assert desk.send().status == 1
    old = settled(desk)
    path = desk.root / ".mailer" / f"{SLUG}.journal"
    if known == "outcomes":
        with monkeypatch.context() as patch:
            patch.setattr("mailer.services.sending.run.conclude_run", die)
            assert desk.send().status == 9
        assert len(server.received) == 4
    else:
        journal = Journal(path)
        journal.note_begun_deliveries([(1, 2)])
        journal.close()
    put(desk, old)
    before = len(server.received)
    for _ in range(2):
        ran = desk.send()
        assert ran.status == 1
        assert f"subscribers.db is older than .mailer/{SLUG}.journal" in ran.err
        assert "subscribers.db-wal" in ran.err
    assert len(server.received) == before
    assert desk.counts == {"deferred": 4}
    assert desk.run("campaigns", "cancel", SLUG).status == 0


def test_an_old_copy_after_two_runs_that_died_sends_nothing(
    desk: Desk, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins a journal of its own: what the first did is in the campaign's folder by then."""
    server.fail("RCPT", "reply", "450 later", times=4)
    assert desk.send().status == 1
    old = settled(desk)
    server.fail("RCPT", "reply", "450 later", times=2)
    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.sending.run.conclude_run", die)
        patch.setattr("mailer.services.sending.run.conclude_failed_run", die)
        assert desk.send().status == 9
        assert len(server.received) == 2
        patch.setattr("mailer.services.sending.run.deliver", die)
        assert desk.send().status == 9
    (desk.root / ".mailer" / f"{SLUG}.journal").unlink()
    put(desk, old)
    assert f"subscribers.db is older than campaigns/{SLUG}: the manifest counts 2" in desk.send().err
    assert len(server.received) == 2


def test_a_journal_of_a_campaign_that_is_no_more_is_no_objection(desk: Desk, server: SmtpServer) -> None:
    journal = Journal(desk.root / ".mailer" / f"{SLUG}.journal")
    journal.note_begun_deliveries([(1, 7)])
    journal.close()
    assert desk.send().status == 0
    assert len(server.received) == 4


# -- the folders ----------------------------------------------------------------------------


def test_a_campaigns_folder_that_is_removed_during_the_run(desk: Desk, server: SmtpServer) -> None:
    folder, aside = desk.root / "campaigns", desk.root / "aside"
    server.received = At(2, lambda: folder.rename(aside))
    ran = desk.send()
    assert ran.status == 1
    assert f"campaigns/{SLUG}/manifest.json: is missing; restore the folder from a backup" in ran.err
    assert desk.counts == {"accepted": 4}  # the spool is the truth
    aside.rename(folder)
    desk.finishes(lambda: server.recipients)
    assert desk.status == "sent"


def test_a_campaigns_folder_that_cannot_be_written_any_more(desk: Desk, server: SmtpServer) -> None:
    folder = desk.root / "campaigns" / SLUG
    server.received = At(2, lambda: folder.chmod(0o555))
    with bound_by_permissions():
        ran = desk.send()
        folder.chmod(0o755)
    assert ran.status == 1
    assert "cannot be written: permission denied; the deliveries are safe in subscribers.db" in ran.err
    assert "Correct this and run the same command again" in ran.err
    assert desk.counts == {"accepted": 4}
    desk.finishes(lambda: server.recipients)
    assert '"status": "sent"' in (folder / "manifest.json").read_text()


def outbox_fails(desk: Desk, words: str, advice: str, mend: Callable[[], object]) -> None:
    ran = desk.send()
    assert ran.status == 1
    assert f"the outbox outbox cannot be written: {words}; {advice}" in ran.err
    assert GO_ON in ran.err
    assert "uncertain" not in desk.counts
    mend()
    desk.finishes(desk.outbox)


def test_an_outbox_that_is_not_there_is_made(desk: Desk) -> None:
    assert not (desk.root / "outbox").exists()
    assert desk.send().status == 0
    desk.finishes(desk.outbox)


def test_a_read_only_outbox(desk: Desk) -> None:
    (desk.root / "outbox").mkdir(0o555)
    with bound_by_permissions():
        outbox_fails(
            desk,
            "Permission denied",
            "make the folder writable or name another in outbox:PATH",
            lambda: (desk.root / "outbox").chmod(0o755),
        )


def test_an_outbox_that_is_a_file(desk: Desk) -> None:
    (desk.root / "outbox").write_text("")
    advice = "move it away or name another folder in outbox:PATH"
    outbox_fails(desk, "it is a file, not a folder", advice, (desk.root / "outbox").unlink)


def test_an_outbox_on_a_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    class FullAtTheThird(NewFile):
        def __init__(self, path: Path, **more: Any) -> None:
            super().__init__(path, **more)
            made.append(path)
            if len(made) == 3:
                self.file.close()
                self.file = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")

    with monkeypatch.context() as patch:
        patch.setattr("mailer.transports.outbox.transport.NewFile", FullAtTheThird)
        advice = "free some space on its disk, then run this again"
        outbox_fails(desk, "No space left on device", advice, lambda: None)


def test_an_outbox_that_is_removed_during_the_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailer.transports.outbox.transport import OutboxChannel

    real, kept = OutboxChannel._write_message_file, desk.root / "kept"

    def remove(self: OutboxChannel, name: str, data: bytes) -> None:
        if len(list((desk.root / "outbox").glob("*.eml"))) == 2:
            (desk.root / "outbox").rename(kept)
        real(self, name, data)

    def mend() -> None:
        kept.rename(desk.root / "outbox")

    with monkeypatch.context() as patch:
        patch.setattr(OutboxChannel, "_write_message_file", remove)
        ran = desk.send()
    assert ran.status == 1
    assert "the folder was removed meanwhile; run this again, which creates the folder" in ran.err
    assert desk.counts == {"accepted": 2, "pending": 2}
    mend()
    desk.finishes(desk.outbox)


# -- two at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("tidied", [False, True], ids=["", "the lock file was removed"])
def test_two_at_once_and_the_first_is_killed(desk: Desk, server: SmtpServer, tidied: bool) -> None:
    server.fail("DOT", "hang", after=1)
    command = [sys.executable, str(ROOT / "cli.py"), "send", ISSUE, "--yes", "--transport", server.url]
    first = subprocess.Popen(command, cwd=desk.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while len(server.received) < 2:
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if tidied:
            (desk.root / ".mailer" / f"{SLUG}.lock").unlink()
        second = desk.send()
        assert second.status == 1
        who = "is being sent already" if tidied else f"is being sent by process {first.pid} already"
        assert f"campaign {SLUG} {who}" in second.err
        assert "wait for that process to end, or stop it, and run this command again" in second.err
        assert len(server.received) == 2
    finally:
        first.kill()
        _, err = first.communicate(timeout=30)
    assert b"Traceback" not in err
    desk.finishes(lambda: server.recipients, uncertain=1)

"""Every file that the program writes and that holds an address, or may, is its owner's alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailer.commands.error_log import write_error_log
from mailer.errors import StoreError
from mailer.services.database.guard import watch_database
from mailer.spool.journal import Journal
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from tests.cli import run
from tests.desk import ISSUE, TEXT
from tests.servers.smtp import SmtpServer

DOMAIN = b"@readers.example.org"
#: What the test itself writes, as an operator does.
OWN = {"mailer.toml", "readers.csv", ISSUE}


@pytest.fixture
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable(root: Path) -> set[str]:
    """The files below `root` that others may read, but for those that the test wrote."""
    found = set()
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and name not in OWN and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found.add(name)
    return found


def holding(root: Path) -> set[str]:
    """The files below `root` that hold a reader's address, but for those that the test wrote."""
    names = {path: path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for path, name in names.items() if name not in OWN and DOMAIN in path.read_bytes()}


@pytest.mark.usefixtures("_usual_umask")
def test_what_holds_an_address_can_be_read_by_its_owner_alone(workspace: Path) -> None:
    (workspace / ISSUE).write_text(TEXT, encoding="utf-8")
    rows = "".join(f"r{n}{DOMAIN.decode()}\n" for n in range(4))
    (workspace / "readers.csv").write_text(f"email\n{rows}no.address{DOMAIN.decode()}@\n", encoding="utf-8")
    assert run(workspace, "subscribers", "import", "readers.csv").status == 1
    with closing(sqlite3.connect(workspace / "subscribers.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subscribers").fetchone()  # so that the log and its index stay
        assert run(workspace, "subscribers", "export", "-o", "people.csv").status == 0
        assert run(workspace, "plan", ISSUE).status == 0
        ran = run(workspace, "send", ISSUE, "--test", f"editor{DOMAIN.decode()}")
        assert ran.status == 0, ran.err
        assert run(workspace, "send", ISSUE, "--yes").status == 0
        with SmtpServer() as server:
            server.fail("RCPT", "reply", f"550 5.1.1 <r0{DOMAIN.decode()}> is unknown here")
            ran = run(workspace, "send", ISSUE, "--yes", "--transport", server.url)
        assert len(server.received) == 3, ran.err
        journal = Journal(workspace / ".mailer/of-a-kill.journal")
        journal.note_outcomes(
            [(1, 1, Outcome(OutcomeKind.REJECTED, reason=f"550 r0{DOMAIN.decode()} is unknown"))]
        )
        journal.close()
        write_error_log(workspace, ValueError(f"r0{DOMAIN.decode()}"), "send")
        found = {path.name for path in workspace.glob("subscribers.db*")}
        assert {"subscribers.db", "subscribers.db-wal", "subscribers.db-shm"} <= found
        holds = holding(workspace)
        open_to_others = readable(workspace)
    assert {
        "people.csv",
        "readers.refused.csv",
        "subscribers.db-wal",
        ".mailer/of-a-kill.journal",
    } <= holds, holds
    assert len([name for name in holds if name.startswith("outbox/")]) == 5
    assert holds & open_to_others == set()
    beginnings = ("campaigns/", "issues/", ".mailer/last-run")
    assert {name for name in open_to_others if not name.startswith(beginnings)} == set()


@pytest.mark.usefixtures("_usual_umask")
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_rescued_database_is_its_owners_alone_whatever_the_other_was(workspace: Path, mode: int) -> None:
    path = workspace / "subscribers.db"
    with closing(open_store(path).conn):
        path.chmod(mode)
    db = open_store(path)
    db.conn.execute("PRAGMA user_version=7")
    with (
        closing(db.conn),
        pytest.raises(StoreError, match=r"subscribers\.db-rescued"),
        watch_database(db, path, lambda _: None),
    ):
        path.unlink()
    copies = sorted(workspace.glob("subscribers.db-rescued*"))
    assert copies
    for copy in copies:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copies[0])) as connection:
        connection.execute("CREATE TABLE more (x)")
        connection.commit()
        for beside in workspace.glob("subscribers.db-rescued-*"):
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600


@pytest.mark.usefixtures("_usual_umask")
def test_an_export_over_a_file_that_all_may_read_is_private(workspace: Path) -> None:
    ran = run(workspace, "subscribers", "add", f"anna{DOMAIN.decode()}", "--consent", "by phone")
    assert ran.status == 0, ran.err
    (workspace / "people.csv").write_text("", encoding="utf-8")
    assert run(workspace, "subscribers", "export", "-o", "people.csv").status == 0
    assert stat.S_IMODE((workspace / "people.csv").stat().st_mode) == 0o600

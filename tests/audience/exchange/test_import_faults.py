"""What happens to an import when it is not alone, or does not live to see its end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.exchange import importer
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import RefusedFile
from mailer.config import Settings
from mailer.store.database import open_store

ROWS = 3000

# Imports the list in small batches; after some, says so and waits to be killed.
CHILD = """
import sys
from pathlib import Path
from mailer.audience.exchange import importer
from mailer.audience.exchange.list_file import ListFile
from mailer.config import load_settings
from mailer.store.database import open_store
root, wait = Path(sys.argv[1]), sys.argv[2] == "wait"
importer.BATCH = 100
def tell(rows, done, size):
    if wait and rows >= 1000:
        print("half", flush=True)
        sys.stdin.read()
settings = load_settings(root)
source = ListFile.at(root / "list.csv", settings)
report = importer.import_csv(open_store(settings.database), settings, source, on_progress=tell)
print(report.total)
"""


def write_list(workspace: Path) -> None:
    rows = "".join(
        f"R{number % 2000}@example.org,Name {number},{'x' if number % 50 else ''}\n" for number in range(ROWS)
    )
    (workspace / "list.csv").write_text(f"email,name,tags\n{rows}bad,,\n", encoding="utf-8")


def child(workspace: Path, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(workspace), mode],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(importer.__file__).parents[3])},
    )  # fmt: skip


def state(db: Database) -> list[Any]:
    return [
        db.conn.execute("SELECT address_key, name, tags, status FROM subscribers ORDER BY 1").fetchall(),
        db.conn.execute(
            "SELECT x.edition, s.address_key FROM subscriptions x "
            "JOIN subscribers s ON s.id = x.subscriber_id ORDER BY 1, 2"
        ).fetchall(),
        db.conn.execute(
            "SELECT s.address_key, c.method FROM consents c "
            "JOIN subscribers s ON s.id = c.subscriber_id ORDER BY 1"
        ).fetchall(),
    ]


def test_an_import_that_was_killed_is_finished_by_the_next(
    db: Database, settings: Settings, workspace: Path
) -> None:
    write_list(workspace)
    whole = open_store(workspace / "whole.db")
    import_csv(whole, settings, ListFile.at(workspace / "list.csv", settings))
    process = child(workspace, "wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 1000
    report = import_csv(db, settings, ListFile.at(workspace / "list.csv", settings))
    assert report.total == ROWS + 1
    assert report.count("refused") == 1
    assert state(db) == state(whole)
    assert not list(workspace.glob("*.tmp"))
    whole.close()


def test_two_imports_of_one_list_at_once_do_not_mix_their_refused_rows(tmp_path: Path) -> None:
    path = tmp_path / "list.refused.csv"
    one, two = RefusedFile(path, ["email"]), RefusedFile(path, ["email"])
    one.add_row(2, "no @", ["bad"])
    two.add_row(3, "no @", ["worse"])
    one.add_row(4, "no @", ["worst"])
    assert two.finish() == path
    assert [line.split(",")[0] for line in path.read_text("utf-8-sig").splitlines()[1:]] == ["3"]
    assert one.finish() == path
    assert [line.split(",")[0] for line in path.read_text("utf-8-sig").splitlines()[1:]] == ["2", "4"]
    one.close()
    two.close()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_import_that_fails_leaves_no_half_file_of_refused_rows(tmp_path: Path) -> None:
    path = tmp_path / "list.refused.csv"
    path.write_text("of an earlier import")
    (tmp_path / ".list.refused.csv.0123456789abcdef.tmp").write_text("of one that was killed")
    refused = RefusedFile(path, ["email"])
    refused.add_row(2, "no @", ["bad"])
    refused.close()
    assert path.read_text() == "of an earlier import"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_two_imports_at_once_both_finish_and_nobody_is_there_twice(
    db: Database, settings: Settings, workspace: Path
) -> None:
    write_list(workspace)
    processes = [child(workspace, "run") for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, f"{ROWS + 1}\n", "")
    assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 2000
    assert db.conn.execute("SELECT count(*) FROM consents").fetchone()[0] == 2000
    assert db.conn.execute("SELECT count(*) FROM subscriptions").fetchone()[0] == 6000


def test_a_batch_is_in_the_database_wholly_or_not_at_all(
    db: Database, settings: Settings, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_list(workspace)
    monkeypatch.setattr(importer, "BATCH", 100)
    db.conn.execute(
        "CREATE TRIGGER full BEFORE INSERT ON consents WHEN (SELECT count(*) FROM subscribers) > 250 "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )
    with pytest.raises(sqlite3.Error, match="disk is full"):
        import_csv(db, settings, ListFile.at(workspace / "list.csv", settings))
    assert not db.conn.in_transaction
    for table in ("subscribers", "consents"):
        assert db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 200
    assert db.conn.execute("SELECT count(*) FROM subscriptions").fetchone()[0] == 600

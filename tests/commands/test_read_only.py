"""Commands that only read work where nothing may be written: a database, a folder, or the whole workspace."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.cli import Ran, run
from tests.commands.contract import LEFT, SENT, lay_out
from tests.faults.conftest import bound_by_permissions

READING = [
    "campaigns list",
    f"campaigns show {SENT}",
    f"campaigns show {LEFT}",
    f"campaigns deliveries {SENT}",
    f"campaigns verify {SENT}",
    "plan issues/feature.yaml",
    "plan issues/evening.yaml",
    "explain ann@example.org issues/feature.yaml",
    "check issues/feature.yaml",
    "subscribers list",
    "subscribers show ann@example.org",
    "subscribers export -o OUT",
]


@pytest.fixture
def desk(workspace: Path) -> Path:
    lay_out(workspace)
    return workspace


@contextmanager
def read_only(root: Path, what: str) -> Iterator[None]:
    """Nothing may be written to the database, to its folder, or to anything in the workspace."""
    gc.collect()  # no connection of this process is left, so that the last one takes -wal and -shm away
    with closing(sqlite3.connect(root / "subscribers.db")) as last:
        last.execute("SELECT 1 FROM subscribers").fetchone()
    chosen = {"file": [root / "subscribers.db"], "folder": [root], "all": [root, *root.rglob("*")]}[what]
    modes = {path: path.stat().st_mode for path in chosen}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        with bound_by_permissions():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def everything(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("what", ["file", "folder", "all"])
@pytest.mark.parametrize("words", READING)
def test_what_only_reads_works_where_nothing_may_be_written(
    desk: Path, tmp_path: Path, words: str, what: str
) -> None:
    called = [word.replace("OUT", str(tmp_path / "people.csv")) for word in words.split()]
    usual = run(desk, *called)
    assert usual.status == 0
    with read_only(desk, what):
        before = everything(desk)
        ran, as_json = run(desk, *called), run(desk, *called, "--json")
        after = everything(desk)
    assert (ran.status, as_json.status, after) == (0, 0, before), ran.err
    assert "error" not in as_json.json
    if not words.startswith("plan"):  # it warns that it cannot be kept
        assert ran.out == usual.out


@pytest.mark.parametrize("words", ["send issues/feature.yaml --yes", f"campaigns cancel {LEFT}"])
def test_what_writes_says_what_to_do(desk: Path, words: str) -> None:
    with read_only(desk, "all"):
        ran: Ran = run(desk, *words.split(), "--json")
    assert ran.status == 1
    assert (
        "the database is read-only; allow this user to write the file and its folder"
        in ran.json["error"]["message"]
    )


def test_a_workspace_without_a_database_that_may_not_be_written(workspace: Path) -> None:
    with bound_by_permissions():
        workspace.chmod(0o555)
        try:
            ran = run(workspace, "campaigns", "list")
        finally:
            workspace.chmod(0o755)
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert not (workspace / "subscribers.db").exists()

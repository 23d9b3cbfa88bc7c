"""The commands of docs/installing.md work, and a restored database behaves as the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import run
from tests.desk import ISSUE, SLUG, TEXT, fill

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/installing.md").read_text(encoding="utf-8")
MAKE, BACK_UP, LOOK, SAVE, RESTORE = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
OTHER = "issues/other.yaml"


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with `mailer`, as it is on the path of an operator."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mailer").write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "cli.py"} "$@"\n')
    (folder / "mailer").chmod(0o755)
    return folder


@pytest.fixture
def desk(workspace: Path) -> Path:
    """A workspace that sent one issue and keeps its key in `.env`."""
    (workspace / "templates").mkdir()
    (workspace / ".env").write_text("MAILER_SECRET_KEY=a-secret-key-for-tests-only\n")
    fill(workspace, 3)
    assert run(workspace, "send", ISSUE, "--yes").status == 0
    (workspace / OTHER).write_text(TEXT.replace("morning", "evening"), encoding="utf-8")
    return workspace


def do(folder: Path, shell: Path, lines: str) -> str:
    environment = {**os.environ, "PATH": f"{shell}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "-euc", lines], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended
    return ended.stdout


def status_of(desk: Path, address: str) -> str:
    return str(run(desk, "subscribers", "show", address, "--json").json["status"])


def test_a_workspace_is_made(tmp_path: Path, shell: Path) -> None:
    assert "There is no campaign yet" in do(tmp_path, shell, MAKE)


def test_a_backup_is_private_and_can_be_used(desk: Path, shell: Path) -> None:
    do(desk, shell, BACK_UP)
    backup = desk.parent / "backup"
    assert (backup / "subscribers.db").stat().st_mode & 0o077 == 0
    assert SLUG in do(desk, shell, LOOK)
    assert run(backup, "campaigns", "verify", SLUG).status == 0
    for words in (("subscribers", "list"), ("campaigns", "show", SLUG, "--json")):
        assert run(backup, *words).out == run(desk, *words).out


def test_a_restored_database_sends_nothing_twice_and_knows_who_left(desk: Path, shell: Path) -> None:
    do(desk, shell, BACK_UP)
    assert run(desk, "send", OTHER, "--yes").status == 0
    assert run(desk, "subscribers", "unsubscribe", "reader1@example.org").status == 0
    sent = len(list((desk / "outbox").iterdir()))
    do(desk, shell, SAVE)
    told = do(desk, shell, RESTORE)
    assert SLUG in told
    assert status_of(desk, "reader1@example.org") == "unsubscribed"
    ran = run(desk, "send", OTHER, "--yes")
    assert ran.status == 2
    assert "sent from here" in ran.err
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert len(list((desk / "outbox").iterdir())) == sent


def test_without_the_saved_list_a_restore_forgets_who_left(desk: Path, shell: Path) -> None:
    do(desk, shell, BACK_UP)
    assert run(desk, "subscribers", "unsubscribe", "reader1@example.org").status == 0
    do(desk, shell, "\n".join(line for line in RESTORE.splitlines() if "subscribers" not in line.split()))
    assert status_of(desk, "reader1@example.org") == "active"

"""What is copied from a database that was removed while it was in use."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mailer.errors import StoreError
from mailer.services.database import guard
from mailer.services.database.guard import watch_database
from mailer.store.database import open_store


def test_two_runs_that_rescue_one_database_at_once_make_a_copy_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "subscribers.db"
    one, two = open_store(path), open_store(path)
    real, others = sqlite3.connect, [two]

    def another_comes_between(target: Any) -> sqlite3.Connection:
        while others:
            guard._copy_to_rescue_file(others.pop(), path)
        return real(target)

    monkeypatch.setattr(sqlite3, "connect", another_comes_between)
    with (
        closing(one.conn),
        closing(two.conn),
        pytest.raises(StoreError, match=r"is in subscribers\.db-rescued\. End all"),
        watch_database(one, path, lambda _: None),
    ):
        path.unlink()
    copies = [tmp_path / "subscribers.db-rescued", tmp_path / "subscribers.db-rescued-2"]
    for copy in copies:
        assert copy.stat().st_mode & 0o777 == 0o600
        with closing(real(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM subscribers").fetchone() == (0,)


def test_a_folder_that_takes_no_copy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gone" / "subscribers.db"
    path.parent.mkdir()
    db = open_store(path)
    with (
        closing(db.conn),
        pytest.raises(StoreError, match="and its content cannot be saved"),
        watch_database(db, path, lambda _: None),
    ):
        shutil.rmtree(path.parent)

"""What a removed database still held is saved, whatever else is being saved at that moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.config import Settings
from mailer.errors import StoreError
from mailer.publish import guard
from mailer.publish.guard import keeping_watch
from mailer.store import open_store


def lose(db: Database, path: Path) -> str:
    """Runs until the end over a database whose file has gone; gives the sentence."""
    with pytest.raises(StoreError) as caught, keeping_watch(db, path, lambda _: None):
        path.unlink(missing_ok=True)
    return str(caught.value)


def test_two_runs_that_lose_the_database_at_once_save_a_copy_each(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.database
    first, second = open_store(path), open_store(path)
    told: list[str] = []
    connect = sqlite3.connect

    def meanwhile(target: Path) -> sqlite3.Connection:
        monkeypatch.setattr("mailer.publish.guard.sqlite3.connect", connect)
        told.append(guard._rescue(second, path))
        return connect(target)

    monkeypatch.setattr("mailer.publish.guard.sqlite3.connect", meanwhile)
    told.append(lose(first, path))
    for db in (first, second):
        db.close()
    copies = sorted(path.parent.glob("subscribers.db-rescued*"))
    assert [copy.name for copy in copies] == ["subscribers.db-rescued", "subscribers.db-rescued-2"]
    assert [copy.name in sentence for copy, sentence in zip(copies, reversed(told), strict=True)] == [
        True
    ] * 2
    for copy in copies:
        assert copy.stat().st_mode & 0o777 == 0o600
        assert connect(copy).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_where_no_copy_can_be_made_the_sentence_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = open_store(settings.database)

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mailer.publish.guard._new_file", full)
    assert "what it held cannot be saved ([Errno 28] No space left on device)" in lose(db, settings.database)
    db.close()

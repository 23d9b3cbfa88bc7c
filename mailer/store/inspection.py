"""Inspects a database without changing it: checks it for damage, and reads its journal mode."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mailer.store.database import to_store_error

__all__ = ["Inspection", "inspect_database"]

_BUSY_SECONDS: Final = 5.0
#: The number of steps of SQLite's virtual machine between two checks of the time limit.
_STEPS_BETWEEN_LOOKS: Final = 10_000
_TABLES: Final = {"subscribers", "deliveries"}


@dataclass(frozen=True, slots=True)
class Inspection:
    """Holds the state of a database.

    `damage` describes the first error that SQLite found, or is '' if there is none. `journal_mode` is a name
    of SQLite, such as `wal`. `has_tables` is True if the tables of mailer exist.
    """

    damage: str
    journal_mode: str
    has_tables: bool


def inspect_database(path: Path, *, max_seconds: float) -> Inspection | None:
    """Checks the whole database (PRAGMA quick_check). Returns None if that takes longer than `max_seconds`.

    Raises StoreError if the database cannot be read.
    """
    until = time.monotonic() + max_seconds
    uri = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)) as connection:
            # With mode=ro, a database in WAL mode would leave two files behind.
            connection.execute("PRAGMA query_only=ON")
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
            wrong = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
            tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            return None
        raise to_store_error(error, path.name) from None
    damage = "" if wrong == ["ok"] else wrong[0].splitlines()[-1] if wrong else "SQLite gave no result"
    return Inspection(damage, mode, tables >= _TABLES)

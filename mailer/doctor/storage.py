"""subscribers.db and the disk below it. The database is only read, and never made here."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import quote

from mailer.config import Settings
from mailer.store.database import explain
from mailer.transports.finding import Finding, Status

__all__ = ["database", "disk"]

_BYTES_LITTLE: Final = 1_000_000_000
_BYTES_TOO_LITTLE: Final = 100_000_000
_QUICK_CHECK_SECONDS: Final = 20.0
_STEPS_BETWEEN_LOOKS: Final = 10_000


def database(settings: Settings, *, seconds: float = _QUICK_CHECK_SECONDS) -> Iterator[Finding]:
    """Whether it opens, is sound (PRAGMA quick_check), in WAL mode, may be written, and is private.

    Takes at most `seconds`.
    """
    name, path = "database", settings.database
    if not path.exists():
        yield Finding(
            name,
            Status.WARNING,
            "there is no subscribers.db yet, and nobody to write to",
            "mailer subscribers import FILE.csv",
        )
        return
    until = time.monotonic() + seconds
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, timeout=5.0)
        ) as connection:
            # Opened with mode=ro, a database in WAL mode would keep two files of whoever looked.
            connection.execute("PRAGMA query_only=ON")
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
            wrong = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
            tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            yield Finding(
                name,
                Status.UNKNOWN,
                f"it could not be looked through within {seconds:g} s",
                f'sqlite3 {path.name} "PRAGMA quick_check"',
            )
            return
        sentence, _, advice = str(explain(error, path.name)).partition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
        return
    if wrong != ["ok"]:
        first = wrong[0].splitlines()[-1] if wrong else "no answer"
        yield Finding(name, Status.ERROR, f"it is damaged: {first}", "restore subscribers.db from a backup")
        return
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        yield Finding(
            name,
            Status.ERROR,
            "it cannot be written",
            "allow this user to write subscribers.db and its folder",
        )
    elif not {"subscribers", "deliveries"} <= tables or mode != "wal":
        what = f"journal mode {mode}" if mode != "wal" else "tables are missing"
        yield Finding(
            name, Status.WARNING, f"not as mailer leaves it: {what}", "mailer subscribers list mends that"
        )
    elif stat.S_IMODE(path.stat().st_mode) & 0o007:
        yield Finding(
            name,
            Status.WARNING,
            "everybody on this machine may read the readers' addresses",
            f"chmod 600 {path.name}*",
        )
    else:
        yield Finding(name, Status.OK, f"sound, in WAL mode, {path.stat().st_size / 1e6:,.1f} MB")


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room: for the database once more (its log and its indexes) and for campaigns."""
    free = shutil.disk_usage(settings.root).free
    size = settings.database.stat().st_size if settings.database.exists() else 0
    message = f"{free / 1e9:,.1f} GB free"
    if free < _BYTES_TOO_LITTLE + size:
        yield Finding("disk", Status.ERROR, message, "make room: a full disk stops a sending half-way")
    elif free < _BYTES_LITTLE + 2 * size:
        yield Finding("disk", Status.WARNING, message, "make room before the next large sending")
    else:
        yield Finding("disk", Status.OK, message)

"""Checks subscribers.db and the free space of its disk. The checks only read the database, and never create
it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailer.config import Settings
from mailer.errors import StoreError
from mailer.store.inspection import Inspection, inspect_database
from mailer.transports.finding import Finding, Status

__all__ = ["check_database", "check_disk"]

_BYTES_LITTLE: Final = 1_000_000_000
_BYTES_TOO_LITTLE: Final = 100_000_000
_QUICK_CHECK_SECONDS: Final = 20.0


def check_database(settings: Settings, *, seconds: float = _QUICK_CHECK_SECONDS) -> Iterator[Finding]:
    """Checks whether the database opens, is undamaged (PRAGMA quick_check), is in WAL mode, is writable, and
    is not readable for everybody.

    Takes at most `seconds`.
    """
    name, path = "database", settings.database
    if not path.exists():
        yield Finding(
            name,
            Status.WARNING,
            "there is no subscribers.db yet, so there are no readers",
            "import readers with mailer subscribers import FILE.csv",
        )
        return
    try:
        found = inspect_database(path, max_seconds=seconds)
    except StoreError as error:
        sentence, _, advice = str(error).partition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
        return
    if found is None:
        yield Finding(
            name,
            Status.UNKNOWN,
            f"the database could not be checked within {seconds:g} s",
            f'check it with sqlite3 {path.name} "PRAGMA quick_check"',
        )
        return
    yield _database_finding(name, path, found)


def _database_finding(finding_name: str, path: Path, inspection: Inspection) -> Finding:
    """Returns the finding about a database that could be opened and read."""
    if inspection.damage:
        return Finding(
            finding_name,
            Status.ERROR,
            f"the database is damaged: {inspection.damage}",
            "restore subscribers.db from a backup",
        )
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return Finding(
            finding_name,
            Status.ERROR,
            "the database cannot be written",
            "allow this user to write subscribers.db and its folder",
        )
    if not inspection.has_tables or inspection.journal_mode != "wal":
        wal = inspection.journal_mode == "wal"
        what = "tables are missing" if wal else f"journal mode {inspection.journal_mode}"
        return Finding(
            finding_name,
            Status.WARNING,
            f"the database is not set up as mailer needs it: {what}",
            "run mailer subscribers list, which repairs that",
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o007:
        return Finding(
            finding_name,
            Status.WARNING,
            "all users of this machine can read the readers' addresses",
            f"run chmod 600 {path.name}*",
        )
    return Finding(
        finding_name,
        Status.OK,
        f"the database is undamaged and in WAL mode, {path.stat().st_size / 1e6:,.1f} MB",
    )


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Checks whether the disk has enough free space for campaigns and for growth of the database."""
    free = shutil.disk_usage(settings.root).free
    size = settings.database.stat().st_size if settings.database.exists() else 0
    message = f"{free / 1e9:,.1f} GB free"
    if free < _BYTES_TOO_LITTLE + size:
        yield Finding("disk", Status.ERROR, message, "free disk space: a full disk stops a campaign half-way")
    elif free < _BYTES_LITTLE + 2 * size:
        yield Finding("disk", Status.WARNING, message, "free disk space before the next large campaign")
    else:
        yield Finding("disk", Status.OK, message)

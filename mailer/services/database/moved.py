"""Detects that the database was copied, moved or restored since the last run.

If two copies of a database are both used, the same readers get the same mail twice. So each run records the
machine and the path of the database, and a later run with another machine, path or file reports the
difference. This is only a warning, because usually the database was just moved.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mailer.campaign.times import format_time
from mailer.config import Settings
from mailer.files import put_file
from mailer.store.database import writing
from mailer.store.last_run import location_of, read_last_run, record_last_run

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["record_run_location", "moved_database_note", "report_moved_database"]


def moved_database_note(db: Database, settings: Settings) -> str:
    """Returns a sentence about the place where the database was last used, if it was another machine, path or
    file.

    Returns "" if the last run used this same database file, or if no run was recorded.
    """
    # The file is read before and after the row. A run that is recorded meanwhile has both tokens in the file
    # while it commits the row, so that one of the two readings has the row's token. No lock is needed.
    tokens = _last_run_tokens(settings)
    last = read_last_run(db)
    tokens += _last_run_tokens(settings)
    if last is None:
        return ""
    here = location_of(settings.database)
    when = format_time(last.at, settings.publication.zone)
    then = "if that copy is still in use, use only one of them"
    if here.is_on_other_machine(last.location):
        return f"this database was last used at {last.location.path} on another machine, {when}; {then}"
    if here.path != last.location.path:
        return f"this database was last used at {last.location.path}, {when}; {then}"
    if here.is_other_file(last.location):
        return f"this database was last used as another file at the same path, {when}; {then}"
    if tokens and last.token not in tokens:
        return (
            f"this database was replaced since the last run here, by a copy that was last used {when}; "
            "if another copy is still in use, use only one of them"
        )
    return ""


def record_run_location(db: Database, settings: Settings) -> None:
    """Records that a run begins with this database file. Raises OSError if the folder `.mailer` cannot be
    written.

    The token of the run is written to the database and to `.mailer/last-run`. While the database row is
    committed, the file holds both the old and the new token, so that file and row agree even after a crash.
    """
    place, token = location_of(settings.database), secrets.token_hex(8)
    path = settings.root / ".mailer" / "last-run"
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(db):
        before = read_last_run(db)
        put_file(path, f"{before.token if before else ''}\n{token}\n".encode("ascii"))
        record_last_run(db, place, token)
    with writing(db):
        last = read_last_run(db)
        if last is not None and last.token == token:  # no other run was recorded since
            put_file(path, f"{token}\n".encode("ascii"))


def report_moved_database(db: Database, settings: Settings, report: Callable[[str], None]) -> None:
    """Calls `report` with a sentence if the database was last used on another machine, or at another path or
    in another file.

    Then records the current location, so that the move is reported only once.
    """
    sentence = moved_database_note(db, settings)
    if sentence:
        report(sentence)
        with suppress(OSError):  # each run records it again, and reports the error
            record_run_location(db, settings)


def _last_run_tokens(settings: Settings) -> list[str]:
    """Returns the tokens in `.mailer/last-run` that identify the last run of this workspace; empty if there
    was no run."""
    try:
        return (settings.root / ".mailer" / "last-run").read_bytes().decode("ascii", "replace").split()
    except OSError:
        return []

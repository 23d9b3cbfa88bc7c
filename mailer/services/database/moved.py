"""Notices that a run goes on from a copy of the database, or that the database was moved or restored.

Two copies that are both continued mail the same readers twice, and neither can see the other. So each run
notes where it was, and the first run elsewhere says so. It goes on: most often there is only the new place.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mailer.campaign.times import in_words
from mailer.config import Settings
from mailer.files import put_file
from mailer.store.database import writing
from mailer.store.last_run import last_run, note_last_run, place_of

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["note_run", "moved_database_note", "report_moved_database"]


def moved_database_note(db: Database, settings: Settings) -> str:
    """A sentence about where the last run was; empty where it was here, or none was noted."""
    # Read before and after the row: a run that is being noted at the same time has both tokens in the file
    # while it commits the row, so that the row's is in one of the two readings. No lock is needed.
    tokens = _tokens(settings)
    last = last_run(db)
    tokens += _tokens(settings)
    if last is None:
        return ""
    here = place_of(settings.database)
    when = in_words(last.at, settings.publication.zone)
    then = "if that copy is still in use, stop one of them"
    if here.is_other_machine(last.place):
        return f"this database was last used at {last.place.path} on another machine, {when}; {then}"
    if here.path != last.place.path:
        return f"this database was last used at {last.place.path}, {when}; {then}"
    if here.is_other_file(last.place):
        return f"this database was last used as another file at the same path, {when}; {then}"
    if tokens and last.token not in tokens:
        return (
            f"this database is not as the last run here left it: a copy that was last used {when} was put in "
            "its place; if another copy is still in use, stop one of them"
        )
    return ""


def note_run(db: Database, settings: Settings) -> None:
    """Notes that a run begins here. Raises OSError where the folder `.mailer` cannot be written.

    While the row is being committed, `.mailer/last-run` holds the tokens of before and after: whatever a
    crash leaves, file and row fit.
    """
    place, token = place_of(settings.database), secrets.token_hex(8)
    path = settings.root / ".mailer" / "last-run"
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(db):
        before = last_run(db)
        put_file(path, f"{before.token if before else ''}\n{token}\n".encode("ascii"))
        note_last_run(db, place, token)
    with writing(db):
        last = last_run(db)
        if last is not None and last.token == token:  # no other run was noted since
            put_file(path, f"{token}\n".encode("ascii"))


def report_moved_database(db: Database, settings: Settings, say: Callable[[str], None]) -> None:
    """Says where the last run was, if it was not here, and notes this place, so that it is said once."""
    sentence = moved_database_note(db, settings)
    if sentence:
        say(sentence)
        with suppress(OSError):  # each run notes it again, and tells what is wrong
            note_run(db, settings)


def _tokens(settings: Settings) -> list[str]:
    """What the last run here wrote down; nothing where there was none."""
    try:
        return (settings.root / ".mailer" / "last-run").read_bytes().decode("ascii", "replace").split()
    except OSError:
        return []

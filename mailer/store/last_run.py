"""Records where the last run was: the file of the database, and the machine.

A copied, restored or moved database keeps the location of the last run over the original. The machine's own
id is confidential, so only a keyed hash of it is kept, which no other program has (machine-id(5)).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.clock import utc_now
from mailer.store.machine import boot_id

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["LastRun", "Place", "last_run", "note_last_run", "place_of"]

#: The files in which systemd, D-Bus and FreeBSD keep the id of the machine.
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"), Path("/etc/hostid"))
_SALT = b"mailer: the machine of a run"


@dataclass(frozen=True, slots=True)
class Place:
    """Identifies the file of a database and the machine. Numbers are text, as they may exceed SQLite's.

    `path` has symbolic links resolved, and bytes that are not UTF-8 as `\\xff`. `boot` names the running boot
    of the machine; `device` is comparable within one boot only, because a file system may get another number
    at the next. `machine` is a hash. `boot` and `machine` are empty where the system has none.
    """

    path: str
    device: str
    inode: str
    boot: str
    machine: str

    def is_other_machine(self, other: Place) -> bool:
        """Returns whether both machines are known and differ."""
        return bool(self.machine and other.machine) and self.machine != other.machine

    def is_other_file(self, other: Place) -> bool:
        """Returns whether the file differs by inode, or within one boot by device, whatever its path."""
        same_boot = bool(self.boot) and self.boot == other.boot
        return self.inode != other.inode or (same_boot and self.device != other.device)


@dataclass(frozen=True, slots=True)
class LastRun:
    """Holds the place of the last run, its start (UTC), and its random token."""

    place: Place
    at: str
    token: str


def place_of(path: Path) -> Place:
    """Returns the place of the database at `path`. Raises OSError where there is none."""
    real = path.resolve()
    status = real.stat()  # it is not opened: to close a file ends the locks that SQLite has on it
    return Place(
        path=os.fsencode(real).decode("utf-8", "backslashreplace"),
        device=str(status.st_dev),
        inode=str(status.st_ino),
        boot=boot_id(),
        machine=_machine(),
    )


def _machine() -> str:
    for path in _MACHINE_IDS:
        with suppress(OSError):
            number = path.read_bytes().strip()
            if number and number != b"uninitialized":
                return hmac.new(number, _SALT, hashlib.sha256).hexdigest()
    return ""


def last_run(db: Database) -> LastRun | None:
    """Returns the recorded last run, or None."""
    row = db.conn.execute("SELECT path, device, inode, boot, machine, at, token FROM last_run").fetchone()
    return None if row is None else LastRun(Place(*row[:5]), row[5], row[6])


def note_last_run(db: Database, place: Place, token: str) -> None:
    """Records that a run begins now, in place of the last one. To be called in the caller's transaction."""
    db.conn.execute(
        "INSERT OR REPLACE INTO last_run (id, path, device, inode, boot, machine, at, token) "
        "VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        [place.path, place.device, place.inode, place.boot, place.machine, utc_now(), token],
    )

"""Records the location of the database in the last run: the file of the database, and the machine.

A copied, restored or moved database keeps the record from before, so a comparison of locations shows this.
The machine's own id is confidential, so only a keyed hash of it is stored, which no other program has
(machine-id(5)).
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

__all__ = ["LastRun", "DatabaseLocation", "read_last_run", "record_last_run", "location_of"]

#: The files in which systemd, D-Bus and FreeBSD keep the id of the machine.
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"), Path("/etc/hostid"))
_SALT = b"mailer: the machine of a run"


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """Identifies the file of a database, and the machine.

    `device` and `inode` are numbers as text, because they may exceed SQLite's range.

    `path` has symbolic links resolved, and bytes that are not UTF-8 as `\\xff`. `boot` names the current boot
    of the machine; `device` is comparable within one boot only, because a file system may get another number
    at the next boot. `machine` is a hash. `boot` and
    `machine` are '' if the system does not provide an id.
    """

    path: str
    device: str
    inode: str
    boot: str
    machine: str

    def is_on_other_machine(self, other: DatabaseLocation) -> bool:
        """Returns whether the machines of both locations are known and differ."""
        return bool(self.machine and other.machine) and self.machine != other.machine

    def is_other_file(self, other: DatabaseLocation) -> bool:
        """Returns whether the locations are different files: by inode or, within one boot, by device.

        The paths are not compared.
        """
        same_boot = bool(self.boot) and self.boot == other.boot
        return self.inode != other.inode or (same_boot and self.device != other.device)


@dataclass(frozen=True, slots=True)
class LastRun:
    """Describes the last run: where the database was, when the run began (UTC), and a random token."""

    location: DatabaseLocation
    at: str
    token: str


def location_of(path: Path) -> DatabaseLocation:
    """Returns the location of the database at `path`. Raises OSError if there is no file."""
    real = path.resolve()
    status = real.stat()  # it is not opened: to close a file ends the locks that SQLite has on it
    return DatabaseLocation(
        path=os.fsencode(real).decode("utf-8", "backslashreplace"),
        device=str(status.st_dev),
        inode=str(status.st_ino),
        boot=boot_id(),
        machine=_machine_hash(),
    )


def _machine_hash() -> str:
    for path in _MACHINE_IDS:
        with suppress(OSError):
            number = path.read_bytes().strip()
            if number and number != b"uninitialized":
                return hmac.new(number, _SALT, hashlib.sha256).hexdigest()
    return ""


def read_last_run(db: Database) -> LastRun | None:
    """Returns the record of the last run, or None if no run was recorded."""
    row = db.conn.execute("SELECT path, device, inode, boot, machine, at, token FROM last_run").fetchone()
    return None if row is None else LastRun(DatabaseLocation(*row[:5]), row[5], row[6])


def record_last_run(db: Database, location: DatabaseLocation, token: str) -> None:
    """Records that a run begins now, in place of the record of the run before.

    `token` is the random token of the run. The caller must open a transaction first.
    """
    db.conn.execute(
        "INSERT OR REPLACE INTO last_run (id, path, device, inode, boot, machine, at, token) "
        "VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        [
            location.path,
            location.device,
            location.inode,
            location.boot,
            location.machine,
            utc_now(),
            token,
        ],
    )

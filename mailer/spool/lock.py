"""Locks a campaign, so that one process at a time sends it.

The operating system releases the lock (flock) when the process ends, for whatever reason.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailer.config import Settings
from mailer.errors import BusyError

__all__ = ["campaign_lock", "exclusive_lock"]


@contextmanager
def campaign_lock(settings: Settings, slug: str) -> Iterator[None]:
    """Holds the lock of the campaign `slug` inside the `with` block. Raises BusyError if another process
    holds the lock.

    A removed lock file does not break the lock, because a run locks its journal, too.
    """
    folder, locked_name = settings.root / ".mailer", f"campaign {slug}"
    with exclusive_lock(folder / f"{slug}.lock", locked_name):
        with suppress(FileNotFoundError), (folder / f"{slug}.journal").open("rb") as journal:
            _lock_file(journal.fileno(), locked_name, fcntl.LOCK_SH)
        yield


@contextmanager
def exclusive_lock(path: Path, locked_name: str) -> Iterator[None]:
    """Holds the lock file at `path` inside the `with` block. Raises BusyError if another process holds it.

    `locked_name` names the locked thing in the error message (`campaign 2026-11-21-morning`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _lock_file(descriptor, locked_name)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(descriptor)


def _lock_file(descriptor: int, locked_name: str, lock_kind: int = fcntl.LOCK_EX) -> None:
    """Locks an open file without waiting. Raises BusyError if another process has locked the file.

    The error message has `locked_name` and the process id that the file contains. `lock_kind` is exclusive
    (LOCK_EX) or shared (LOCK_SH).
    """
    try:
        fcntl.flock(descriptor, lock_kind | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.read(descriptor, 32).strip()
        by = f" by process {process.decode('ascii')}" if process.isdigit() else ""
        raise BusyError(
            f"{locked_name} is being sent{by} already; wait for that process to end, or stop it, "
            "and run this command again"
        ) from None

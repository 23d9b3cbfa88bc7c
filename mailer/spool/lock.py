"""Locks a campaign, so that one process at a time sends it.

The lock (flock) belongs to the open file, so the system releases it however the process ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailer.config import Settings
from mailer.errors import BusyError

__all__ = ["campaign_lock", "only_sender"]


@contextmanager
def campaign_lock(settings: Settings, slug: str) -> Iterator[None]:
    """Holds the lock of one campaign. Raises BusyError on entering, where another process holds it.

    This also works where the lock file was removed, because a run locks its journal, too.
    """
    folder, what = settings.root / ".mailer", f"campaign {slug}"
    with only_sender(folder / f"{slug}.lock", what):
        with suppress(FileNotFoundError), (folder / f"{slug}.journal").open("rb") as journal:
            _take(journal.fileno(), what, fcntl.LOCK_SH)
        yield


@contextmanager
def only_sender(path: Path, what: str) -> Iterator[None]:
    """Holds the lock file at `path`. Raises BusyError, naming the process, where somebody else does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(descriptor, what)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, what: str, kind: int = fcntl.LOCK_EX) -> None:
    """Locks an open file without waiting. The text of a lock file is the process id of its holder. Raises
    BusyError."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.read(descriptor, 32).strip()
        by = f" by process {process.decode('ascii')}" if process.isdigit() else ""
        raise BusyError(
            f"{what} is being sent{by} already; wait for that to end, or stop it, and run this again"
        ) from None

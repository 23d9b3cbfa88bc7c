"""One sender at a time for a campaign, also across processes.

The lock belongs to the open file, so the system gives it back however the process ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mailer.config import Settings
from mailer.errors import BusyError

__all__ = ["campaign_lock", "only_sender"]


def campaign_lock(settings: Settings, slug: str) -> AbstractContextManager[None]:
    """The lock of one campaign of a workspace. Raises BusyError on entering, where somebody else holds it."""
    return only_sender(settings.root / ".mailer" / f"{slug}.lock", f"campaign {slug}")


@contextmanager
def only_sender(path: Path, what: str) -> Iterator[None]:
    """Holds the lock file at `path`. Raises BusyError, naming the process, where somebody else does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.read(descriptor, 32).decode("ascii", "replace").strip()
            by = f" by process {process}" if process else ""
            raise BusyError(
                f"{what} is being sent{by} already; wait for that to end, or stop it, and run this again"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(descriptor)

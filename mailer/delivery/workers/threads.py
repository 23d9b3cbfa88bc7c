"""Starts threads where the system may refuse to."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["NO_THREAD", "start_thread"]

#: Why nothing can be sent where the system starts no thread.
NO_THREAD = (
    "the system gives this process no thread to send with; end other programs, or raise the limit of "
    "processes (ulimit -u) or of memory, and run this again"
)


def start_thread(target: Callable[[], None], name: str) -> threading.Thread | None:
    """Starts a daemon thread; returns None where the system cannot start one."""
    thread = threading.Thread(target=target, daemon=True, name=name)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread

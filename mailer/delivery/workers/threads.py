"""Starts threads, and handles a system that refuses to start one."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["NO_THREAD", "start_thread"]

#: The error where the system cannot start a thread.
NO_THREAD = (
    "the operating system cannot start another thread for this process; end other programs, or raise the "
    "limit of processes (ulimit -u) or of memory, and run this command again"
)


def start_thread(target: Callable[[], None], name: str) -> threading.Thread | None:
    """Starts a daemon thread and returns it; returns None if the system cannot start a thread."""
    thread = threading.Thread(target=target, daemon=True, name=name)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread

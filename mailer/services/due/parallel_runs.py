"""Runs campaigns concurrently, each in its own thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["RetryTimes", "ParallelRuns"]

T = TypeVar("T")


class ParallelRuns(Generic[T]):
    """Tracks the active runs by name. It is used from one thread."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}
        self._ended: queue.SimpleQueue[tuple[str, T]] = queue.SimpleQueue()

    def __contains__(self, name: str) -> bool:
        return name in self._threads

    def __bool__(self) -> bool:
        return bool(self._threads)

    def start(self, name: str, work: Callable[[], T]) -> None:
        """Calls `work`, which never raises, in a new thread. Raises RuntimeError where the system cannot
        start one."""

        def run() -> None:
            self._ended.put((name, work()))

        thread = threading.Thread(target=run, name=f"run-{name}", daemon=True)
        thread.start()
        self._threads[name] = thread

    def wait_for_ended(self, seconds: float) -> Iterator[tuple[str, T]]:
        """Yields (name, result) of each run that ends within `seconds`, or until there are no more runs."""
        until = time.monotonic() + seconds
        while self._threads:
            try:
                name, result = self._ended.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            self._threads.pop(name).join()
            yield name, result

    def join(self) -> None:
        """Waits until all runs have ended."""
        for thread in self._threads.values():
            thread.join()


class RetryTimes:
    """Tracks when each campaign may be tried again, so that a server that is down is not tried too often.

    It records every attempt, and outlives the runs.
    """

    def __init__(self) -> None:
        self._again: dict[str, float] = {}

    def may_try(self, name: str) -> bool:
        """Returns whether a campaign may be tried now; True if it was never tried."""
        return time.monotonic() >= self._again.get(name, 0.0)

    def postpone(self, name: str, seconds: float) -> None:
        """Forbids further tries of a campaign for `seconds`."""
        self._again[name] = time.monotonic() + seconds

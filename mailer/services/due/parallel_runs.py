"""Runs campaigns concurrently, each in its own thread, and tracks when a campaign may be tried again."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

__all__ = ["RetryTimes", "ParallelRuns"]

T = TypeVar("T")


class ParallelRuns(Generic[T]):
    """Starts runs, each in its own thread, and tracks the active runs by name. Only one thread may use the
    object."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}
        self._ended: queue.SimpleQueue[tuple[str, T]] = queue.SimpleQueue()

    def __contains__(self, name: str) -> bool:
        return name in self._threads

    def __bool__(self) -> bool:
        return bool(self._threads)

    def start_run(self, name: str, work: Callable[[], T]) -> None:
        """Calls `work` in a new thread. `work` returns the result of the run and must not raise.

        Raises RuntimeError if the system cannot start a thread.
        """

        def run_and_report() -> None:
            self._ended.put((name, work()))

        thread = threading.Thread(target=run_and_report, name=f"run-{name}", daemon=True)
        thread.start()
        self._threads[name] = thread

    def runs_ended_within(self, seconds: float) -> Iterator[tuple[str, T]]:
        """Yields (name, result) of each run that ends within `seconds`. Returns early if no run is active any
        more."""
        until = time.monotonic() + seconds
        while self._threads:
            try:
                name, result = self._ended.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            self._threads.pop(name).join()
            yield name, result

    def wait_for_all_runs(self) -> None:
        """Waits until all runs have ended."""
        for thread in self._threads.values():
            thread.join()


class RetryTimes:
    """Holds the time from which each campaign may be tried again, so that a server that is down is not tried
    too often.

    One object is used for all runs of a process.
    """

    def __init__(self) -> None:
        self._again: dict[str, float] = {}

    def may_retry(self, slug: str) -> bool:
        """Returns whether the campaign `slug` may be tried now; True if it was never tried."""
        return time.monotonic() >= self._again.get(slug, 0.0)

    def postpone_retry(self, slug: str, seconds: float) -> None:
        """Makes `may_retry` false for the campaign `slug` during the next `seconds`."""
        self._again[slug] = time.monotonic() + seconds

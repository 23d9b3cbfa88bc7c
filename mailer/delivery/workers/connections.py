"""Limits how many channels all runs of one process have open at once, and divides them fairly.

A worker holds a permit while its channel is open. Between two chunks of messages, a worker passes its permit
on in three cases: its run holds at least two permits more than a waiting run; a waiting run holds none; or
the worker was idle for a while. So each run with work gets about the same number of permits. If there are
more runs than permits, the runs alternate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["ConnectionPool", "ConnectionShare"]

#: A worker that waits for a permit checks this often whether its run is ending (seconds).
_POLL_SECONDS = 0.25


class ConnectionPool:
    """Holds the permits of one process: `total` of them, at least one. Safe to use from several threads."""

    def __init__(self, total: int) -> None:
        self._changed = threading.Condition()
        self._free = max(1, total)
        self._served = 0
        #: The shares with waiting workers, in the order in which they began to wait.
        self._waiting: dict[ConnectionShare, None] = {}

    def add_run(self, has_work: Callable[[], bool]) -> ConnectionShare:
        """Adds a run, and returns the object through which its workers get permits.

        `has_work` returns whether a message of that run waits for a worker.
        """
        return ConnectionShare(self, has_work)


class ConnectionShare:
    """Holds a run's permits. Its workers call `acquire_permit`, then `must_release_permit` after each chunk,
    then `release_permit`."""

    def __init__(self, pool: ConnectionPool, has_work: Callable[[], bool]) -> None:
        self._pool = pool
        self._has_work = has_work
        self._waiting = 0
        self._held = 0
        self._served = 0  # the number of its last permit, of all that the pool has given out
        self._promised = 0  # permits that other runs will release for this one
        self._owed: list[ConnectionShare] = []  # runs for which workers of this run will release a permit

    def acquire_permit(self, is_given_up: Callable[[], bool]) -> bool:
        """Waits for a permit. Returns False, without a permit, once `is_given_up` returns True.

        A free permit goes to the waiting run with work that holds the fewest permits; among equals, to the
        run whose last permit is the oldest. A run without work gets a permit only if no other run waits.
        """
        pool = self._pool
        with pool._changed:
            self._waiting += 1
            pool._waiting[self] = None
            try:
                while not is_given_up():
                    if pool._free and self is min(pool._waiting, key=ConnectionShare._waiting_priority):
                        self._take_permit()
                        return True
                    pool._changed.wait(_POLL_SECONDS)
                return False
            finally:
                self._waiting -= 1
                if not self._waiting:
                    del pool._waiting[self]
                if pool._free:
                    pool._changed.notify_all()

    def must_release_permit(self, *, is_idle: bool = False) -> bool:
        """Returns whether this worker must close its channel and call `release_permit`, because another run
        waits.

        If `is_idle` is True, the worker has had nothing to send for a while; then any waiting run gets this
        worker's permit.
        """
        pool = self._pool
        if not pool._waiting:  # the usual case: only one run
            return False
        with pool._changed:
            if pool._free:
                return False
            others = [other for other in pool._waiting if other is not self and other._wants_more_permits()]
            poorest = min(others, key=ConnectionShare._expected_permit_count, default=None)
            if poorest is None:
                return False
            theirs, own = poorest._expected_permit_count(), self._held - len(self._owed)
            if theirs and theirs >= own - 1 and not is_idle:
                return False
            poorest._promised += 1
            self._owed.append(poorest)
            return True

    def has_waiting_workers(self) -> bool:
        """Returns whether a worker of any run waits for a permit."""
        return bool(self._pool._waiting)

    def release_permit(self) -> None:
        """Returns one permit to the pool, after the channel was closed."""
        pool = self._pool
        with pool._changed:
            if self._owed:
                self._owed.pop()._promised -= 1
            self._held -= 1
            pool._free += 1
            pool._changed.notify_all()

    def _take_permit(self) -> None:
        pool = self._pool
        pool._free -= 1
        pool._served += 1
        self._held += 1
        self._served = pool._served

    def _waiting_priority(self) -> tuple[bool, int, int]:
        return not self._has_work(), self._held, self._served

    def _wants_more_permits(self) -> bool:
        return self._waiting > self._promised and self._has_work()

    def _expected_permit_count(self) -> int:
        return self._held + self._promised

"""Limits how many channels the runs of one process have open together, and divides them fairly.

A worker holds a permit while its channel is open. Between two chunks, it passes the permit on where its run
holds at least two more than a waiting run, where a waiting run holds none, or where the worker was idle for a
while. So each run with work gets an equal number of permits, give or take one; where there are more runs than
permits, they alternate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["ConnectionPool", "Share"]

#: A worker that waits for a permit looks this often whether its run is ending (seconds).
_LOOK_SECONDS = 0.25


class ConnectionPool:
    """Holds the permits of one process: `total` of them, at least one. It is safe to use from several
    threads."""

    def __init__(self, total: int) -> None:
        self._changed = threading.Condition()
        self._free = max(1, total)
        self._served = 0
        #: The shares for which a worker waits, the first to wait first.
        self._waiting: dict[Share, None] = {}

    def share(self, has_work: Callable[[], bool]) -> Share:
        """Returns a share for one more run. `has_work` says whether a message of that run waits for a
        worker."""
        return Share(self, has_work)


class Share:
    """Holds a run's permits. Its workers call `acquire`, `must_release` after each chunk, `release`."""

    def __init__(self, pool: ConnectionPool, has_work: Callable[[], bool]) -> None:
        self._pool = pool
        self._has_work = has_work
        self._waiting = 0
        self._held = 0
        self._served = 0  # the number of its last permit, of all that the pool has given out
        self._promised = 0  # permits that other runs are about to release for this one
        self._owed: list[Share] = []  # for whom workers of this run are about to release theirs

    def acquire(self, given_up: Callable[[], bool]) -> bool:
        """Waits for a permit. Returns False, without one, once `given_up` returns True.

        A free permit goes to the run with work that holds the fewest permits; among equals, to the one whose
        last permit is the oldest. A run without work gets a permit only where no other run waits.
        """
        pool = self._pool
        with pool._changed:
            self._waiting += 1
            pool._waiting[self] = None
            try:
                while not given_up():
                    if pool._free and self is min(pool._waiting, key=Share._rank):
                        self._take()
                        return True
                    pool._changed.wait(_LOOK_SECONDS)
                return False
            finally:
                self._waiting -= 1
                if not self._waiting:
                    del pool._waiting[self]
                if pool._free:
                    pool._changed.notify_all()

    def must_release(self, *, idle: bool = False) -> bool:
        """Returns whether this worker must close its channel and call `release`, because another run waits.

        `idle` says that the worker has had nothing to send for a while; then any waiting run gets its permit.
        """
        pool = self._pool
        if not pool._waiting:  # most often: one run alone
            return False
        with pool._changed:
            if pool._free:
                return False
            others = [other for other in pool._waiting if other is not self and other._wants_more()]
            poorest = min(others, key=Share._expected, default=None)
            if poorest is None:
                return False
            theirs, own = poorest._expected(), self._held - len(self._owed)
            if theirs and theirs >= own - 1 and not idle:
                return False
            poorest._promised += 1
            self._owed.append(poorest)
            return True

    def is_waited_for(self) -> bool:
        """Returns whether a worker of any run waits for a permit."""
        return bool(self._pool._waiting)

    def release(self) -> None:
        """Returns one permit to the pool, after the channel was closed."""
        pool = self._pool
        with pool._changed:
            if self._owed:
                self._owed.pop()._promised -= 1
            self._held -= 1
            pool._free += 1
            pool._changed.notify_all()

    def _take(self) -> None:
        pool = self._pool
        pool._free -= 1
        pool._served += 1
        self._held += 1
        self._served = pool._served

    def _rank(self) -> tuple[bool, int, int]:
        return not self._has_work(), self._held, self._served

    def _wants_more(self) -> bool:
        return self._waiting > self._promised and self._has_work()

    def _expected(self) -> int:
        return self._held + self._promised

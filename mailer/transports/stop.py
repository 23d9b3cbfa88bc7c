"""Defines the flag that stops a run, set by a signal or another thread.

It is no `threading.Event`: its `set` takes a lock, and a signal that comes while the main thread holds that
lock would wait for itself for ever.
"""

from __future__ import annotations

import time

__all__ = ["Stop"]

_STEP_SECONDS = 0.05


class Stop:
    """Represents a flag that is set once, or together with the flag `within`.

    It is safe to set in a signal handler.
    """

    def __init__(self, within: Stop | None = None) -> None:
        self._within = within
        self._asked = False

    def set(self) -> None:
        """Asks the run to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Returns whether a stop was requested."""
        return self._asked or (self._within is not None and self._within.is_set())

    def wait(self, seconds: float) -> bool:
        """Waits for `seconds`, or until a stop is requested; returns whether one was."""
        end = time.monotonic() + seconds
        while not self.is_set() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_SECONDS))
        return self.is_set()

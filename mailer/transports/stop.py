"""Defines a flag that asks a run to stop. A signal handler or another thread sets it.

It is not a `threading.Event`, because `Event.set` takes a lock: a signal that arrives while the main thread
holds this lock would cause a deadlock.
"""

from __future__ import annotations

import time

__all__ = ["StopFlag"]

_STEP_SECONDS = 0.05


class StopFlag:
    """Represents a flag that asks a run to stop. It also counts as set if its `parent` flag is set.

    A signal handler may set it.
    """

    def __init__(self, parent: StopFlag | None = None) -> None:
        self._parent = parent
        self._asked = False

    def set(self) -> None:
        """Asks the run to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Returns whether the run was asked to stop."""
        return self._asked or (self._parent is not None and self._parent.is_set())

    def wait(self, seconds: float) -> bool:
        """Waits for `seconds` or until the run is asked to stop; returns whether it was."""
        end = time.monotonic() + seconds
        while not self.is_set() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_SECONDS))
        return self.is_set()

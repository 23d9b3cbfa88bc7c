"""The point of no return of each message, and what lies before it when a run ends.

A message counts as handed over from the final dot on (SMTP), or from the last byte of its request (HTTP). Who
is still before it when the run ends, because a server does not answer, will not pass it any more: they are
known to have nothing, and need not be held as uncertain.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

__all__ = ["Gate"]

Key = TypeVar("Key", bound=Hashable)


class Gate(Generic[Key]):
    """The gate of one run, for several threads. What stands before it is named by keys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = True
        self._before: dict[int, list[Key]] = {}

    def approach(self, keys: Iterable[Key]) -> None:
        """This thread is about to hand over these."""
        keys = list(keys)
        with self._lock:
            self._before[threading.get_ident()] = keys

    def leave(self) -> None:
        """This thread knows what became of them."""
        with self._lock:
            self._before.pop(threading.get_ident(), None)

    def passes(self) -> bool:
        """Whether this thread may go on to where there is no way back. From then on it is past the gate."""
        with self._lock:
            if self._open:
                self._before.pop(threading.get_ident(), None)
            return self._open

    def close(self) -> set[Key]:
        """Nobody passes from here on. Gives who has not: they have nothing, and will not get it."""
        with self._lock:
            self._open = False
            return {key for keys in self._before.values() for key in keys}

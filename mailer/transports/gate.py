"""Decides, right before the point of no return of each message, whether it may be handed over.

A message counts as handed over from the final dot on (SMTP), or from the last byte of its request (HTTP). The
gate refuses two things there. Messages to subscribers who have left are never handed over. And once the run
has ended, nothing is handed over: a message that still waits before the gate, for a server that does not
answer, is known not to have been handed over, and need not be held as uncertain.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from mailer.transports.base import PASSED, GateAnswer

__all__ = ["Gate"]

Key = TypeVar("Key", bound=Hashable)
_CLOSED = GateAnswer(open=False)


class Gate(Generic[Key]):
    """Represents the gate of one run, shared by its threads. Messages that wait before it are named by keys.

    `leavers` maps ids of subscribers who have left to the reason; another thread may add to it at any time.
    """

    def __init__(self, leavers: Mapping[int, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._open = True
        self._leavers = {} if leavers is None else leavers
        self._before: dict[int, list[Key]] = {}

    def approach(self, keys: Iterable[Key]) -> None:
        """Notes that this thread is about to hand over the messages with these keys."""
        keys = list(keys)
        with self._lock:
            self._before[threading.get_ident()] = keys

    def leave(self) -> None:
        """Notes that this thread knows the outcome of the messages that it announced with `approach`."""
        with self._lock:
            self._before.pop(threading.get_ident(), None)

    def passes(self, subscribers: Iterable[int] = ()) -> GateAnswer:
        """Returns whether this thread may hand over to these subscriber ids now.

        Where all are granted, the messages of this thread's `approach` count as handed over from then on.
        """
        with self._lock:
            if not self._open:
                return _CLOSED
            if self._leavers:
                found = ((number, self._leavers.get(number)) for number in subscribers)
                leavers = {number: reason for number, reason in found if reason is not None}
                if leavers:
                    return GateAnswer(leavers=leavers)
            self._before.pop(threading.get_ident(), None)
            return PASSED

    def close(self) -> set[Key]:
        """Closes the gate for good.

        Returns the keys that wait before it: these messages are never handed over.
        """
        with self._lock:
            self._open = False
            return {key for keys in self._before.values() for key in keys}

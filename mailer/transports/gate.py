"""Decides, right before a message is handed over, whether it may be handed over.

A message counts as handed over from the final dot on (SMTP), or from the last byte of its request (HTTP). The
gate refuses messages to subscribers who have left, and refuses all messages once the run has ended. A message
that was still waiting at the gate when the run ended is therefore known not to have been handed over, and
does not become uncertain.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from mailer.transports.base import PASSED, GateAnswer

__all__ = ["HandOverGate"]

Key = TypeVar("Key", bound=Hashable)
_CLOSED = GateAnswer(is_open=False)


class HandOverGate(Generic[Key]):
    """Represents the check before the hand-over, for one run. All worker threads of the run share it.

    Each message is identified by a key. `leavers` maps the ids of subscribers who have left to the reason;
    another thread may add entries to this mapping at any time.
    """

    def __init__(self, leavers: Mapping[int, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._open = True
        self._leavers = {} if leavers is None else leavers
        self._before: dict[int, list[Key]] = {}

    def note_waiting_messages(self, keys: Iterable[Key]) -> None:
        """Notes that the calling thread is about to hand over the messages with these keys."""
        keys = list(keys)
        with self._lock:
            self._before[threading.get_ident()] = keys

    def note_outcome_known(self) -> None:
        """Notes that the calling thread knows the outcome of the messages that it passed to
        `note_waiting_messages`."""
        with self._lock:
            self._before.pop(threading.get_ident(), None)

    def request_hand_over(self, subscriber_ids: Iterable[int] = ()) -> GateAnswer:
        """Returns the answer to whether the calling thread may hand over its messages to these subscribers.

        If the answer is granted, the messages that the thread passed to `note_waiting_messages` count as
        handed over from now on.
        """
        with self._lock:
            if not self._open:
                return _CLOSED
            if self._leavers:
                found = ((number, self._leavers.get(number)) for number in subscriber_ids)
                leavers = {number: reason for number, reason in found if reason is not None}
                if leavers:
                    return GateAnswer(leavers=leavers)
            self._before.pop(threading.get_ident(), None)
            return PASSED

    def close_and_get_waiting_keys(self) -> set[Key]:
        """Closes the gate for good, so that no further message is handed over.

        Returns the keys of the messages that were waiting at the gate.
        """
        with self._lock:
            self._open = False
            return {key for keys in self._before.values() for key in keys}

"""Holds the SendGrid account that the channels of one transport share, and the limits learned so far."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import Sleep
from mailer.transports.http.connection import TooLarge
from mailer.transports.sendgrid.throttle import Throttle

__all__ = ["Account"]

#: After this many requests to one recipient refused as too large, others of that size are not tried.
_TIMES_TOO_LARGE: Final = 3


@dataclass(frozen=True, slots=True)
class Account:
    """Holds an account at SendGrid for all channels of a transport. Several threads may use it."""

    base_url: str
    api_key: str
    timeout: float
    sleep: Sleep
    clock: Callable[[], float]
    throttle: Throttle
    # Composing keeps the interpreter busy. One channel at a time is as fast, and leaves time to the thread
    # that records outcomes.
    composing: threading.Lock
    # Of requests to one recipient (True) and to several: how many were refused with 413, the size in bytes of
    # the shortest of them, and the words.
    too_large: dict[bool, tuple[int, int, str]] = field(default_factory=dict)

    # Why this key can send nothing at all (401, 403, …), once it is known: no other request is uploaded then.
    refused: list[TransportError] = field(default_factory=list)

    def note_too_large(self, alone: bool, size: int, words: str) -> None:
        """Notes that a request of `size` bytes was refused with 413; `alone` means for one recipient."""
        times, least, reply = self.too_large.get(alone, (0, size, words))
        self.too_large[alone] = (times + 1, min(size, least), reply)

    def check_size(self, alone: bool, size: int) -> None:
        """Raises TooLarge where so many bytes are known to be refused with 413, before they are uploaded."""
        times, least, words = self.too_large.get(alone, (0, 0, ""))
        if size >= least and times >= (_TIMES_TOO_LARGE if alone else 1):
            raise TooLarge(words)

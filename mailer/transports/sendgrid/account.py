"""Holds the SendGrid account that all channels of a transport share, and the limits learned so far."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import Sleep
from mailer.transports.http.connection import RequestTooLarge
from mailer.transports.sendgrid.throttle import RateLimitState

__all__ = ["SendGridAccount"]

#: After this many requests to one recipient refused as too large, others of that size are not tried.
_TIMES_TOO_LARGE: Final = 3


@dataclass(frozen=True, slots=True)
class SendGridAccount:
    """Holds the account at SendGrid for all channels of a transport. Several threads may use it."""

    base_url: str
    api_key: str
    timeout: float
    sleep: Sleep
    clock: Callable[[], float]
    throttle: RateLimitState
    # Composing keeps the interpreter busy. One channel at a time is as fast, and leaves time to the thread
    # that records outcomes.
    composing: threading.Lock
    # Of requests to one recipient (True) and to several: how many were refused with 413, the size in bytes of
    # the shortest of them, and the words.
    too_large: dict[bool, tuple[int, int, str]] = field(default_factory=dict)

    # Why this key can send nothing at all (401, 403, …), once it is known: no other request is uploaded then.
    refused: list[TransportError] = field(default_factory=list)

    def note_refused_as_too_large(self, has_one_recipient: bool, size: int, reason: str) -> None:
        """Notes that SendGrid refused a request of `size` bytes as too large (413); `reason` is its text."""
        times, least, reply = self.too_large.get(has_one_recipient, (0, size, reason))
        self.too_large[has_one_recipient] = (times + 1, min(size, least), reply)

    def check_request_size(self, has_one_recipient: bool, size: int) -> None:
        """Raises RequestTooLarge if SendGrid is known to refuse requests of `size` bytes as too large."""
        times, least, reason = self.too_large.get(has_one_recipient, (0, 0, ""))
        if size >= least and times >= (_TIMES_TOO_LARGE if has_one_recipient else 1):
            raise RequestTooLarge(reason)

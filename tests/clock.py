"""A clock that a test sets, instead of waiting."""

from __future__ import annotations

import datetime as dt

from mailer.clock import set_clock

__all__ = ["Clock"]


class Clock:
    """Stands still at a time (UTC, `2026-11-21T12:00`) until it is set to another."""

    def __init__(self, text: str) -> None:
        self.set(text)
        set_clock(lambda: self.now)

    def set(self, text: str) -> None:
        self.now = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)

    def forward(self, **delta: float) -> None:
        self.now += dt.timedelta(**delta)

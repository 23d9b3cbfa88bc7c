"""Ctrl-C and SIGTERM ask a run to stop; what is on the wire is finished first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from mailer.transports.stop import Stop

__all__ = ["stop_on_signals"]


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """A flag that SIGINT and SIGTERM set, instead of ending the process there and then."""
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Lets Ctrl-C and SIGTERM stop a run after the messages in flight are finished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from mailer.transports.stop import StopFlag

__all__ = ["stop_on_signals"]


@contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """Yields a flag. Within the `with` block, SIGINT and SIGTERM set the flag and do not end the process."""
    stop = StopFlag()

    def request_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

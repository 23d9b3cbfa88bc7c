"""Waits until what was written to a connection has left this machine.

A write into a socket ends when the system has the bytes. At a slow receiver they stay in its buffer for
seconds, and a final dot or a last byte behind them would not be the moment of the hand-over.
"""

from __future__ import annotations

import array
import fcntl
import socket
import time
from typing import Final

__all__ = ["unsent", "wait_until_sent"]

#: Linux: the bytes in the send buffer that were not sent yet (linux/sockios.h).
_SIOCOUTQNSD: Final = 0x894B
_LOOK_SECONDS: Final = 0.01


def unsent(connection: socket.socket) -> int:
    """Returns how many bytes wait in the system's send buffer; 0 where the system does not tell."""
    number = array.array("i", [0])
    try:
        fcntl.ioctl(connection.fileno(), _SIOCOUTQNSD, number)
    except OSError:
        return 0
    return number[0]


def wait_until_sent(connection: socket.socket, seconds: float | None) -> None:
    """Waits until the send buffer is empty. Raises TimeoutError where it stops shrinking for `seconds`."""
    left = unsent(connection)
    moved_at = time.monotonic()
    while left:
        time.sleep(_LOOK_SECONDS)
        now_left = unsent(connection)
        if now_left < left:
            moved_at = time.monotonic()
        elif seconds is not None and time.monotonic() - moved_at > seconds:
            raise TimeoutError("it does not take the message in time")
        left = now_left

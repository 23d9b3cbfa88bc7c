"""Waits until the operating system has sent the bytes that were written to a socket.

A write returns as soon as the system has buffered the bytes. If the receiver is slow, they stay in the buffer
for seconds, and a final dot written after them would not be sent at the moment when the gate was asked.
"""

from __future__ import annotations

import array
import fcntl
import socket
import time
from typing import Final

__all__ = ["unsent_byte_count", "wait_until_sent"]

#: Linux: the bytes in the send buffer that were not sent yet (linux/sockios.h).
_SIOCOUTQNSD: Final = 0x894B
_LOOK_SECONDS: Final = 0.01


def unsent_byte_count(connection: socket.socket) -> int:
    """Returns how many bytes wait in the socket's send buffer; 0 if the system does not tell."""
    number = array.array("i", [0])
    try:
        fcntl.ioctl(connection.fileno(), _SIOCOUTQNSD, number)
    except OSError:
        return 0
    return number[0]


def wait_until_sent(connection: socket.socket, stall_timeout: float | None) -> None:
    """Waits until the socket's send buffer is empty.

    Raises TimeoutError if no byte leaves the buffer for `stall_timeout` seconds (None: waits without limit).
    """
    left = unsent_byte_count(connection)
    moved_at = time.monotonic()
    while left:
        time.sleep(_LOOK_SECONDS)
        now_left = unsent_byte_count(connection)
        if now_left < left:
            moved_at = time.monotonic()
        elif stall_timeout is not None and time.monotonic() - moved_at > stall_timeout:
            raise TimeoutError("the receiver does not read the message in time")
        left = now_left

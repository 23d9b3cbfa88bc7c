"""Reads the replies of an SMTP server, with limits on length and time.

The client of the standard library reads through a buffered file and makes two system calls for each read that
may time out. This module makes one, so that many connections can share one interpreter.
"""

from __future__ import annotations

import re
import select
import smtplib
import socket
import ssl
import struct
from contextlib import suppress
from typing import Final

__all__ = ["NO_ANSWER", "ReplyReader", "disconnect_reason"]

#: The reason of a connection that ended by a time-out.
NO_ANSWER: Final = "no answer came in time"

_LONGEST_LINE: Final = 8192
_MOST_LINES: Final = 200
# Linux: acknowledges at once what arrives. Without it a server that sends its answers one by one (Nagle's
# algorithm) holds the second until the system has acknowledged the first, which takes 40 ms: Postfix does.
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
_CODE = re.compile(rb"[2-5][0-9][0-9]")


class ReplyReader(smtplib.SMTP):
    """Represents an SMTP connection from which replies are read, with limits on length and time."""

    _unread = b""
    #: Whether several answers are to come, so that what arrives is acknowledged at once.
    acknowledges_at_once = False
    #: How long the other side is waited for (seconds), as set by `patience`.
    time_limit = 0.0

    def set_time_limit(self, seconds: float) -> None:
        """Sets how many seconds each later read or write waits for the server."""
        self.time_limit = seconds
        connection = self._require_socket()
        if isinstance(connection, ssl.SSLSocket):
            connection.settimeout(seconds)
            return
        # The system keeps the time: Python's own time-outs ask it twice for everything, first whether it may.
        connection.settimeout(None)
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def _has_unexpected_reply(self) -> bool:
        """Returns whether the server sent something without a command. Raises OSError if it has hung up."""
        connection = self._require_socket()
        if self._unread:
            return True
        if not isinstance(connection, ssl.SSLSocket):
            try:
                self._unread += self._receive_bytes(socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            return True
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if not poll.poll(0):
            return False
        patience = connection.gettimeout()
        connection.settimeout(0)
        try:
            self._unread += self._receive_bytes()
        except ssl.SSLWantReadError:
            return False  # a record of TLS itself, such as a session ticket
        finally:
            with suppress(OSError):
                connection.settimeout(patience)
        return True

    def getreply(self) -> tuple[int, bytes]:
        """Returns the code and text of one reply; the code is -1 if the reply does not begin with a code.

        Overrides the method of smtplib. Raises SMTPServerDisconnected if the connection has ended, the reply
        is too long, or the time is up.
        """
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._read_line()
            if not _CODE.match(line):
                return -1, line.strip()
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        self.close()
        raise smtplib.SMTPServerDisconnected("the reply of the server is too long")

    def _read_line(self) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > _LONGEST_LINE:
                self.close()
                raise smtplib.SMTPServerDisconnected("a line of the reply is too long")
            try:
                self._unread += self._receive_bytes()
            except smtplib.SMTPServerDisconnected:
                raise
            except OSError as error:
                self.close()
                raise smtplib.SMTPServerDisconnected(disconnect_reason(error)) from None
        line, self._unread = self._unread[:end], self._unread[end + 1 :]
        return line

    def _receive_bytes(self, flags: int = 0) -> bytes:
        connection = self._require_socket()
        if self.acknowledges_at_once and _QUICK_ACK is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = connection.recv(_LONGEST_LINE, flags)
        if not data:
            self.close()
            raise smtplib.SMTPServerDisconnected("the connection was closed")
        return data

    def _require_socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self.sock

    def close(self) -> None:
        """Closes the connection, and discards bytes that were not read. Overrides the method of smtplib."""
        self._unread = b""
        super().close()


def disconnect_reason(error: OSError) -> str:
    """Returns a text that says why a connection ended."""
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return NO_ANSWER
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "the connection was closed"
    return error.strerror or str(error) or "the connection ended"

"""Reads the replies of an SMTP server, with limits of length and time.

The standard library's client reads line by line through a buffered file, and asks the system twice for
everything that may time out. This asks once, which lets many connections share one interpreter.
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

__all__ = ["NO_ANSWER", "Replies", "words_of"]

#: The reason of a connection that ended by a time-out.
NO_ANSWER: Final = "it did not answer in time"

_LONGEST_LINE: Final = 8192
_MOST_LINES: Final = 200
# Linux: acknowledges at once what arrives. Without it a server that sends its answers one by one (Nagle's
# algorithm) holds the second until the system has acknowledged the first, which takes 40 ms: Postfix does.
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
_CODE = re.compile(rb"[2-5][0-9][0-9]")


class Replies(smtplib.SMTP):
    """Represents a connection from which replies are read, with limits of length and time."""

    _unread = b""
    #: Whether several answers are to come, so that what arrives is acknowledged at once.
    hurries = False
    #: How long the other side is waited for (seconds), as set by `patience`.
    waits = 0.0

    def patience(self, seconds: float) -> None:
        """Sets how many seconds to wait for the other side from now on."""
        self.waits = seconds
        connection = self._open_socket()
        if isinstance(connection, ssl.SSLSocket):
            connection.settimeout(seconds)
            return
        # The system keeps the time: Python's own time-outs ask it twice for everything, first whether it may.
        connection.settimeout(None)
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def _has_unexpected_reply(self) -> bool:
        """Returns whether the server has sent something without a command. Raises where it has hung up."""
        connection = self._open_socket()
        if self._unread:
            return True
        if not isinstance(connection, ssl.SSLSocket):
            try:
                self._unread += self._receive(socket.MSG_DONTWAIT)
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
            self._unread += self._receive()
        except ssl.SSLWantReadError:
            return False  # a record of TLS itself, such as a session ticket
        finally:
            with suppress(OSError):
                connection.settimeout(patience)
        return True

    def getreply(self) -> tuple[int, bytes]:
        """Overrides smtplib's: returns one reply, of bounded length; its code is -1 where it has none.

        Raises SMTPServerDisconnected when the connection has ended or the time is up.
        """
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._line()
            if not _CODE.match(line):
                return -1, line.strip()
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        self.close()
        raise smtplib.SMTPServerDisconnected("its answer has no end")

    def _line(self) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > _LONGEST_LINE:
                self.close()
                raise smtplib.SMTPServerDisconnected("a line of its answer has no end")
            try:
                self._unread += self._receive()
            except smtplib.SMTPServerDisconnected:
                raise
            except OSError as error:
                self.close()
                raise smtplib.SMTPServerDisconnected(words_of(error)) from None
        line, self._unread = self._unread[:end], self._unread[end + 1 :]
        return line

    def _receive(self, flags: int = 0) -> bytes:
        connection = self._open_socket()
        if self.hurries and _QUICK_ACK is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = connection.recv(_LONGEST_LINE, flags)
        if not data:
            self.close()
            raise smtplib.SMTPServerDisconnected("it closed the connection")
        return data

    def _open_socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self.sock

    def close(self) -> None:
        """Overrides smtplib's: drops the connection, and the part of it that was not read."""
        self._unread = b""
        super().close()


def words_of(error: OSError) -> str:
    """Returns why a connection ended, in words."""
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return NO_ANSWER
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "it closed the connection"
    return error.strerror or str(error) or "the connection ended"

"""Sends MAIL, RCPT and DATA, in one write where the server offers PIPELINING (RFC 2920), and reads the
answers.

They may have been sent already, together with the end of the message before: then they were announced.
"""

from __future__ import annotations

import smtplib
import socket
from contextlib import suppress
from typing import NamedTuple

from mailer.transports.refusal.refusal import Stage
from mailer.transports.smtp.session.replies import Replies

__all__ = ["Announcement", "Commands"]


class Announcement(NamedTuple):
    """Holds the sender, the recipient and the size (octets) that MAIL and RCPT name for a message."""

    sender: str
    recipient: str
    size: int


class Commands(Replies):
    """Represents a connection on which messages are begun. `stage` is the command whose answer was read last.

    `announced` is the message whose MAIL, RCPT and DATA were sent already: the next message can be no other.
    """

    stage = Stage.MAIL
    announced: Announcement | None = None
    #: How long the answer to an announced message may take (seconds); None: as long as any other.
    announced_patience: float | None = None

    def close(self) -> None:
        """Drops the connection, and forgets the announced message."""
        self.announced = None
        super().close()

    def _commands(self, what: Announcement) -> tuple[bytes, bytes, bytes]:
        """Returns MAIL, RCPT and DATA as bytes."""
        options = f" SIZE={what.size}" if self.has_extn("size") else ""
        if not what.recipient.isascii() or not what.sender.isascii():
            options += " SMTPUTF8"
        mail = f"MAIL FROM:<{what.sender}>{options}\r\n".encode()
        return mail, f"RCPT TO:<{what.recipient}>\r\n".encode(), b"DATA\r\n"

    def _answer_to(self, mine: Announcement) -> tuple[int, bytes]:
        """Returns the answer to MAIL, RCPT and DATA: 354, or the first refusal."""
        announced, self.announced = self.announced, None
        if announced not in (None, mine):
            raise smtplib.SMTPServerDisconnected("another message was announced")
        connection = self._open_socket()
        if announced is None or self.announced_patience is None:
            return self._answers(connection, mine, announced)
        patience, usual = self.announced_patience, self.waits
        self.patience(min(patience, usual))
        try:
            return self._answers(connection, mine, announced)
        finally:
            if self.sock is not None:
                self.patience(usual)

    def _answers(
        self, connection: socket.socket, mine: Announcement, announced: Announcement | None
    ) -> tuple[int, bytes]:
        """Does the work of `_answer_to`; `announced` says whether the commands were sent already."""
        if not self.has_extn("pipelining"):
            mail, rcpt, data = self._commands(mine)
            for self.stage, command in ((Stage.MAIL, mail), (Stage.RCPT, rcpt)):
                connection.sendall(command)
                refused = self._refusal(unless=250)
                if refused:
                    return refused
            connection.sendall(data)
            self.stage = Stage.DATA
            return self._refusal(unless=354) or (354, b"")
        if announced is None:
            connection.sendall(b"".join(self._commands(mine)))
        self.hurries = True  # three answers are to come, perhaps one by one
        try:
            return self._three_answers(connection)
        finally:
            self.hurries = False

    def _three_answers(self, connection: socket.socket) -> tuple[int, bytes]:
        """Returns the answers to MAIL, RCPT and DATA, which were sent together."""
        refused = self._refusal(unless=250)
        if refused and refused[0] == 421:  # it says no more
            return refused
        answer = self._refusal(unless=250)
        goes_on = refused is not None and answer is None
        if refused is None:
            self.stage = Stage.RCPT
            refused = answer
        if refused and refused[0] == 421:
            return refused
        if refused is None:
            self.stage = Stage.DATA
            return self._refusal(unless=354) or (354, b"")
        if self.getreply()[0] == 354:
            if goes_on:  # it has refused MAIL and taken RCPT: what came now would reach the recipient
                self.close()
                return refused
            # No recipient is left, and the server still waits for the message (RFC 2920 section 3.1).
            connection.sendall(b".\r\n")
            self.getreply()
        return refused

    def _refusal(self, unless: int | None = None) -> tuple[int, bytes] | None:
        """Returns the next reply if it is a refusal, None if it is the expected code `unless` (250 stands for
        any 2xx).

        Any other reply ends the connection, because replies can then no longer be matched to commands.
        """
        code, words = self.getreply()
        if 400 <= code <= 599:
            return code, words
        if code == unless or (unless == 250 and 200 <= code <= 299):
            return None
        self.close()
        raise smtplib.SMTPServerDisconnected(
            f"it answered when no answer was due: {words.decode('utf-8', 'replace')}"
        )

    def _reset(self) -> None:
        """Sends RSET after a refusal, so that the next message begins anew."""
        with suppress(OSError):
            if self.docmd("RSET")[0] == 250:
                return
        self.close()

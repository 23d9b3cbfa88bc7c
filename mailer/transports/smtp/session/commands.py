"""Sends MAIL, RCPT and DATA, in one write if the server offers PIPELINING (RFC 2920), and reads the answers.

These commands may also be sent early: in one write with the end of the previous message.
"""

from __future__ import annotations

import smtplib
import socket
from contextlib import suppress
from typing import NamedTuple

from mailer.transports.refusal.refusal import SmtpStage
from mailer.transports.smtp.session.replies import ReplyReader

__all__ = ["SmtpEnvelope", "CommandSender"]


class SmtpEnvelope(NamedTuple):
    """Holds the sender, the recipient and the size in bytes that MAIL and RCPT name for a message."""

    sender: str
    recipient: str
    size: int


class CommandSender(ReplyReader):
    """Represents an SMTP connection that sends the commands with which a message begins.

    `stage` is the command whose answer was read last. `sent_early` is the envelope of the message whose MAIL,
    RCPT and DATA were already sent, with the end of the previous message: only this message can be sent next.
    """

    stage = SmtpStage.MAIL
    sent_early: SmtpEnvelope | None = None
    #: How long the answer to early commands may take (seconds); None: as long as any other answer.
    early_timeout: float | None = None

    def close(self) -> None:
        """Closes the connection, and forgets which commands were sent early."""
        self.sent_early = None
        super().close()

    def _envelope_commands(self, envelope: SmtpEnvelope) -> tuple[bytes, bytes, bytes]:
        """Returns the commands MAIL, RCPT and DATA for a message."""
        options = f" SIZE={envelope.size}" if self.has_extn("size") else ""
        if not envelope.recipient.isascii() or not envelope.sender.isascii():
            options += " SMTPUTF8"
        mail = f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode()
        return mail, f"RCPT TO:<{envelope.recipient}>\r\n".encode(), b"DATA\r\n"

    def _begin_message(self, envelope: SmtpEnvelope) -> tuple[int, bytes]:
        """Sends MAIL, RCPT and DATA, unless they were sent early, and reads the answers.

        Returns code and text: 354, or the first refusal.
        """
        sent_early, self.sent_early = self.sent_early, None
        if sent_early not in (None, envelope):
            raise smtplib.SMTPServerDisconnected("the commands of another message were sent already")
        connection = self._require_socket()
        if sent_early is None or self.early_timeout is None:
            return self._begin_message_on(connection, envelope, sent_early)
        patience, usual = self.early_timeout, self.time_limit
        self.set_time_limit(min(patience, usual))
        try:
            return self._begin_message_on(connection, envelope, sent_early)
        finally:
            if self.sock is not None:
                self.set_time_limit(usual)

    def _begin_message_on(
        self, connection: socket.socket, envelope: SmtpEnvelope, sent_early: SmtpEnvelope | None
    ) -> tuple[int, bytes]:
        """Sends the commands over `connection` and reads the answers, as `_begin_message` describes.

        If `sent_early` is not None, the commands were already sent.
        """
        if not self.has_extn("pipelining"):
            mail, rcpt, data = self._envelope_commands(envelope)
            for self.stage, command in ((SmtpStage.MAIL, mail), (SmtpStage.RCPT, rcpt)):
                connection.sendall(command)
                refused = self._read_refusal(expected_code=250)
                if refused:
                    return refused
            connection.sendall(data)
            self.stage = SmtpStage.DATA
            return self._read_refusal(expected_code=354) or (354, b"")
        if sent_early is None:
            connection.sendall(b"".join(self._envelope_commands(envelope)))
        self.acknowledges_at_once = True  # three answers are to come, perhaps one by one
        try:
            return self._read_three_answers(connection)
        finally:
            self.acknowledges_at_once = False

    def _read_three_answers(self, connection: socket.socket) -> tuple[int, bytes]:
        """Reads the answers to MAIL, RCPT and DATA, which were sent in one write.

        Returns code and text: 354, or the first refusal.
        """
        refused = self._read_refusal(expected_code=250)
        if refused and refused[0] == 421:  # it says no more
            return refused
        answer = self._read_refusal(expected_code=250)
        goes_on = refused is not None and answer is None
        if refused is None:
            self.stage = SmtpStage.RCPT
            refused = answer
        if refused and refused[0] == 421:
            return refused
        if refused is None:
            self.stage = SmtpStage.DATA
            return self._read_refusal(expected_code=354) or (354, b"")
        if self.getreply()[0] == 354:
            if goes_on:  # it has refused MAIL and taken RCPT: what came now would reach the recipient
                self.close()
                return refused
            # No recipient is left, and the server still waits for the message (RFC 2920 section 3.1).
            connection.sendall(b".\r\n")
            self.getreply()
        return refused

    def _read_refusal(self, expected_code: int | None = None) -> tuple[int, bytes] | None:
        """Reads a reply; returns it if it is a refusal, or None if it has the `expected_code`.

        250 stands for any 2xx. Any other reply closes the connection and raises SMTPServerDisconnected,
        because replies can no longer be matched to commands.
        """
        code, words = self.getreply()
        if 400 <= code <= 599:
            return code, words
        if code == expected_code or (expected_code == 250 and 200 <= code <= 299):
            return None
        self.close()
        raise smtplib.SMTPServerDisconnected(
            f"the server sent an unexpected reply: {words.decode('utf-8', 'replace')}"
        )

    def _reset_session(self) -> None:
        """Sends RSET after a refusal, so that another message can begin; closes the connection on failure."""
        with suppress(OSError):
            if self.docmd("RSET")[0] == 250:
                return
        self.close()

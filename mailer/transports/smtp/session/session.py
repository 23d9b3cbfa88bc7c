"""Runs one SMTP session (RFC 5321), and reports how much of a message was sent.

`SmtpSession` uses TLS, AUTH and EHLO of the standard library's client, but sends messages itself: MAIL, RCPT
and DATA go in one write if the server offers PIPELINING (RFC 2920), and after a broken connection it is known
whether the final dot was sent. `channel` decides when to try again.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mailer.transports.base import one_line
from mailer.transports.buffered import wait_until_sent
from mailer.transports.refusal.refusal import SmtpStage
from mailer.transports.smtp.session.auth import Credentials, log_in
from mailer.transports.smtp.session.commands import CommandSender, SmtpEnvelope
from mailer.transports.smtp.session.hello import (
    HelloRefused,
    address_literal,
    is_about_helo,
    own_full_host_name,
)
from mailer.transports.smtp.session.replies import NO_ANSWER, disconnect_reason
from mailer.transports.smtp.session.tls_port import await_greeting

__all__ = ["NO_ANSWER", "SmtpEnvelope", "AnswerMissing", "GateRefused", "ConnectionLost", "SmtpSession"]

_GOODBYE_SECONDS: Final = 2.0
_SIZE = re.compile(r"[0-9]{1,20}")
_LINE_BEGINS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)


class ConnectionLost(Exception):
    """Signals that the connection ended before the final dot, so that the server cannot have the message."""


class AnswerMissing(Exception):
    """Signals that no valid answer came after the final dot, so that the server may have the message."""


class GateRefused(ConnectionLost):
    """Signals that the gate refused the hand-over, so that the final dot was not sent."""


class SmtpSession(CommandSender):
    """Represents an open connection to an SMTP server.

    `transactions` counts the messages that were begun in the session, `accepted` those that the server
    accepted.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        implicit_tls: ssl.SSLContext | None,
        connect_timeout: float | None = None,
        name: str = "",
    ) -> None:
        """Connects and reads the greeting.

        `name` is the name that EHLO sends; '' stands for this machine's own name.

        `timeout` limits each answer in seconds, and `connect_timeout` the connecting (None: the same as
        `timeout`). `implicit_tls` is the context if TLS is used from the start. Raises OSError, ssl.SSLError
        and smtplib.SMTPException.
        """
        self.transactions = 0
        self.accepted = 0
        #: Whether early commands were ever answered in this session. Another may be with another server.
        self.answers_early_commands = False
        self._implicit_tls = implicit_tls
        self._connect_timeout = connect_timeout
        super().__init__(host, port, local_hostname="localhost", timeout=timeout)
        self.local_hostname = name or self._own_name_for_ehlo()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Returns a connected socket. Overrides the method with which smtplib connects."""
        plain = socket.create_connection((host, port), self._connect_timeout or timeout)
        plain.settimeout(timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._implicit_tls is None:
            try:
                await_greeting(plain, host, port, timeout)
            except OSError:
                plain.close()
                raise
            return plain
        return self._implicit_tls.wrap_socket(plain, server_hostname=host)

    def _own_name_for_ehlo(self) -> str:
        """Returns the name for EHLO: this machine's full name, or its IP address (RFC 5321 section 4.1.4)."""
        return own_full_host_name() or address_literal(self._require_socket().getsockname()[0])

    def greet(self) -> None:
        """Sends EHLO, or HELO if the server does not know EHLO. Raises HelloRefused with the reply."""
        code, words = self.ehlo()
        if 200 <= code <= 299:
            return
        refused = HelloRefused(code, words, self.local_hostname)
        if 400 <= code <= 499:
            raise refused
        with suppress(smtplib.SMTPServerDisconnected):
            code, words = self.helo()
            if 200 <= code <= 299:
                return
            if not is_about_helo(refused.smtp_code, one_line(refused.smtp_error)):
                refused = HelloRefused(code, words, self.local_hostname)
        raise refused

    def upgrade_to_tls(self, context: ssl.SSLContext) -> None:
        """Starts TLS with STARTTLS, then sends EHLO again (RFC 3207)."""
        self.starttls(context=context)
        if self._unread:  # came before TLS, would count as having come within it
            self.close()
            raise smtplib.SMTPServerDisconnected("the server sent data in the clear after STARTTLS")
        self.greet()

    def authenticate(self, credentials: Credentials) -> None:
        """Logs in with the first usable mechanism that the server offers. Raises smtplib.SMTPException."""
        log_in(self, credentials)

    @property
    def max_message_size(self) -> int:
        """Returns the size limit of the server for a message, in bytes (RFC 1870); 0 if it is unknown."""
        size = self.esmtp_features.get("size", "")
        return int(size) if _SIZE.fullmatch(size) else 0

    def is_alive(self) -> bool:
        """Returns whether the connection is open and the server has sent nothing since its last answer."""
        try:
            return not self._has_unexpected_reply()
        except OSError:
            return False

    def run_mail_transaction(
        self,
        sender: str,
        recipient: str,
        raw: bytes,
        following: SmtpEnvelope | None = None,
        *,
        needs_dot_stuffing: bool = True,
        gate: Callable[[], bool] = lambda: True,
    ) -> tuple[int, bytes]:
        """Sends one message to one recipient; returns the code and text of the reply that decides.

        This reply is the first refusal, or the answer to the final dot. The addresses must not contain
        control characters, spaces or angle brackets. The commands of the message `following` are sent
        together with the final dot, which saves a round trip; `following` must be the next message in this
        session. If `needs_dot_stuffing` is False, no line of `raw` may begin with a full stop.
        `gate` is called before the final dot and returns whether to send it. Raises ConnectionLost,
        GateRefused and AnswerMissing.
        """
        self.transactions += 1
        self.stage = SmtpStage.MAIL
        try:
            code, words = self._begin_message(SmtpEnvelope(sender, recipient, len(raw)))
            if code != 354:
                self._recover_from_refusal(code)
                return code, words
            refused = self._send_body(raw, needs_dot_stuffing)
            if refused:
                return refused
            ending = self._end_of_message(following)
            connection = self._require_socket()
            wait_until_sent(connection, connection.gettimeout())
            if not gate():  # the run has ended or the reader has left: the gate knows
                self.close()
                raise GateRefused("the run ended before the message was handed over")
            sent = connection.send(ending)
        except OSError as error:
            self.close()
            raise ConnectionLost(disconnect_reason(error)) from None
        return self._read_final_answer(connection, ending[sent:])

    def _send_body(self, raw: bytes, needs_dot_stuffing: bool) -> tuple[int, bytes] | None:
        """Sends a message without its final dot.

        Returns the refusal of a server that answered before the end of the message; otherwise None.
        """
        self.stage = SmtpStage.MESSAGE
        body = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        if needs_dot_stuffing and (b"\n." in body or body.startswith(b".")):
            body = _LINE_BEGINS_WITH_DOT.sub(b"..", body)
        self._require_socket().sendall(body)
        # Whether the server has hung up meanwhile is asked before the dot: what was lost by then is
        # known not to have arrived, what is lost later never can be.
        if self._has_unexpected_reply() and (refused := self._read_refusal()):
            self.close()
            return refused
        return None

    def _end_of_message(self, following: SmtpEnvelope | None) -> bytes:
        """Returns the final dot, followed by the commands of the next message if they are sent early."""
        if following is None or not self.has_extn("pipelining"):
            return b".\r\n"
        self.sent_early = following
        return b".\r\n" + b"".join(self._envelope_commands(following))

    def _read_final_answer(self, connection: socket.socket, unsent: bytes) -> tuple[int, bytes]:
        """Sends `unsent`, the bytes from the final dot on that are not yet sent; returns the server's answer.

        Raises AnswerMissing.
        """
        try:
            if unsent:
                connection.sendall(unsent)
            code, words = self.getreply()
        except OSError as error:
            self.close()
            raise AnswerMissing(disconnect_reason(error)) from None
        if not (200 <= code <= 299 or 400 <= code <= 599):
            self.close()
            raise AnswerMissing(f"the server answered {code} {words.decode('utf-8', 'replace')}")
        if code <= 299:
            self.accepted += 1
        elif self.sent_early is None or code == 421:
            self._recover_from_refusal(code)
        return code, words

    def _recover_from_refusal(self, code: int) -> None:
        """Prepares the session for another message after a refusal; closes it after a 421."""
        if code == 421:
            self.close()
        else:
            self._reset_session()

    def end_session(self) -> None:
        """Ends the session with QUIT, or only closes it after early commands. Never raises OSError."""
        with suppress(OSError):
            if self.sent_early is not None:
                raise smtplib.SMTPServerDisconnected("it waits for a message")
            self.set_time_limit(_GOODBYE_SECONDS)
            self.docmd("QUIT")
        with suppress(OSError):
            self.close()

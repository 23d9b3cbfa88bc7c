"""Runs one SMTP session (RFC 5321), and reports exactly how far a message got in it.

`Session` is the standard library's client with its TLS, AUTH and EHLO kept, and with its own transactions:
MAIL, RCPT and DATA are sent in one write where the server offers PIPELINING (RFC 2920), and after a broken
connection it is known whether the final dot had been sent. Policy, such as when to try again, is `channel`'s.
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
from mailer.transports.refusal.refusal import Stage
from mailer.transports.smtp.session.auth import Credentials, log_in
from mailer.transports.smtp.session.commands import Announcement, Commands
from mailer.transports.smtp.session.hello import HelloRefused, address_literal, full_name, is_about_helo
from mailer.transports.smtp.session.replies import NO_ANSWER, words_of
from mailer.transports.smtp.session.tls_port import await_greeting

__all__ = ["NO_ANSWER", "Announcement", "AnswerMissing", "GateRefused", "ConnectionLost", "Session"]

_GOODBYE_SECONDS: Final = 2.0
_SIZE = re.compile(r"[0-9]{1,20}")
_LINE_BEGINS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)


class ConnectionLost(Exception):
    """Signals that the connection ended before the final dot: the server cannot have the message."""


class AnswerMissing(Exception):
    """Signals that no valid answer followed the final dot: the server may have the message."""


class GateRefused(ConnectionLost):
    """Signals that the gate refused the final dot, which was therefore not written."""


class Session(Commands):
    """Represents an open connection to an SMTP server.

    `transactions` counts the messages that were begun on it, `accepted` those that the server accepted.
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
        """Connects and reads the greeting. `name` is what EHLO says; '' stands for this machine's own.

        `timeout` is how many seconds each answer may take, `connect_timeout` how many the connecting (as
        `timeout` where it is None). Raises OSError, ssl.SSLError and smtplib.SMTPException.
        """
        self.transactions = 0
        self.accepted = 0
        #: Whether an announced message was ever answered on it. Another session may be with another server.
        self.answers_announcements = False
        self._implicit_tls = implicit_tls
        self._connect_timeout = connect_timeout
        super().__init__(host, port, local_hostname="localhost", timeout=timeout)
        self.local_hostname = name or self._own_name()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Overrides the place where smtplib opens its socket, as its own SMTP_SSL does."""
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

    def _own_name(self) -> str:
        """Returns the name for EHLO: the machine's full name, else its address (RFC 5321 section 4.1.4)."""
        return full_name() or address_literal(self._open_socket().getsockname()[0])

    def greet(self) -> None:
        """Sends EHLO, or HELO where the server does not know EHLO. Raises HelloRefused with the reply."""
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

    def secure(self, context: ssl.SSLContext) -> None:
        """Starts TLS, then sends EHLO again (RFC 3207)."""
        self.starttls(context=context)
        if self._unread:  # came before TLS, would count as having come within it
            self.close()
            raise smtplib.SMTPServerDisconnected("it sent something in the clear after STARTTLS")
        self.greet()

    def authenticate(self, credentials: Credentials) -> None:
        """Logs in with the best mechanism that both sides know. Raises smtplib.SMTPException."""
        log_in(self, credentials)

    @property
    def largest(self) -> int:
        """Returns the largest message in octets that the server accepts (RFC 1870), 0 if it does not say."""
        size = self.esmtp_features.get("size", "")
        return int(size) if _SIZE.fullmatch(size) else 0

    def is_alive(self) -> bool:
        """Returns whether the connection is open and silent, as it should be between two transactions."""
        try:
            return not self._has_unexpected_reply()
        except OSError:
            return False

    def transact(
        self,
        sender: str,
        recipient: str,
        raw: bytes,
        following: Announcement | None = None,
        *,
        stuffed: bool = True,
        gate: Callable[[], bool] = lambda: True,
    ) -> tuple[int, bytes]:
        """Hands over one message to one recipient; returns the reply that decided its outcome.

        That is the first refusal, or the answer to the final dot. The addresses hold no control characters,
        no space and no angle brackets. `following` is announced together with the final dot, which saves a
        round trip a message, and it must be the next one here. Without `stuffed` no line of `raw` begins with
        a full stop, which saves a search that takes longer than composing. `gate` is asked before the final
        dot. Raises ConnectionLost, GateRefused and AnswerMissing.
        """
        self.transactions += 1
        self.stage = Stage.MAIL
        try:
            code, words = self._answer_to(Announcement(sender, recipient, len(raw)))
            if code != 354:
                self._recover(code)
                return code, words
            refused = self._send_text(raw, stuffed)
            if refused:
                return refused
            ending = self._ending(following)
            connection = self._open_socket()
            wait_until_sent(connection, connection.gettimeout())
            if not gate():  # the run has ended or the reader has left: the gate knows
                self.close()
                raise GateRefused("the run ended before it was handed over")
            sent = connection.send(ending)
        except OSError as error:
            self.close()
            raise ConnectionLost(words_of(error)) from None
        return self._answer_to_the_dot(connection, ending[sent:])

    def _send_text(self, raw: bytes, stuffed: bool) -> tuple[int, bytes] | None:
        """Sends a message without its final dot; returns the refusal of a server that did not wait for it."""
        self.stage = Stage.MESSAGE
        body = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        if stuffed and (b"\n." in body or body.startswith(b".")):
            body = _LINE_BEGINS_WITH_DOT.sub(b"..", body)
        self._open_socket().sendall(body)
        # Whether the server has hung up meanwhile is asked before the dot: what was lost by then is
        # known not to have arrived, what is lost later never can be.
        if self._has_unexpected_reply() and (refused := self._refusal()):
            self.close()
            return refused
        return None

    def _ending(self, following: Announcement | None) -> bytes:
        """Returns the final dot, and the commands of the message that is announced with it."""
        if following is None or not self.has_extn("pipelining"):
            return b".\r\n"
        self.announced = following
        return b".\r\n" + b"".join(self._commands(following))

    def _answer_to_the_dot(self, connection: socket.socket, unsent: bytes) -> tuple[int, bytes]:
        """Sends the rest of the ending, and returns the answer to the message. Raises AnswerMissing."""
        try:
            if unsent:
                connection.sendall(unsent)
            code, words = self.getreply()
        except OSError as error:
            self.close()
            raise AnswerMissing(words_of(error)) from None
        if not (200 <= code <= 299 or 400 <= code <= 599):
            self.close()
            raise AnswerMissing(f"the server answered {code} {words.decode('utf-8', 'replace')}")
        if code <= 299:
            self.accepted += 1
        elif self.announced is None or code == 421:
            self._recover(code)
        return code, words

    def _recover(self, code: int) -> None:
        """Makes the session ready for another message after a refusal, or closes it where the server does."""
        if code == 421:
            self.close()
        else:
            self._reset()

    def leave(self) -> None:
        """Ends the session with QUIT; after an announcement it only drops the connection. Never raises."""
        with suppress(OSError):
            if self.announced is not None:
                raise smtplib.SMTPServerDisconnected("it waits for a message")
            self.patience(_GOODBYE_SECONDS)
            self.docmd("QUIT")
        with suppress(OSError):
            self.close()

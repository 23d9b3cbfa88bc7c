"""One SMTP session (RFC 5321), and exactly how far a message got in it.

`Session` is the standard library's client with its TLS, AUTH and EHLO kept, and with transactions of its own:
MAIL, RCPT and DATA go out in one write where the server offers PIPELINING (RFC 2920), and a broken
connection is told apart by whether the final dot had left. Policy, such as when to try again, is `smtp`'s.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from mailer.transports.base import one_line
from mailer.transports.buffered import wait_until_sent
from mailer.transports.refusal.refusal import Stage
from mailer.transports.smtp.auth import Credentials, log_in
from mailer.transports.smtp.hello import Unwelcome, address_literal, full_name, speaks_of_helo
from mailer.transports.smtp.replies import NO_ANSWER, Replies, say
from mailer.transports.smtp.tls_port import await_greeting

__all__ = ["NO_ANSWER", "Announcement", "Doubt", "Ended", "Lost", "Session"]

_GOODBYE_SECONDS: Final = 2.0
_SIZE = re.compile(r"[0-9]{1,20}")
_LINE_BEGINS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)


class Lost(Exception):
    """The connection ended before the final dot was written: the server cannot have the message."""


class Doubt(Exception):
    """The final dot was written, and no answer to it was understood: the server may have the message."""


class Ended(Lost):
    """The gate refused the final dot, which was therefore not written."""


class Announcement(NamedTuple):
    """What MAIL and RCPT say of a message. `size` is in octets."""

    sender: str
    recipient: str
    size: int


class Session(Replies):
    """An open connection. `transactions` counts the messages that were begun on it, `accepted` those that the
    server took, `stage` is what it answered last.

    `announced` is the message whose MAIL, RCPT and DATA are on their way already: no other can be the next.
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
        #: How long the answer to an announced message may take (seconds); None: as long as any other.
        self.announced_patience: float | None = None
        #: Whether an announced message was ever answered on it. Another session may be with another server.
        self.answers_announcements = False
        self.stage = Stage.MAIL
        self.announced: Announcement | None = None
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
        """What EHLO says: the machine's full name, else its address (RFC 5321 section 4.1.4)."""
        return full_name() or address_literal(self._open_socket().getsockname()[0])

    def greet(self) -> None:
        """EHLO, or HELO where the server does not know EHLO. Raises Unwelcome with what it said."""
        code, words = self.ehlo()
        if 200 <= code <= 299:
            return
        refused = Unwelcome(code, words, self.local_hostname)
        if 400 <= code <= 499:
            raise refused
        with suppress(smtplib.SMTPServerDisconnected):
            code, words = self.helo()
            if 200 <= code <= 299:
                return
            if not speaks_of_helo(refused.smtp_code, one_line(refused.smtp_error)):
                refused = Unwelcome(code, words, self.local_hostname)
        raise refused

    def secure(self, context: ssl.SSLContext) -> None:
        """STARTTLS, then EHLO again (RFC 3207)."""
        self.starttls(context=context)
        if self._unread:  # came before TLS, would count as having come within it
            self.close()
            raise smtplib.SMTPServerDisconnected("it sent something in the clear after STARTTLS")
        self.greet()

    def authenticate(self, credentials: Credentials) -> None:
        """AUTH with the best mechanism that both sides know. Raises smtplib.SMTPException."""
        log_in(self, credentials)

    @property
    def largest(self) -> int:
        """The most octets that the server takes in a message (RFC 1870), or 0 where it does not say."""
        size = self.esmtp_features.get("size", "")
        return int(size) if _SIZE.fullmatch(size) else 0

    def is_alive(self) -> bool:
        """Whether the server is there and quiet, as it should be between two transactions."""
        try:
            return not self._speaks_unasked()
        except OSError:
            return False

    def transact(
        self,
        sender: str,
        recipient: str,
        raw: bytes,
        following: Announcement | None = None,
        *,
        dotless: bool = False,
        gate: Callable[[], bool] = lambda: True,
    ) -> tuple[int, bytes]:
        """Hands over one message to one recipient; gives the reply that decided its fate.

        That is the first refusal, or the answer to the final dot. The addresses hold no control characters,
        no space and no angle brackets. `following` is announced together with the final dot, which spares
        a round trip a message, and it must be the next one here. `dotless` says that no line of `raw` begins
        with a full stop, which spares a search that takes longer than composing. `gate` is asked before the
        final dot. Raises Lost, Ended and Doubt.
        """
        self.transactions += 1
        self.stage = Stage.MAIL
        mine = Announcement(sender, recipient, len(raw))
        try:
            code, words = self._answer_to(mine)
            if code != 354:
                if code == 421:
                    self.close()
                else:
                    self._forget()
                return code, words
            self.stage = Stage.MESSAGE
            body = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
            if not dotless and (b"\n." in body or body.startswith(b".")):
                body = _LINE_BEGINS_WITH_DOT.sub(b"..", body)
            connection = self._open_socket()
            connection.sendall(body)
            # Whether the server has hung up meanwhile is asked before the dot: what was lost by then is
            # known not to have arrived, what is lost later never can be.
            if self._speaks_unasked() and (refused := self._refusal()):
                self.close()
                return refused
            ending = b".\r\n"
            if following and self.has_extn("pipelining"):
                self.announced = following
                ending += b"".join(self._commands(following))
            wait_until_sent(connection, connection.gettimeout())
            if not gate():
                self.close()
                raise Ended(
                    "the run ended before it was handed over"
                )  # or the reader has left: the gate knows
            sent = connection.send(ending)
        except OSError as error:
            self.close()
            raise Lost(say(error)) from None
        try:
            if sent < len(ending):
                connection.sendall(ending[sent:])
            code, words = self.getreply()
        except OSError as error:
            self.close()
            raise Doubt(say(error)) from None
        if not (200 <= code <= 299 or 400 <= code <= 599):
            self.close()
            raise Doubt(f"the server answered {code} {words.decode('utf-8', 'replace')}")
        if code == 421:
            self.close()
        elif code <= 299:
            self.accepted += 1
        elif self.announced is None:
            self._forget()
        return code, words

    def _commands(self, what: Announcement) -> tuple[bytes, bytes, bytes]:
        """MAIL, RCPT and DATA."""
        options = f" SIZE={what.size}" if self.has_extn("size") else ""
        if not what.recipient.isascii() or not what.sender.isascii():
            options += " SMTPUTF8"
        mail = f"MAIL FROM:<{what.sender}>{options}\r\n".encode()
        return mail, f"RCPT TO:<{what.recipient}>\r\n".encode(), b"DATA\r\n"

    def _answer_to(self, mine: Announcement) -> tuple[int, bytes]:
        """The answer to MAIL, RCPT and DATA: 354, or the first reply that is in its way."""
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
        """As `_answer_to`, where `announced` says whether the commands are on their way already."""
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
        """The answers to MAIL, RCPT and DATA, which were sent together."""
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
            # Nobody is to get it, and still it waits for it (RFC 2920 section 3.1).
            connection.sendall(b".\r\n")
            self.getreply()
        return refused

    def _refusal(self, unless: int | None = None) -> tuple[int, bytes] | None:
        """The next reply if it is a refusal, None if it is the hoped-for `unless` (250 stands for any 2xx).

        After an answer that is neither nobody can tell what answers what: that ends the connection.
        """
        code, words = self.getreply()
        if 400 <= code <= 599:
            return code, words
        if code == unless or (unless == 250 and 200 <= code <= 299):
            return None
        self.close()
        raise smtplib.SMTPServerDisconnected(f"it answered out of turn: {words.decode('utf-8', 'replace')}")

    def _forget(self) -> None:
        """RSET after a refusal, so that the next message begins on clean ground."""
        with suppress(OSError):
            if self.docmd("RSET")[0] == 250:
                return
        self.close()

    def close(self) -> None:
        """Drops the connection, and what was announced on it."""
        self.announced = None
        super().close()

    def leave(self) -> None:
        """QUIT, politely and briefly; after an announcement only hanging up is left. Never raises."""
        with suppress(OSError):
            if self.announced is not None:
                raise smtplib.SMTPServerDisconnected("it waits for a message")
            self.patience(_GOODBYE_SECONDS)
            self.docmd("QUIT")
        with suppress(OSError):
            self.close()

"""An SMTP server: where it is, how to get a session with it that is ready for mail, and why there is none.

A password is sent over TLS only, or within this machine. What is done with the session is `smtp`'s.
"""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from mailer.delivery.transports.base import is_loopback, one_line
from mailer.delivery.transports.session import NO_ANSWER, Session
from mailer.errors import TransportError

__all__ = ["Busy", "Full", "Server", "connect"]

_CONNECT_SECONDS: Final = 30.0
#: How long the answer to an announced message may take until it is known that the server answers such.
_ANNOUNCED_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 300.0  # RFC 5321 section 4.5.3.2 asks for patience: five minutes for a command


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect, and how. The password is kept out of every repr."""

    host: str
    port: int
    implicit_tls: bool = False
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    connect_seconds: float = _CONNECT_SECONDS
    answer_seconds: float = _ANSWER_SECONDS
    announced_seconds: float = _ANNOUNCED_SECONDS

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Server({self})"

    def tls(self) -> ssl.SSLContext:
        """The rules for TLS: certificates are verified, but for this very machine's where no CA is named."""
        return _tls(self.ca_file, self.ca_file is not None or not is_loopback(self.host))


class Busy(TransportError):
    """No connection now, but perhaps in a moment."""


class Full(Busy):
    """The server answers, and takes no connection or no mail at this time."""


def connect(server: Server) -> Session:
    """A session ready for mail. Raises TransportError with what to do about it."""
    tls = server.tls()
    session: Session | None = None
    try:
        session = Session(
            server.host,
            server.port,
            timeout=server.connect_seconds,
            implicit_tls=tls if server.implicit_tls else None,
        )
        session.ehlo_or_helo_if_needed()
        if not server.implicit_tls and session.has_extn("starttls"):
            session.secure(tls)
        elif server.user and not server.implicit_tls and not is_loopback(server.host):
            raise TransportError(
                f"{server} offers no STARTTLS, and a password is never sent in the clear; use smtps://, "
                "or another port (587 is usual)"
            )
        if server.user:
            session.authenticate(server.user, server.password)
        session.patience(server.answer_seconds)
    except BaseException as error:
        if session is not None:
            session.close()
        if isinstance(error, OSError):
            raise _explain(server, error) from None
        raise
    return session


def _explain(server: Server, error: OSError) -> TransportError:
    """Why there is no connection, and what to do."""
    match error:
        case smtplib.SMTPAuthenticationError() if error.smtp_code >= 500:
            return TransportError(
                f"{server} refused the user {server.user}: {_words(server, error)}; "
                "check the user in the transport's URL and MAILER_SMTP_PASSWORD"
            )
        case smtplib.SMTPNotSupportedError():
            return TransportError(
                f"{server} does not let {server.user} log in: {one_line(str(error))}; use the server's port "
                "for submission (587 or 465), or leave the user out of the transport's URL"
            )
        case smtplib.SMTPResponseException() if 400 <= error.smtp_code <= 499:
            return Full(f"{server} takes no mail just now: {_words(server, error)}; run this again later")
        case smtplib.SMTPResponseException():
            return TransportError(
                f"{server} refused us: {_words(server, error)}; ask who runs it, or use another transport"
            )
        case ssl.SSLCertVerificationError():
            return TransportError(
                f"the certificate of {server} cannot be trusted: {error.verify_message}; use the host name "
                "that stands in it, name a private authority's file in MAILER_SMTP_CA_FILE, and see whether "
                "this machine's clock is right"
            )
        case ssl.SSLError():
            return TransportError(
                f"TLS with {server} failed: {error.reason or error.strerror}; smtps:// is for ports that "
                "begin with TLS (465), smtp:// for those with STARTTLS (587)"
            )
        case socket.gaierror() if error.errno != socket.EAI_AGAIN:
            return TransportError(
                f"there is no host called {server.host}: {error.strerror}; check the transport's URL"
            )
        case TimeoutError():
            why = NO_ANSWER.removeprefix("it ")
        case smtplib.SMTPException() if str(error) == NO_ANSWER:
            why = NO_ANSWER.removeprefix("it ")
        case smtplib.SMTPException():
            why = f"broke off: {one_line(str(error))}"
        case _:
            why = f"cannot be reached: {error.strerror or error}"
    return Busy(f"{server} {why}; check that the server runs and that the transport's URL is right")


def _words(server: Server, error: smtplib.SMTPResponseException) -> str:
    """What the server said, without the password: some repeat the line that they do not like."""
    said = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
    if server.password:
        password = server.password.encode()
        for secret in (b"\0" + server.user.encode() + b"\0" + password, password):
            said = said.replace(base64.b64encode(secret), b"[password]").replace(secret, b"[password]")
    return f"{error.smtp_code} {one_line(said, 300)}"


@lru_cache(maxsize=8)
def _tls(ca_file: Path | None, verified: bool) -> ssl.SSLContext:
    """Kept, because reading the system's certificates takes longer than sending a message."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise TransportError(
            f"the file {ca_file} of MAILER_SMTP_CA_FILE cannot be used: {error.strerror or error}; "
            "name a PEM file with the certificate of the server's authority"
        ) from None
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

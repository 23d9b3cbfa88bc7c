"""Describes an SMTP server, and connects to it: returns a session that is ready for mail, or says why not.

A password is sent over TLS only, or within this machine. `channel` uses the session.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import RefusedForNow, Unavailable, is_loopback
from mailer.transports.oauth.oauth import Tokens
from mailer.transports.smtp.session.auth import Credentials
from mailer.transports.smtp.session.connect_errors import LoginRefused, explained
from mailer.transports.smtp.session.session import Session

__all__ = ["Unavailable", "RefusedForNow", "Server", "connect"]

#: Connecting takes a round trip; a greeting may be held back on purpose for half a minute.
_REACH_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 60.0
#: How long the answer to an announced message may take until it is known that the server answers such.
_ANNOUNCED_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 300.0  # RFC 5321 section 4.5.3.2 asks for patience: five minutes for a command

#: Connections are opened side by side, and the first of them reads the certificates for all.
_READING_CERTIFICATES: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Server:
    """Describes an SMTP server: its place, and how to connect to it. The password is never shown by repr.

    `helo` is the name that EHLO says; '' stands for this machine's own name. With `tokens`, the user logs in
    by OAuth and not by password. `connect_seconds` is the time limit for the greeting and each answer until
    the session is ready, `answer_seconds` for each answer from then on.
    """

    host: str
    port: int
    implicit_tls: bool = False
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    connect_seconds: float = _CONNECT_SECONDS
    answer_seconds: float = _ANSWER_SECONDS
    announced_seconds: float = _ANNOUNCED_SECONDS
    helo: str = ""
    tokens: Tokens | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Server({self})"

    def tls(self) -> ssl.SSLContext:
        """Returns the TLS context: certificates are verified, except on this machine without a CA file."""
        with _READING_CERTIFICATES:
            return _tls(self.ca_file, self.ca_file is not None or not is_loopback(self.host))


def connect(server: Server) -> Session:
    """Returns a session that is ready for mail.

    Raises TransportError with what to do; it is Unavailable where a later attempt may succeed.

    An access token that is refused is renewed, once.
    """
    if server.tokens is None or not server.user:
        return _connect(server, _credentials(server, ""))
    token = server.tokens.current()
    try:
        session = _connect(server, _credentials(server, token))
    except LoginRefused:
        renewed = server.tokens.renewed(token)
        if not renewed:
            raise
        session, token = _connect(server, _credentials(server, renewed)), renewed
    server.tokens.accepted(token)
    return session


def _connect(server: Server, credentials: Credentials) -> Session:
    session: Session | None = None
    if server.ca_file is not None:
        server.tls()  # reports an unusable file, even where no TLS follows
    try:
        session = Session(
            server.host,
            server.port,
            timeout=server.connect_seconds,
            connect_timeout=min(server.connect_seconds, _REACH_SECONDS),
            implicit_tls=server.tls() if server.implicit_tls else None,
            name=server.helo,
        )
        session.greet()
        if not server.implicit_tls and session.has_extn("starttls"):
            session.secure(server.tls())
        elif server.user and not server.implicit_tls and not is_loopback(server.host):
            raise TransportError(
                f"{server} offers no STARTTLS, and a password is never sent in the clear; use smtps://, "
                "or another port (587 is usual)"
            )
        if server.user:
            session.authenticate(credentials)
        session.patience(server.answer_seconds)
    except BaseException as error:
        if session is not None:
            session.close()
        if isinstance(error, OSError):
            raise explained(server, error, credentials) from None
        raise
    return session


def _credentials(server: Server, token: str) -> Credentials:
    return Credentials(server.user, server.password, token, server.host, server.port)


@lru_cache(maxsize=8)
def _tls(ca_file: Path | None, verified: bool) -> ssl.SSLContext:
    """Returns the TLS context, cached because reading the system's certificates is slow."""
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

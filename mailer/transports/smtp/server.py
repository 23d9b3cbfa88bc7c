"""Defines the settings of an SMTP server, and opens sessions with it that are ready for mail.

A password is sent only over TLS or within this machine.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import ServerUnavailable, TemporaryRefusal, is_loopback
from mailer.transports.oauth.oauth import AccessTokenCache
from mailer.transports.smtp.session.auth import Credentials
from mailer.transports.smtp.session.connect_errors import LoginRefused, explained_error
from mailer.transports.smtp.session.session import SmtpSession

__all__ = ["ServerUnavailable", "TemporaryRefusal", "ServerSettings", "open_session"]

#: Connecting takes a round trip; a greeting may be held back on purpose for half a minute.
_REACH_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 60.0
#: How long the answer to early commands may take until the server is known to answer them.
_EARLY_ANSWER_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 300.0  # RFC 5321 section 4.5.3.2 asks for patience: five minutes for a command

#: Connections are opened side by side, and the first of them reads the certificates for all.
_READING_CERTIFICATES: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Holds the settings for connecting to an SMTP server. The password is never shown by repr.

    `helo` is the name that EHLO sends; '' stands for this machine's own name. If `tokens` is given, the user
    logs in by OAuth and not by password. `connect_seconds` limits the greeting and each answer until the
    session is ready, `answer_seconds` each later answer, and `early_answer_seconds` the answer to commands
    that were sent early, until the server is known to answer them.
    """

    host: str
    port: int
    implicit_tls: bool = False
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    connect_seconds: float = _CONNECT_SECONDS
    answer_seconds: float = _ANSWER_SECONDS
    early_answer_seconds: float = _EARLY_ANSWER_SECONDS
    helo: str = ""
    tokens: AccessTokenCache | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"ServerSettings({self})"

    def tls_context(self) -> ssl.SSLContext:
        """Returns the TLS context for this server.

        Certificates are verified, except those of a server on this machine if no CA file is set.
        """
        with _READING_CERTIFICATES:
            return _cached_tls_context(self.ca_file, self.ca_file is not None or not is_loopback(self.host))


def open_session(server: ServerSettings) -> SmtpSession:
    """Connects to the server and logs in; returns a session that is ready for mail.

    An access token that the server refuses is renewed once. Raises TransportError with what to do; it is a
    ServerUnavailable if a later attempt may succeed.
    """
    if server.tokens is None or not server.user:
        return _open_session_with(server, _credentials_for(server, ""))
    token = server.tokens.current_token()
    try:
        session = _open_session_with(server, _credentials_for(server, token))
    except LoginRefused:
        renewed = server.tokens.renewed_token(token)
        if not renewed:
            raise
        session, token = _open_session_with(server, _credentials_for(server, renewed)), renewed
    server.tokens.note_token_accepted(token)
    return session


def _open_session_with(server: ServerSettings, credentials: Credentials) -> SmtpSession:
    session: SmtpSession | None = None
    if server.ca_file is not None:
        server.tls_context()  # reports an unusable file, even where no TLS follows
    try:
        session = SmtpSession(
            server.host,
            server.port,
            timeout=server.connect_seconds,
            connect_timeout=min(server.connect_seconds, _REACH_SECONDS),
            implicit_tls=server.tls_context() if server.implicit_tls else None,
            name=server.helo,
        )
        session.greet()
        if not server.implicit_tls and session.has_extn("starttls"):
            session.upgrade_to_tls(server.tls_context())
        elif server.user and not server.implicit_tls and not is_loopback(server.host):
            raise TransportError(
                f"{server} offers no STARTTLS, and a password is never sent in the clear; use smtps://, "
                "or another port (587 is usual)"
            )
        if server.user:
            session.authenticate(credentials)
        session.set_time_limit(server.answer_seconds)
    except BaseException as error:
        if session is not None:
            session.close()
        if isinstance(error, OSError):
            raise explained_error(server, error, credentials) from None
        raise
    return session


def _credentials_for(server: ServerSettings, token: str) -> Credentials:
    return Credentials(server.user, server.password, token, server.host, server.port)


@lru_cache(maxsize=8)
def _cached_tls_context(ca_file: Path | None, verifies_certificates: bool) -> ssl.SSLContext:
    """Returns the TLS context, cached because reading the system's certificates is slow."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise TransportError(
            f"the file {ca_file} of MAILER_SMTP_CA_FILE cannot be used: {error.strerror or error}; "
            "name a PEM file with the certificate of the server's authority"
        ) from None
    if not verifies_certificates:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

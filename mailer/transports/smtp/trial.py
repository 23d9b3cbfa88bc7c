"""Tries an SMTP server for `mailer doctor`: connects and logs in, and sends no message."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mailer.config import Settings
from mailer.errors import ConfigError, TransportError
from mailer.transports.base import is_loopback
from mailer.transports.finding import Finding, Status, check_resolver_answers
from mailer.transports.smtp.server import open_session
from mailer.transports.smtp.transport import Smtp

__all__ = ["try_login"]

_SECONDS: Final = 25.0  # some servers hold their greeting back for 20


def try_login(settings: Settings, *, seconds: float = _SECONDS) -> Iterator[Finding]:
    """Connects and logs in to the SMTP server as for a campaign, then ends the session. Yields one finding.

    `seconds` limits the connecting and each answer. Raises UnansweredQuery.
    """
    try:
        server = Smtp.from_url(settings.delivery.transport, settings).server
    except ConfigError:
        return  # the check of the transport says why
    name = f"smtp {server}"
    check_resolver_answers(server.host)
    try:
        session = open_session(replace(server, connect_seconds=seconds, answer_seconds=seconds))
    except TransportError as error:
        sentence, _, advice = str(error).rpartition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
        return
    try:
        tls = session.sock.version() if isinstance(session.sock, ssl.SSLSocket) else None
        login = f"accepts the login of {server.user}" if server.user else "asks for no login"
        if server.user and server.tokens is not None:
            login += " with an access token"
        if tls is None and not is_loopback(server.host):
            yield Finding(
                name,
                Status.WARNING,
                f"answers without STARTTLS and {login}: messages would travel in the clear",
                "use smtps://, or another port (587 is usual)",
            )
        else:
            yield Finding(name, Status.OK, f"answers with {tls or 'no TLS, on this machine,'} and {login}")
    finally:
        session.end_session()

"""Explains, in a sentence that says what to do, why no session with an SMTP server could be opened."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

from mailer.display_text import joined_names
from mailer.errors import TransportError
from mailer.transports.base import ServerUnavailable, TemporaryRefusal, one_line
from mailer.transports.smtp.session.auth import (
    WITH_PASSWORD,
    WITH_TOKEN,
    Credentials,
    NoCommonMechanism,
    reply_without_secrets,
)
from mailer.transports.smtp.session.hello import HelloRefused, helo_advice, is_about_helo, is_full_host_name
from mailer.transports.smtp.session.session import NO_ANSWER
from mailer.transports.smtp.session.tls_port import TlsHandshakeExpected

if TYPE_CHECKING:
    from mailer.transports.smtp.server import ServerSettings

__all__ = ["LoginDeferred", "LoginRefused", "explained_error"]


class LoginRefused(TransportError):
    """Signals that the server does not accept the password or the access token."""


class LoginDeferred(TemporaryRefusal):
    """Signals that the server accepts no login for now: the mailbox is locked, or the server has a fault."""


def explained_error(server: ServerSettings, error: OSError, credentials: Credentials) -> TransportError:
    """Returns the error to raise for `error`. Its text says what to do and contains no secrets.

    The returned error is a ServerUnavailable if a later attempt may succeed.
    """
    match error:
        case NoCommonMechanism():
            return _error_for_mechanisms(server, error, credentials)
        case HelloRefused():
            return _error_for_hello(server, error, _reply_without_secrets(error, credentials))
        case smtplib.SMTPResponseException():
            return _error_for_refusal(server, error, credentials)
        case TlsHandshakeExpected() | ssl.SSLError():
            return _error_for_tls(server, error)
        case socket.gaierror() if error.errno != socket.EAI_AGAIN:
            return TransportError(
                f"there is no host called {server.host}: {error.strerror}; check the transport's URL"
            )
        case TimeoutError():
            why = "did not answer in time"
        case smtplib.SMTPException() if str(error) == NO_ANSWER:
            why = "did not answer in time"
        case smtplib.SMTPException():
            why = f"broke off: {one_line(str(error))}"
        case _:
            why = f"cannot be reached: {error.strerror or error}"
    return ServerUnavailable(
        f"{server} {why}; check that the server runs and that the transport's URL is right"
    )


def _error_for_refusal(
    server: ServerSettings, error: smtplib.SMTPResponseException, credentials: Credentials
) -> TransportError:
    """Returns the error for a reply that refuses the login or the connection."""
    reply = _reply_without_secrets(error, credentials)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        if error.smtp_code >= 500:
            advice = _login_advice(reply, credentials)
            return LoginRefused(f"{server} refused the user {server.user}: {reply}; {advice}")
        return LoginDeferred(
            f"{server} does not let {server.user} log in at the moment: {reply}; "
            "run this again later, and if that does not help, check the user in the transport's URL "
            f"and {'[delivery.oauth]' if credentials.token else 'MAILER_SMTP_PASSWORD'}"
        )
    if 400 <= error.smtp_code <= 499:
        return TemporaryRefusal(f"{server} accepts no mail at the moment: {reply}; run this again later")
    return TransportError(f"{server} refused us: {reply}; ask its operator, or use another transport")


def _error_for_tls(server: ServerSettings, error: OSError) -> TransportError:
    """Returns the error for a failed TLS handshake, or for a port that expects TLS from the start."""
    if isinstance(error, TlsHandshakeExpected):
        return TransportError(
            f"{server} sends no greeting and waits for TLS; write smtps:// instead of smtp:// in the "
            "transport's URL"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(
            f"the certificate of {server} cannot be trusted: {error.verify_message}; use the host name "
            "that the certificate names, set MAILER_SMTP_CA_FILE to a private authority's certificate file, "
            "and check this machine's clock"
        )
    reason = getattr(error, "reason", None) or error.strerror
    return TransportError(
        f"TLS with {server} failed: {reason}; use smtps:// for a port that "
        "begins with TLS (465), and smtp:// for a port with STARTTLS (587)"
    )


def _error_for_hello(server: ServerSettings, error: HelloRefused, reply: str) -> TransportError:
    """Returns the error for a refusal of EHLO.

    The refusal is about the name that EHLO sent if its text says so, or if it is permanent and the name is
    not fully qualified.
    """
    kind = TemporaryRefusal if 400 <= error.smtp_code <= 499 else TransportError
    if is_about_helo(error.smtp_code, reply) or (
        kind is not TemporaryRefusal and not is_full_host_name(error.name)
    ):
        return kind(f"{server} refused us at EHLO: {reply}; {helo_advice(error.name)}")
    if kind is TemporaryRefusal:
        return TemporaryRefusal(
            f"{server} accepts no mail at the moment: {reply}; run this again later, and if that does not "
            f"help, set [delivery] helo to another name than {error.name}"
        )
    return TransportError(
        f"{server} refused us at EHLO: {reply}; ask its operator, or set [delivery] helo to another "
        f"name than {error.name}"
    )


def _error_for_mechanisms(
    server: ServerSettings, error: NoCommonMechanism, credentials: Credentials
) -> TransportError:
    """Returns the error for a server without a usable AUTH mechanism, with the setting that would fit."""
    if not error.offered:
        return TransportError(
            f"{server} does not let {server.user} log in: it offers no AUTH here; use the server's port "
            "for submission (587 or 465), or leave the user out of the transport's URL"
        )
    offered = one_line(joined_names(error.offered), 200)
    if credentials.token and set(WITH_PASSWORD) & set(error.offered):
        return TransportError(
            f"{server} offers only {offered} for logging in, which take a password and no access token; "
            "remove [delivery.oauth] and set MAILER_SMTP_PASSWORD"
        )
    if not credentials.token and set(WITH_TOKEN) & set(error.offered):
        return TransportError(
            f"{server} offers only {offered} for logging in, which wants an access token and no password; "
            "set [delivery.oauth] in mailer.toml, as docs/smtp.md describes"
        )
    return TransportError(
        f"{server} offers only {offered} for logging in, and mailer can use {joined_names(WITH_PASSWORD)} "
        f"with a password, {joined_names(WITH_TOKEN)} with an access token; ask the server's operator "
        "for one of these, or leave the user out of the transport's URL"
    )


def _login_advice(reply: str, credentials: Credentials) -> str:
    """Returns what to do about a refused login, depending on the text of the refusal."""
    words = reply.lower()
    if "smtpclientauthentication is disabled" in words:
        return "ask an administrator of Microsoft 365 to switch on SMTP AUTH for this mailbox"
    if "starttls" in words or reply.startswith("538"):
        return "use smtps://, or the server's port for submission (587), where TLS is offered"
    if credentials.token:
        return (
            "check the user in the transport's URL and [delivery.oauth], and whether this mailbox and this "
            "application may send by SMTP (docs/smtp.md)"
        )
    if "application-specific password" in words:
        return "put an app password into MAILER_SMTP_PASSWORD, or set [delivery.oauth]"
    if "5.7.30" in words or "basic authentication" in words:
        return "the server no longer accepts passwords: set [delivery.oauth], as docs/smtp.md describes"
    return "check the user in the transport's URL and MAILER_SMTP_PASSWORD"


def _reply_without_secrets(error: smtplib.SMTPResponseException, credentials: Credentials) -> str:
    """Returns the code and the text of the server's reply without secrets, on one line."""
    reply = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
    return f"{error.smtp_code} {one_line(reply_without_secrets(reply, credentials), 300)}"

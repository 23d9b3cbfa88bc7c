"""Explains why there is no session with an SMTP server, in a sentence that says what to do."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

from mailer.errors import TransportError
from mailer.transports.base import RefusedForNow, Unavailable, one_line
from mailer.transports.smtp.session.auth import (
    WITH_PASSWORD,
    WITH_TOKEN,
    Credentials,
    NoCommonMechanism,
    show_without,
)
from mailer.transports.smtp.session.hello import HelloRefused, helo_advice, is_about_helo, is_full_name
from mailer.transports.smtp.session.session import NO_ANSWER
from mailer.transports.smtp.session.tls_port import BeginsWithTls

if TYPE_CHECKING:
    from mailer.transports.smtp.server import Server

__all__ = ["LoginDeferred", "LoginRefused", "explained"]


class LoginRefused(TransportError):
    """Signals that the server does not accept the password or the access token."""


class LoginDeferred(RefusedForNow):
    """Signals that the server accepts no login for now: the mailbox is locked, or the server has a fault."""


def explained(server: Server, error: OSError, credentials: Credentials) -> TransportError:
    """Returns the error to raise for `error`; Unavailable if a later attempt may succeed. Shows no secret."""
    match error:
        case NoCommonMechanism():
            return _no_mechanism(server, error, credentials)
        case HelloRefused():
            return _hello_refused(server, error, _safe_words(error, credentials))
        case smtplib.SMTPResponseException():
            return _refused(server, error, credentials)
        case BeginsWithTls() | ssl.SSLError():
            return _no_tls(server, error)
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
    return Unavailable(f"{server} {why}; check that the server runs and that the transport's URL is right")


def _refused(
    server: Server, error: smtplib.SMTPResponseException, credentials: Credentials
) -> TransportError:
    """Explains a reply that refuses the login or the connection."""
    reply = _safe_words(error, credentials)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        if error.smtp_code >= 500:
            advice = _login_advice(reply, credentials)
            return LoginRefused(f"{server} refused the user {server.user}: {reply}; {advice}")
        return LoginDeferred(
            f"{server} does not let {server.user} log in just now: {reply}; "
            "run this again later, and where that does not help, check the user in the transport's URL "
            f"and {'[delivery.oauth]' if credentials.token else 'MAILER_SMTP_PASSWORD'}"
        )
    if 400 <= error.smtp_code <= 499:
        return RefusedForNow(f"{server} takes no mail just now: {reply}; run this again later")
    return TransportError(f"{server} refused us: {reply}; ask who runs it, or use another transport")


def _no_tls(server: Server, error: OSError) -> TransportError:
    """Explains why there is no TLS with the server, or why its port wants TLS from the start."""
    if isinstance(error, BeginsWithTls):
        return TransportError(
            f"{server} sends no greeting and waits for TLS; write smtps:// instead of smtp:// in the "
            "transport's URL"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(
            f"the certificate of {server} cannot be trusted: {error.verify_message}; use the host name "
            "that stands in it, name a private authority's file in MAILER_SMTP_CA_FILE, and see whether "
            "this machine's clock is right"
        )
    reason = getattr(error, "reason", None) or error.strerror
    return TransportError(
        f"TLS with {server} failed: {reason}; smtps:// is for ports that "
        "begin with TLS (465), smtp:// for those with STARTTLS (587)"
    )


def _hello_refused(server: Server, error: HelloRefused, reply: str) -> TransportError:
    """Explains a refusal of EHLO.

    It is about our name if its text says so, or if it is permanent and the name is not fully qualified.
    """
    kind = RefusedForNow if 400 <= error.smtp_code <= 499 else TransportError
    if is_about_helo(error.smtp_code, reply) or (kind is not RefusedForNow and not is_full_name(error.name)):
        return kind(f"{server} refused us at EHLO: {reply}; {helo_advice(error.name)}")
    if kind is RefusedForNow:
        return RefusedForNow(
            f"{server} takes no mail just now: {reply}; run this again later, and where that does not help, "
            f"set [delivery] helo to another name than {error.name}"
        )
    return TransportError(
        f"{server} refused us at EHLO: {reply}; ask who runs it, or set [delivery] helo to another name than "
        f"{error.name}"
    )


def _no_mechanism(server: Server, error: NoCommonMechanism, credentials: Credentials) -> TransportError:
    """Explains which mechanisms the server offers, and which setting fits them."""
    if not error.offered:
        return TransportError(
            f"{server} does not let {server.user} log in: it offers no AUTH here; use the server's port "
            "for submission (587 or 465), or leave the user out of the transport's URL"
        )
    offered = one_line(_listed(error.offered), 200)
    if credentials.token and set(WITH_PASSWORD) & set(error.offered):
        return TransportError(
            f"{server} offers only {offered} for logging in, which take a password and no access token; "
            "remove [delivery.oauth] and set MAILER_SMTP_PASSWORD"
        )
    if not credentials.token and set(WITH_TOKEN) & set(error.offered):
        return TransportError(
            f"{server} offers only {offered} for logging in, which wants an access token and no password; "
            "set [delivery.oauth] in mailer.toml, as docs/smtp.md tells"
        )
    return TransportError(
        f"{server} offers only {offered} for logging in, and mailer can do {_listed(WITH_PASSWORD)} with a "
        f"password, {_listed(WITH_TOKEN)} with an access token; ask who runs the server for one of these, or "
        "leave the user out of the transport's URL"
    )


def _login_advice(reply: str, credentials: Credentials) -> str:
    """Returns what to do about a refused login, where the server's text gives a reason."""
    words = reply.lower()
    if "smtpclientauthentication is disabled" in words:
        return "let an administrator of Microsoft 365 switch on SMTP AUTH for this mailbox"
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
        return "it takes no plain passwords any more: set [delivery.oauth], as docs/smtp.md tells"
    return "check the user in the transport's URL and MAILER_SMTP_PASSWORD"


def _safe_words(error: smtplib.SMTPResponseException, credentials: Credentials) -> str:
    """Returns the server's text without secrets."""
    reply = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
    return f"{error.smtp_code} {one_line(show_without(reply, credentials), 300)}"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

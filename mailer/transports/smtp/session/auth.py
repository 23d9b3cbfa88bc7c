"""Logs in by SMTP AUTH (RFC 4954): PLAIN, LOGIN and CRAM-MD5 with a password, XOAUTH2 and OAUTHBEARER with a
token.

Where the server's refusal is about the mechanism, the next mechanism is tried; never where it is about the
password, because a second attempt with a wrong one may lock the mailbox.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailer.transports.base import one_line

__all__ = [
    "WITH_PASSWORD",
    "WITH_TOKEN",
    "Credentials",
    "EsmtpSession",
    "NoCommonMechanism",
    "log_in",
    "offered_mechanisms",
    "show_without",
]

#: In the order of preference. PLAIN and LOGIN are what servers support best, and the connection is encrypted
#: or within this machine. CRAM-MD5 fails on servers that keep no clear passwords and offer it all the same.
WITH_PASSWORD: Final = ("PLAIN", "LOGIN", "CRAM-MD5")
WITH_TOKEN: Final = ("XOAUTH2", "OAUTHBEARER")
#: A command with an initial response may not be longer (RFC 4954 section 4); then the server asks for it.
_LONGEST_COMMAND: Final = 512
_MOST_CHALLENGES: Final = 8
_ABOUT_THE_MECHANISM: Final = (500, 501, 502, 504, 538)
_ABOUT_THE_FORM: Final = (500, 501, 502, 504)
#: Some say one of these codes of a wrong password, too.
_ABOUT_THE_PASSWORD = re.compile(
    rb"authenticat\w* (?:has )?(?:failed|failure|unsuccessful|rejected|denied)"
    rb"|log-?in (?:failed|denied|incorrect)|credential|\b(?:bad|wrong|invalid|incorrect)\b.{0,20}\bpassword"
    rb"|password.{0,20}(?:incorrect|invalid|wrong)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Holds a user, and the user's password or access token. Neither is shown by repr.

    `host` and `port` are the server's, which OAUTHBEARER names (RFC 7628).
    """

    user: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    host: str = ""
    port: int = 0

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Returns the mechanisms that work with these credentials."""
        return WITH_TOKEN if self.token else WITH_PASSWORD


class NoCommonMechanism(smtplib.SMTPNotSupportedError):
    """Signals that the server offers none of our mechanisms; `offered` are the server's."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__("no common mechanism of AUTH")
        self.offered = offered


class EsmtpSession(Protocol):
    """Defines the part of a session that logging in needs."""

    @property
    def esmtp_features(self) -> dict[str, str]:
        """Returns the server's extensions, in lower case, with their parameters."""
        ...

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        """Sends a line, and returns the reply."""
        ...


def offered_mechanisms(session: EsmtpSession) -> tuple[str, ...]:
    """Returns the mechanisms that the server offers, in upper case, also by the old `AUTH=PLAIN LOGIN`."""
    words = re.split(r"[\s=,]+", session.esmtp_features.get("auth", "").upper())
    return tuple(dict.fromkeys(word for word in words if word))


def log_in(session: EsmtpSession, credentials: Credentials) -> None:
    """Logs in with the best mechanism that both sides know.

    Raises NoCommonMechanism, smtplib.SMTPAuthenticationError and smtplib.SMTPException; OSError as the
    session does.
    """
    offered = offered_mechanisms(session)
    refused: smtplib.SMTPAuthenticationError | None = None
    for mechanism in credentials.mechanisms:
        if mechanism not in offered:
            continue
        try:
            code, words = _attempt(session, mechanism, credentials)
        except smtplib.SMTPServerDisconnected:
            if refused is None:
                raise
            break  # a server that hung up after a refusal gave the reason in it
        except _Unsupported:
            continue
        if 200 <= code <= 299 or (code == 503 and b"already" in words.lower()):
            return
        refused = smtplib.SMTPAuthenticationError(code, words)
        if not _is_about_the_mechanism(code, words):
            break
    if refused is None:
        raise NoCommonMechanism(offered)
    raise refused


def show_without(reply: bytes, credentials: Credentials) -> bytes:
    """Returns the server's reply without the password or the token, which some servers repeat."""
    clear = [credentials.password.encode(), credentials.token.encode()]
    lines = [_plain(credentials), _xoauth2(credentials), _oauthbearer(credentials)]
    secrets = [*map(base64.b64encode, [*lines, *filter(None, clear)]), *filter(None, clear)]
    for secret in sorted(secrets, key=len, reverse=True):
        reply = reply.replace(secret, b"[password]")
    return reply


class _Unsupported(Exception):
    """Signals that this machine cannot use the mechanism: MD5 is disabled on some."""


def _is_about_the_mechanism(code: int, words: bytes) -> bool:
    """Returns whether another mechanism may succeed. Postfix sends 535 for "no mechanism available", too."""
    if 500 <= code <= 599 and b"mechanism" in words.lower():
        return True
    return code in _ABOUT_THE_MECHANISM and not _ABOUT_THE_PASSWORD.search(words)


def _is_about_the_form(code: int, words: bytes) -> bool:
    """Returns whether the same mechanism may succeed with its response sent at another place."""
    return code in _ABOUT_THE_FORM and not _ABOUT_THE_PASSWORD.search(words)


def _attempt(session: EsmtpSession, mechanism: str, credentials: Credentials) -> tuple[int, bytes]:
    match mechanism:
        case "PLAIN":
            return _with_one_response(session, mechanism, _plain(credentials), b"")
        case "XOAUTH2":
            return _with_one_response(session, mechanism, _xoauth2(credentials), b"")
        case "OAUTHBEARER":
            return _with_one_response(session, mechanism, _oauthbearer(credentials), b"\1")
        case "LOGIN":
            return _login(session, credentials)
    answer = _cram_md5(credentials)
    return _converse(session, *session.docmd("AUTH", mechanism), answer)


def _with_one_response(
    session: EsmtpSession, mechanism: str, response: bytes, after_error: bytes
) -> tuple[int, bytes]:
    """Runs a mechanism with a single client response. `after_error` answers a challenge that reports an
    error.

    The response is sent with the command where it is short enough, or where the server requires it.
    """
    initial = f"{mechanism} {_encoded(response)}"
    forms = (initial, mechanism)
    if len(f"AUTH {initial}\r\n") > _LONGEST_COMMAND:
        forms = (mechanism, initial)
    for last, form in enumerate(forms):
        code, words = _converse(
            session, *session.docmd("AUTH", form), _responses(form == initial, response, after_error)
        )
        if last or not _is_about_the_form(code, words):
            break
    return code, words


def _responses(sent: bool, response: bytes, after_error: bytes) -> Callable[[bytes], bytes]:
    """Returns a function that answers an empty challenge with `response`, an error with `after_error`."""

    def answer(challenge: bytes) -> bytes:
        nonlocal sent
        if challenge.lstrip().startswith(b"{") or (sent and challenge):
            return after_error
        sent = True
        return response

    return answer


def _login(session: EsmtpSession, credentials: Credentials) -> tuple[int, bytes]:
    """Runs LOGIN, which prompts for user and password; some servers want the user with the command."""
    user, password = credentials.user.encode(), credentials.password.encode()
    for last, form in enumerate(("LOGIN", f"LOGIN {_encoded(user)}")):
        code, words = _converse(
            session, *session.docmd("AUTH", form), _prompted_login(user, password, bool(last)), lenient=True
        )
        if last or not _is_about_the_form(code, words):
            break
    return code, words


def _prompted_login(user: bytes, password: bytes, named: bool) -> Callable[[bytes], bytes]:
    """Returns a function that answers prompts.

    To one it cannot read, it gives the user first, unless `named`.
    """

    def answer(challenge: bytes) -> bytes:
        nonlocal named
        asked = challenge.lower()
        if b"pass" in asked or (named and b"user" not in asked):
            return password
        named = True
        return user

    return answer


def _cram_md5(credentials: Credentials) -> Callable[[bytes], bytes]:
    """Returns the function that answers the challenge of CRAM-MD5 (RFC 2195), with text as UTF-8."""
    password, user = credentials.password.encode(), credentials.user.encode()
    try:
        hmac.new(password, b"", "md5")
    except ValueError:
        raise _Unsupported from None
    return lambda challenge: user + b" " + hmac.new(password, challenge, "md5").hexdigest().encode()


def _converse(
    session: EsmtpSession,
    code: int,
    words: bytes,
    answer: Callable[[bytes], bytes],
    *,
    lenient: bool = False,
) -> tuple[int, bytes]:
    """Answers challenges (334) until the final reply; adds the error that the last challenge reports."""
    detail = ""
    for _ in range(_MOST_CHALLENGES):
        if code != 334:
            break
        challenge = _challenge(words, lenient)
        detail = _error_in(challenge) or detail
        response = answer(challenge)
        code, words = session.docmd(_encoded(response))
    if code in (-1, 334):
        raise smtplib.SMTPException("its answer to AUTH cannot be read")
    return code, words + f" ({detail})".encode() if detail and code > 299 else words


def _challenge(words: bytes, lenient: bool) -> bytes:
    try:
        return base64.b64decode(words.strip(), validate=True)
    except binascii.Error:
        if lenient and words.isascii() and words.decode("ascii").isprintable():
            return words  # "334 Username:", as it should not be
        raise smtplib.SMTPException("its answer to AUTH cannot be read") from None


def _error_in(challenge: bytes) -> str:
    """Returns the error in a challenge of XOAUTH2 or OAUTHBEARER, as `status 401, scope mail`, or ''."""
    try:
        document = json.loads(challenge)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    return one_line(", ".join(f"{key} {value}" for key, value in document.items()), 10_000)


def _encoded(response: bytes) -> str:
    return base64.b64encode(response).decode("ascii")


def _plain(credentials: Credentials) -> bytes:
    """Returns the response of PLAIN (RFC 4616)."""
    return f"\0{credentials.user}\0{credentials.password}".encode()


def _xoauth2(credentials: Credentials) -> bytes:
    """Returns the response of XOAUTH2 in the form that Google and Microsoft describe."""
    return f"user={credentials.user}\1auth=Bearer {credentials.token}\1\1".encode()


def _oauthbearer(credentials: Credentials) -> bytes:
    """Returns the response of OAUTHBEARER (RFC 7628 section 3.1), the user escaped as in RFC 5801."""
    user = credentials.user.replace("=", "=3D").replace(",", "=2C")
    where = f"host={credentials.host}\1port={credentials.port}\1"
    return f"n,a={user},\1{where}auth=Bearer {credentials.token}\1\1".encode()

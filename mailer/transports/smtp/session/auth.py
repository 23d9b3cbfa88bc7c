"""Logs in by SMTP AUTH (RFC 4954), with a password (PLAIN, LOGIN, CRAM-MD5) or a token (XOAUTH2,
OAUTHBEARER).

If the server refuses the mechanism, the next mechanism is tried. If it refuses the password, no further
attempt is made, because a second attempt with a wrong password may lock the mailbox.
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

__all__ = ["WITH_PASSWORD", "WITH_TOKEN", "Credentials", "EsmtpSession", "NoCommonMechanism"]
__all__ += ["log_in", "offered_mechanisms", "reply_without_secrets"]

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
    """Holds a user name with a password or an access token, neither of which repr shows.

    `host` and `port` are those of the server, which OAUTHBEARER includes in its response (RFC 7628).
    """

    user: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    host: str = ""
    port: int = 0

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Returns the mechanisms that work with these credentials, the preferred one first."""
        return WITH_TOKEN if self.token else WITH_PASSWORD


class NoCommonMechanism(smtplib.SMTPNotSupportedError):
    """Signals that none of the AUTH mechanisms that the server offers (`offered`) fits the credentials."""

    def __init__(self, offered: tuple[str, ...]) -> None:
        super().__init__("no common mechanism of AUTH")
        self.offered = offered


class EsmtpSession(Protocol):
    """Defines the methods of an SMTP session that are needed for logging in."""

    @property
    def esmtp_features(self) -> dict[str, str]:
        """Returns the server's extensions: a map from their names in lower case to their parameters."""
        ...

    def docmd(self, cmd: str, args: str = "") -> tuple[int, bytes]:
        """Sends a command line; returns the code and the text of the reply."""
        ...


def offered_mechanisms(session: EsmtpSession) -> tuple[str, ...]:
    """Returns the AUTH mechanisms that the server offers (`AUTH PLAIN`, also `AUTH=PLAIN`), in upper case."""
    words = re.split(r"[\s=,]+", session.esmtp_features.get("auth", "").upper())
    return tuple(dict.fromkeys(word for word in words if word))


def log_in(session: EsmtpSession, credentials: Credentials) -> None:
    """Logs in with the first mechanism of the credentials that the server offers.

    Raises NoCommonMechanism, smtplib.SMTPAuthenticationError, other exceptions of smtplib, and OSError.
    """
    offered = offered_mechanisms(session)
    refused: smtplib.SMTPAuthenticationError | None = None
    for mechanism in credentials.mechanisms:
        if mechanism not in offered:
            continue
        try:
            code, words = _try_mechanism(session, mechanism, credentials)
        except smtplib.SMTPServerDisconnected:
            if refused is None:
                raise
            break  # a server that hung up after a refusal gave the reason in it
        except _UnsupportedMechanism:
            continue
        if 200 <= code <= 299 or (code == 503 and b"already" in words.lower()):
            return
        refused = smtplib.SMTPAuthenticationError(code, words)
        if not _is_about_the_mechanism(code, words):
            break
    if refused is None:
        raise NoCommonMechanism(offered)
    raise refused


def reply_without_secrets(reply: bytes, credentials: Credentials) -> bytes:
    """Returns the server's reply without the password and the token, which some servers repeat."""
    clear = [credentials.password.encode(), credentials.token.encode()]
    lines = [_plain_response(credentials), _xoauth2_response(credentials), _oauthbearer_response(credentials)]
    secrets = [*map(base64.b64encode, [*lines, *filter(None, clear)]), *filter(None, clear)]
    for secret in sorted(secrets, key=len, reverse=True):
        reply = reply.replace(secret, b"[password]")
    return reply


class _UnsupportedMechanism(Exception):
    """Signals that this machine cannot use a mechanism (MD5 is disabled on some machines)."""


def _is_about_the_mechanism(code: int, words: bytes) -> bool:
    """Returns whether another mechanism may succeed. Postfix also sends 535 for "no mechanism available"."""
    if 500 <= code <= 599 and b"mechanism" in words.lower():
        return True
    return code in _ABOUT_THE_MECHANISM and not _ABOUT_THE_PASSWORD.search(words)


def _is_about_response_placement(code: int, words: bytes) -> bool:
    """Returns whether the mechanism may succeed if its response is sent after AUTH, or with it instead."""
    return code in _ABOUT_THE_FORM and not _ABOUT_THE_PASSWORD.search(words)


def _try_mechanism(session: EsmtpSession, mechanism: str, credentials: Credentials) -> tuple[int, bytes]:
    match mechanism:
        case "PLAIN":
            return _run_single_response(session, mechanism, _plain_response(credentials), b"")
        case "XOAUTH2":
            return _run_single_response(session, mechanism, _xoauth2_response(credentials), b"")
        case "OAUTHBEARER":
            return _run_single_response(session, mechanism, _oauthbearer_response(credentials), b"\1")
        case "LOGIN":
            return _run_login(session, credentials)
    answer = _cram_md5_answerer(credentials)
    return _answer_challenges(session, *session.docmd("AUTH", mechanism), answer)


def _run_single_response(
    session: EsmtpSession, mechanism: str, response: bytes, error_answer: bytes
) -> tuple[int, bytes]:
    """Runs a mechanism with a single client response; returns the code and text of the final reply.

    The response is sent with AUTH if it is short enough, or if the server requires it. `error_answer` answers
    a challenge that reports an error.
    """
    initial = f"{mechanism} {_base64_text(response)}"
    forms = (initial, mechanism)
    if len(f"AUTH {initial}\r\n") > _LONGEST_COMMAND:
        forms = (mechanism, initial)
    for last, form in enumerate(forms):
        answer = _single_response_answerer(form == initial, response, error_answer)
        code, words = _answer_challenges(session, *session.docmd("AUTH", form), answer)
        if last or not _is_about_response_placement(code, words):
            break
    return code, words


def _single_response_answerer(
    response_was_sent: bool, response: bytes, error_answer: bytes
) -> Callable[[bytes], bytes]:
    """Returns a function that answers an empty challenge with `response`, an error with `error_answer`.

    `response_was_sent` is True if the response was already sent with AUTH.
    """

    def answer(challenge: bytes) -> bytes:
        nonlocal response_was_sent
        if challenge.lstrip().startswith(b"{") or (response_was_sent and challenge):
            return error_answer
        response_was_sent = True
        return response

    return answer


def _run_login(session: EsmtpSession, credentials: Credentials) -> tuple[int, bytes]:
    """Runs LOGIN, which prompts for user and password; returns the code and text of the final reply."""
    user, password = credentials.user.encode(), credentials.password.encode()
    for last, form in enumerate(("LOGIN", f"LOGIN {_base64_text(user)}")):
        answer = _prompt_answerer(user, password, bool(last))
        reply = session.docmd("AUTH", form)
        code, words = _answer_challenges(session, *reply, answer, allows_plain_text=True)
        if last or not _is_about_response_placement(code, words):
            break
    return code, words


def _prompt_answerer(user: bytes, password: bytes, user_was_sent: bool) -> Callable[[bytes], bytes]:
    """Returns a function that answers the prompts of LOGIN.

    An unclear prompt gets the user, or the password if `user_was_sent` is True.
    """

    def answer(challenge: bytes) -> bytes:
        nonlocal user_was_sent
        asked = challenge.lower()
        if b"pass" in asked or (user_was_sent and b"user" not in asked):
            return password
        user_was_sent = True
        return user

    return answer


def _cram_md5_answerer(credentials: Credentials) -> Callable[[bytes], bytes]:
    """Returns a function that answers the challenge of CRAM-MD5 (RFC 2195), with text as UTF-8."""
    password, user = credentials.password.encode(), credentials.user.encode()
    try:
        hmac.new(password, b"", "md5")
    except ValueError:
        raise _UnsupportedMechanism from None
    return lambda challenge: user + b" " + hmac.new(password, challenge, "md5").hexdigest().encode()


def _answer_challenges(
    session: EsmtpSession,
    code: int,
    words: bytes,
    answer: Callable[[bytes], bytes],
    *,
    allows_plain_text: bool = False,
) -> tuple[int, bytes]:
    """Answers challenges (334) until the final reply; returns the code and text of that reply.

    `code` and `words` are the first reply. An error in a challenge is appended to the returned text. If
    `allows_plain_text` is True, challenges need not be Base64.
    """
    detail = ""
    for _ in range(_MOST_CHALLENGES):
        if code != 334:
            break
        challenge = _decode_challenge(words, allows_plain_text)
        detail = _error_in_challenge(challenge) or detail
        response = answer(challenge)
        code, words = session.docmd(_base64_text(response))
    if code in (-1, 334):
        raise smtplib.SMTPException("the answer to AUTH cannot be read")
    return code, words + f" ({detail})".encode() if detail and code > 299 else words


def _decode_challenge(words: bytes, allows_plain_text: bool) -> bytes:
    try:
        return base64.b64decode(words.strip(), validate=True)
    except binascii.Error:
        if allows_plain_text and words.isascii() and words.decode("ascii").isprintable():
            return words  # "334 Username:", as it should not be
        raise smtplib.SMTPException("the answer to AUTH cannot be read") from None


def _error_in_challenge(challenge: bytes) -> str:
    """Returns the error in a challenge of XOAUTH2 or OAUTHBEARER, as `status 401, scope mail`, or ''."""
    try:
        document = json.loads(challenge)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    return one_line(", ".join(f"{key} {value}" for key, value in document.items()), 10_000)


def _base64_text(response: bytes) -> str:
    return base64.b64encode(response).decode("ascii")


def _plain_response(credentials: Credentials) -> bytes:
    """Returns the response of the mechanism PLAIN (RFC 4616)."""
    return f"\0{credentials.user}\0{credentials.password}".encode()


def _xoauth2_response(credentials: Credentials) -> bytes:
    """Returns the response of the mechanism XOAUTH2, in the form that Google and Microsoft describe."""
    return f"user={credentials.user}\1auth=Bearer {credentials.token}\1\1".encode()


def _oauthbearer_response(credentials: Credentials) -> bytes:
    """Returns the response of the mechanism OAUTHBEARER (RFC 7628), with the user escaped as in RFC 5801."""
    user = credentials.user.replace("=", "=3D").replace(",", "=2C")
    where = f"host={credentials.host}\1port={credentials.port}\1"
    return f"n,a={user},\1{where}auth=Bearer {credentials.token}\1\1".encode()

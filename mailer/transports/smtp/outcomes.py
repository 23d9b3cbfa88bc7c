"""Decides whether a server can accept a message at all, and what outcome a reply of the server means."""

from __future__ import annotations

import re

from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage, one_line
from mailer.transports.refusal.refusal import Cause, SmtpStage, classify_refusal
from mailer.transports.smtp.session.session import SmtpSession

__all__ = [
    "is_usable_in_commands",
    "outcome_of_reply",
    "reason_server_cannot_take",
    "outcome_of_unusable_address",
]

_USABLE = re.compile(r"[^\x00-\x20\x7f-\xa0<>\u2028\u2029]+")


def is_usable_in_commands(address: str) -> bool:
    """Returns whether MAIL and RCPT can name an address: no control characters, spaces or angle brackets."""
    return bool(_USABLE.fullmatch(address))


def outcome_of_unusable_address(message: OutgoingMessage) -> Outcome | None:
    """Returns the outcome of a message with an address that MAIL or RCPT cannot name; otherwise None."""
    for address, whose in ((message.return_path, Cause.US), (message.address, Cause.ADDRESS)):
        if not _USABLE.fullmatch(address):
            reason = f"the address {address!a} cannot be used in SMTP; correct the address"
            return Outcome(OutcomeKind.REJECTED, reason=one_line(reason), cause=whose)
    return None


def reason_server_cannot_take(session: SmtpSession, message: OutgoingMessage, size: int) -> str:
    """Returns the reason why this server can never accept the message, or ''. `size` is in bytes."""
    utf8 = session.has_extn("smtputf8")
    if not utf8 and not message.return_path.isascii():
        return f"the server offers no SMTPUTF8, which the sender's address needs: {message.return_path}"
    if not utf8 and not message.address.isascii():
        return f"the server offers no SMTPUTF8, so it cannot write to {message.address}"
    if 0 < session.max_message_size < size:
        return f"the message has {size:,} bytes, and the server accepts {session.max_message_size:,} at most"
    return ""


def outcome_of_reply(code: int, reply: str, stage: SmtpStage) -> Outcome:
    """Returns the outcome that a reply to the command `stage` means.

    The outcome is ACCEPTED for 2xx, DEFERRED for 4xx or if a limit was reached, and else REJECTED.
    """
    if code <= 299:
        return Outcome(OutcomeKind.ACCEPTED, provider_id=reply[:200])
    later, cause = classify_refusal(code, reply, stage)
    result = OutcomeKind.DEFERRED if later or code <= 499 else OutcomeKind.REJECTED
    return Outcome(result, reason=one_line(f"{code} {reply}"), cause=cause)

"""Decides whether a server can accept a message at all, and what its reply means for the message."""

from __future__ import annotations

import re

from mailer.transports.base import Outcome, Outgoing, Result, one_line
from mailer.transports.refusal.refusal import Cause, Stage, judge
from mailer.transports.smtp.session.session import Session

__all__ = ["can_be_named", "outcome_of", "reason_unfit", "outcome_of_unusable_address"]

_USABLE = re.compile(r"[^\x00-\x20\x7f-\xa0<>\u2028\u2029]+")


def can_be_named(address: str) -> bool:
    """Returns whether MAIL and RCPT can name an address: no control characters, spaces, angle brackets."""
    return bool(_USABLE.fullmatch(address))


def outcome_of_unusable_address(message: Outgoing) -> Outcome | None:
    """Returns the outcome of a message whose addresses cannot both stand in a command, or None."""
    for address, whose in ((message.return_path, Cause.US), (message.address, Cause.ADDRESS)):
        if not _USABLE.fullmatch(address):
            reason = f"the address {address!a} cannot be used in SMTP; correct it"
            return Outcome(Result.REJECTED, reason=one_line(reason), cause=whose)
    return None


def reason_unfit(session: Session, message: Outgoing, size: int) -> str:
    """Returns why this server can never accept this message, or ''."""
    utf8 = session.has_extn("smtputf8")
    if not utf8 and not message.return_path.isascii():
        return f"the server offers no SMTPUTF8, which the sender's address needs: {message.return_path}"
    if not utf8 and not message.address.isascii():
        return f"the server offers no SMTPUTF8, so it cannot write to {message.address}"
    if 0 < session.largest < size:
        return f"the message has {size:,} bytes, and the server takes {session.largest:,} at most"
    return ""


def outcome_of(code: int, reply: str, stage: Stage) -> Outcome:
    """Returns the outcome for a reply: accepted for 2xx, deferred for 4xx or a limit, else rejected."""
    if code <= 299:
        return Outcome(Result.ACCEPTED, provider_id=reply[:200])
    later, cause = judge(code, reply, stage)
    result = Result.DEFERRED if later or code <= 499 else Result.REJECTED
    return Outcome(result, reason=one_line(f"{code} {reply}"), cause=cause)

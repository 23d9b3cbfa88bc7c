"""Reads SendGrid's answers: the outcome of the messages of a request, or why it was refused.

The statuses and the format of an error are documented in
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from mailer.errors import TransportError
from mailer.transports.base import Outcome, Result, one_line
from mailer.transports.refusal.refusal import Cause
from mailer.transports.sendgrid.client import Answer

__all__ = ["Refusal", "seconds_to_wait", "read_answer"]

_LONGEST_WAIT_SECONDS: Final = 60.0
_NUMBER = re.compile(r"[0-9]{1,12}")
#: A smaller number in X-RateLimit-Reset is no time since 1970: it is the seconds until then.
_EARLIEST_TIME: Final = 1_000_000_000
_CULPRIT = re.compile(r"personalizations\.([0-9]{1,4})(?:\.(.*))?")
_ADDRESS_FIELD = re.compile(r"to\.[0-9]+\.email")
_ADVICE: Final = {
    401: "check SENDGRID_API_KEY",
    403: "the key needs the Mail Send permission, and the sender has to be verified at SendGrid",
    404: "check MAILER_SENDGRID_URL",
    405: "check MAILER_SENDGRID_URL",
}


@dataclass(frozen=True, slots=True)
class _Error:
    """Holds one entry of an answer's `errors`.

    `place` is the number of the recipient that its field names, `field` then the rest of it; None for no
    recipient.
    """

    message: str
    field: str
    place: int | None = None
    address: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.address, self.field) if part)
        return f"{self.message} ({where})" if where else self.message


@dataclass(frozen=True, slots=True)
class Refusal:
    """Says why a request was not carried out, and never will be as it is."""

    status: int
    words: str
    errors: tuple[_Error, ...] = ()

    @property
    def too_large(self) -> bool:
        """Returns whether a request with fewer recipients may succeed."""
        return self.status == 413

    def culprits(self) -> dict[int, tuple[str, Cause]]:
        """Returns the recipients that the errors name: number to (reason, cause)."""
        named: dict[int, tuple[str, Cause]] = {}
        for error in self.errors:
            if error.place is not None:
                minded = self.status == 400 and _ADDRESS_FIELD.fullmatch(error.field)
                cause = Cause.ADDRESS if minded else Cause.US
                named.setdefault(error.place, (one_line(f"{self.status} {error}"), cause))
        return named


def read_answer(answer: Answer, secret: str, addresses: Sequence[str]) -> Outcome | Refusal:
    """Returns the outcome of every message of the request, or why it was refused.

    `addresses` are those of the request, in order: an error that names a recipient by number is reported with
    the address. Raises TransportError where no request can succeed. `secret` is kept out of all texts.
    """
    status = answer.status_code
    errors = _errors(answer.body, secret, addresses)
    reply = "; ".join(map(str, errors)) or answer.body[:2000].decode("utf-8", "replace")
    words = one_line(f"{status} {reply}".replace(secret, "[key]"))
    if status == 202:
        return Outcome(Result.ACCEPTED, provider_id=one_line(answer.headers.get("X-Message-Id", ""), 200))
    if status in (400, 413):
        return Refusal(status, words, errors)
    if status in (408, 429):
        return Outcome(Result.DEFERRED, reason=words, cause=Cause.THEM)
    if status <= 299 or status >= 500:
        return Outcome(Result.UNCERTAIN, reason=words)
    advice = _ADVICE.get(status, "check MAILER_SENDGRID_URL")
    raise TransportError(f"SendGrid accepted no message: {words}; {advice}")


def seconds_to_wait(answer: Answer, times: int, now: float) -> float:
    """Returns how many seconds a 429 asks us to wait, at least one and at most a minute.

    X-RateLimit-Reset is a time in seconds since 1970 (or the seconds until then), Retry-After a number of
    seconds or a date (RFC 9110 section 10.2.3). Where neither is there, the wait grows with each of the
    `times`.
    """
    reset = answer.headers.get("X-RateLimit-Reset", "").strip()
    after = answer.headers.get("Retry-After", "").strip()
    seconds = 0.0
    if _NUMBER.fullmatch(reset):
        number = int(reset)
        seconds = number - now + 0.5 if number >= _EARLIEST_TIME else float(number)  # in whole seconds
        if seconds <= 0 and not after:
            seconds = 1.0  # it is over
    if seconds <= 0:
        seconds = float(after) if _NUMBER.fullmatch(after) else _until(after, now) or 2.0**times
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


def _until(date: str, now: float) -> float | None:
    """Returns the seconds until a date as HTTP writes it; None where it is no date, or past by our clock."""
    try:
        moment = parsedate_to_datetime(date)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def _errors(body: bytes, secret: str, addresses: Sequence[str]) -> tuple[_Error, ...]:
    """Returns the errors in an answer; none where it has not the documented format."""
    try:
        entries = json.loads(body)["errors"]
        return tuple(
            _error(
                one_line(str(entry.get("message") or "").replace(secret, "[key]")),
                one_line(str(entry.get("field") or "").replace(secret, "[key]"), 200),
                addresses,
            )
            for entry in entries[:1000]
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _error(message: str, field: str, addresses: Sequence[str]) -> _Error:
    match = _CULPRIT.fullmatch(field)
    if match is None or int(match[1]) >= len(addresses):
        return _Error(message, field)
    place = int(match[1])
    return _Error(message, match[2] or "", place, one_line(addresses[place]))

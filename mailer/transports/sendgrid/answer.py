"""Reads SendGrid's answers: returns the outcome of a request's messages, or why the request was refused.

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

from mailer.clock import with_zone
from mailer.errors import TransportError
from mailer.transports.base import Outcome, OutcomeKind, one_line
from mailer.transports.refusal.refusal import Cause
from mailer.transports.sendgrid.client import ApiAnswer

__all__ = ["RequestRefusal", "seconds_to_wait", "read_answer"]

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
class _ErrorEntry:
    """Holds one entry of `errors` in an answer.

    `recipient_index` is the index of the recipient that the entry is about; None if the entry is about no
    recipient. `field` is the name of the wrong field in the request, or in the data of that recipient.
    """

    message: str
    field: str
    recipient_index: int | None = None
    address: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.address, self.field) if part)
        return f"{self.message} ({where})" if where else self.message


@dataclass(frozen=True, slots=True)
class RequestRefusal:
    """Holds the reason why SendGrid refused a request, and would refuse the same request again.

    `status` is the HTTP status, `words` the text of the answer, and `errors` are the errors that it lists.
    """

    status: int
    words: str
    errors: tuple[_ErrorEntry, ...] = ()

    @property
    def is_too_large(self) -> bool:
        """Returns whether the request was too large, so that one with fewer recipients may succeed."""
        return self.status == 413

    def refused_recipients(self) -> dict[int, tuple[str, Cause]]:
        """Returns the recipients that the errors name: a map from index in the request to (reason, cause)."""
        named: dict[int, tuple[str, Cause]] = {}
        for error in self.errors:
            if error.recipient_index is not None:
                minded = self.status == 400 and _ADDRESS_FIELD.fullmatch(error.field)
                cause = Cause.ADDRESS if minded else Cause.US
                named.setdefault(error.recipient_index, (one_line(f"{self.status} {error}"), cause))
        return named


def read_answer(answer: ApiAnswer, api_key: str, addresses: Sequence[str]) -> Outcome | RequestRefusal:
    """Returns the outcome of every message of a request, or why the request was refused.

    `addresses` are the recipients of the request, in order: an error that names a recipient by its index is
    reported with the address. `api_key` is removed from all texts. Raises TransportError if no request can
    succeed.
    """
    status = answer.status_code
    errors = _parse_errors(answer.body, api_key, addresses)
    reply = "; ".join(map(str, errors)) or answer.body[:2000].decode("utf-8", "replace")
    words = one_line(f"{status} {reply}".replace(api_key, "[key]"))
    if status == 202:
        return Outcome(
            OutcomeKind.ACCEPTED, provider_id=one_line(answer.headers.get("X-Message-Id", ""), 200)
        )
    if status in (400, 413):
        return RequestRefusal(status, words, errors)
    if status in (408, 429):
        return Outcome(OutcomeKind.DEFERRED, reason=words, cause=Cause.THEM)
    if status <= 299 or status >= 500:
        return Outcome(OutcomeKind.UNCERTAIN, reason=words)
    advice = _ADVICE.get(status, "check MAILER_SENDGRID_URL")
    raise TransportError(f"SendGrid accepted no message: {words}; {advice}")


def seconds_to_wait(answer: ApiAnswer, wait_number: int, now: float) -> float:
    """Returns how many seconds to wait after an answer with status 429: from 1 to 60.

    X-RateLimit-Reset is a time in seconds since 1970 (or the number of seconds until then), Retry-After a
    number of seconds or a date (RFC 9110 section 10.2.3). If neither is given, the wait doubles with each
    `wait_number` (1, 2, …). `now` is in seconds since 1970.
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
        seconds = float(after) if _NUMBER.fullmatch(after) else _seconds_until(after, now) or 2.0**wait_number
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


def _seconds_until(http_date: str, now: float) -> float | None:
    """Returns the seconds from `now` to an HTTP date; None if it is not a date or has passed."""
    try:
        moment = parsedate_to_datetime(http_date)
        seconds = with_zone(moment, UTC).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def _parse_errors(body: bytes, api_key: str, addresses: Sequence[str]) -> tuple[_ErrorEntry, ...]:
    """Returns the errors in an answer; none if the answer does not have the documented format."""
    try:
        entries = json.loads(body)["errors"]
        return tuple(
            _error_entry(
                one_line(str(entry.get("message") or "").replace(api_key, "[key]")),
                one_line(str(entry.get("field") or "").replace(api_key, "[key]"), 200),
                addresses,
            )
            for entry in entries[:1000]
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _error_entry(message: str, field: str, addresses: Sequence[str]) -> _ErrorEntry:
    match = _CULPRIT.fullmatch(field)
    if match is None or int(match[1]) >= len(addresses):
        return _ErrorEntry(message, field)
    recipient_index = int(match[1])
    return _ErrorEntry(message, match[2] or "", recipient_index, one_line(addresses[recipient_index]))

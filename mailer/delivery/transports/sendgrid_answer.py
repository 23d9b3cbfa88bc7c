"""What SendGrid's answers mean for those in a request.

The statuses and the form of an error are told in
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from mailer.delivery.refusal import Cause
from mailer.delivery.transports.base import Outcome, Result, one_line
from mailer.delivery.transports.sendgrid_client import Answer
from mailer.errors import TransportError

__all__ = ["Refusal", "seconds_to_wait", "verdict_of"]

_LONGEST_WAIT_SECONDS: Final = 60.0
_NUMBER = re.compile(r"[0-9]{1,12}")
_CULPRIT = re.compile(r"personalizations\.([0-9]{1,4})(?:$|(\.to\.[0-9]+\.email$)|\.)")
_ADVICE: Final = {
    401: "check SENDGRID_API_KEY",
    403: "the key needs the Mail Send permission, and the sender has to be verified at SendGrid",
    404: "check MAILER_SENDGRID_URL",
    405: "check MAILER_SENDGRID_URL",
}


@dataclass(frozen=True, slots=True)
class _Error:
    """One entry of an answer's `errors`."""

    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.message} ({self.field})" if self.field else self.message


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not carried out, and never will be as it is."""

    status: int
    words: str
    errors: tuple[_Error, ...] = ()

    @property
    def too_large(self) -> bool:
        """Whether fewer recipients may do."""
        return self.status == 413

    def culprits(self, count: int) -> dict[int, tuple[str, Cause]]:
        """Whom of `count` recipients they name, why, and whether the address is what they mind."""
        named: dict[int, tuple[str, Cause]] = {}
        for error in self.errors:
            match = _CULPRIT.match(error.field)
            if match and int(match[1]) < count:
                cause = Cause.ADDRESS if self.status == 400 and match[2] else Cause.US
                named.setdefault(int(match[1]), (one_line(f"{self.status} {error}"), cause))
        return named


def verdict_of(answer: Answer, secret: str) -> Outcome | Refusal:
    """The outcome of everybody in the request, or why it was refused.

    Raises TransportError where no request can succeed. `secret` is kept out of all words.
    """
    status = answer.status_code
    errors = _errors(answer.body, secret)
    said = "; ".join(map(str, errors)) or answer.body[:2000].decode("utf-8", "replace")
    words = one_line(f"{status} {said}".replace(secret, "[key]"))
    if status == 202:
        return Outcome(Result.ACCEPTED, provider_id=one_line(answer.headers.get("X-Message-Id", ""), 200))
    if status in (400, 413):
        return Refusal(status, words, errors)
    if status in (408, 429):
        return Outcome(Result.DEFERRED, reason=words, cause=Cause.THEM)
    if 200 <= status <= 299 or status >= 500:
        return Outcome(Result.UNCERTAIN, reason=words)
    advice = _ADVICE.get(status, "check MAILER_SENDGRID_URL")
    raise TransportError(f"SendGrid took nothing: {words}; {advice}")


def seconds_to_wait(answer: Answer, times: int, now: float) -> float:
    """How many seconds a 429 asks us to wait, at least one and at most a minute."""
    seconds = 2.0**times
    reset = answer.headers.get("X-RateLimit-Reset", "")
    after = answer.headers.get("Retry-After", "")
    if _NUMBER.fullmatch(reset):
        seconds = int(reset) - now + 0.5  # it counts in whole seconds
    elif _NUMBER.fullmatch(after):
        seconds = float(after)
    return min(max(seconds, 1.0), _LONGEST_WAIT_SECONDS)


def _errors(body: bytes, secret: str) -> tuple[_Error, ...]:
    """The errors in an answer; none where it is not what the API's pages promise."""
    try:
        entries = json.loads(body)["errors"]
        return tuple(
            _Error(
                one_line(str(entry.get("message") or "").replace(secret, "[key]")),
                one_line(str(entry.get("field") or "").replace(secret, "[key]"), 200),
            )
            for entry in entries[:1000]
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()

"""Defines the values that are passed to the spool and returned by it. A `person` is a subscriber id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mailer.campaign.delivery_state import State
from mailer.transports.base import Outcome

__all__ = [
    "ClaimedDelivery",
    "PlannedDelivery",
    "ClaimKey",
    "ListedDelivery",
    "FindExcluded",
    "ParkedClaim",
    "ReasonGroup",
    "Redaction",
    "RefusedClaim",
    "SettledClaim",
    "ReplyText",
]

#: Names a claim: (person, attempt).
ClaimKey = tuple[int, int]
#: Gets people (subscriber ids) and returns the reasons not to write to some; the others may be written to.
FindExcluded = Callable[[Sequence[int]], Mapping[int, str]]


class PlannedDelivery(NamedTuple):
    """Describes a planned delivery: the recipient's subscriber id, and the `variant` of the issue to send.

    `due` is the time (UTC) from which it may be claimed; None means at once. A `held` delivery cannot be
    claimed until it is released. A delivery with a `reason` is stored as skipped.
    """

    person: int
    variant: int
    due: str | None = None
    held: bool = False
    reason: str = ""


class ClaimedDelivery(NamedTuple):
    """Describes a delivery that a run has claimed, to hand it over now.

    `deferred_since` is the time (UTC) of the first deferral; empty if it was never deferred.
    """

    person: int
    variant: int
    attempt: int
    deferred_since: str = ""


class SettledClaim(NamedTuple):
    """Pairs a claim (`person`, `attempt`) with its outcome.

    `due` is the time (UTC) of the next attempt if the message was deferred, else empty.
    """

    person: int
    attempt: int
    outcome: Outcome
    due: str = ""


class RefusedClaim(NamedTuple):
    """Describes a claim that was settled as refused: its outcome has a cause. Times are UTC."""

    person: int
    attempt: int
    outcome: Outcome
    claimed_at: str
    settled_at: str


class ParkedClaim(NamedTuple):
    """Describes a claim that is given back and may be claimed again from the time `until` (seconds since
    1970)."""

    person: int
    attempt: int
    until: float


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """Describes one delivery for an operator to read. Times are UTC, or None.

    `reason` is the server's reply. `cause` is what a refusal is about (`address`, `mailbox`, `us`, `them`).
    `at` is the time of the outcome; without an outcome, of the claim. `due_at` is the time from which the
    delivery may be claimed. `held` is True if the delivery cannot be claimed until it is released, and
    `in_folder` if the message was only written to an outbox folder.
    """

    person: int
    state: State
    cause: str
    reason: str
    attempts: int
    at: str | None
    due_at: str | None
    held: bool
    provider_id: str
    in_folder: bool


class ReplyText(NamedTuple):
    """Describes a server reply that `number` deliveries got.

    If `varies` is True, the replies were the same apart from the e-mail addresses, and `text` is one of them.
    """

    text: str
    number: int
    varies: bool = False


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Describes the deliveries that have the same `state` and `cause`: their number, and in `words` the most
    frequent replies to them.

    `cause` is a Cause as text; empty if nobody refused the message (a lost connection, an unsubscribe).
    """

    state: str
    cause: str
    number: int
    words: tuple[ReplyText, ...]


class Redaction(Protocol):
    """Removes text that may not be kept, such as text about erased people."""

    def redact_outcomes(self, settled: Sequence[SettledClaim]) -> Sequence[SettledClaim]:
        """Returns the same outcomes, without text that may not be kept."""
        ...

    def redact_text(self, text: str) -> str:
        """Returns the text without the parts that may not be kept."""
        ...

"""Defines the values that go into the spool and come out of it. People are subscriber ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mailer.campaign.delivery_state import State
from mailer.transports.base import Outcome

__all__ = [
    "Claim",
    "Frozen",
    "Key",
    "Listed",
    "MayWrite",
    "Parked",
    "Reason",
    "Redaction",
    "Refused",
    "Settled",
    "Words",
]

#: Names a claim: (person, attempt).
Key = tuple[int, int]
#: Is given people (subscriber ids) and returns why not to write to some; the others may be written to.
MayWrite = Callable[[Sequence[int]], Mapping[int, str]]


class Frozen(NamedTuple):
    """Describes a planned delivery of the rendition `variant` to `person` (a subscriber id).

    `due` is the time (UTC) from which it may be claimed, None for at once. `held` says that only a decision
    makes it claimable. With a `reason` it is stored as skipped.
    """

    person: int
    variant: int
    due: str | None = None
    held: bool = False
    reason: str = ""


class Claim(NamedTuple):
    """Describes a delivery that this owner has claimed, to hand it over now. `deferred_since` is UTC, or
    empty."""

    person: int
    variant: int
    attempt: int
    deferred_since: str = ""


class Settled(NamedTuple):
    """Pairs a claim with its outcome. `due` is the time (UTC) of the next try if it was deferred, else
    empty."""

    person: int
    attempt: int
    outcome: Outcome
    due: str = ""


class Refused(NamedTuple):
    """Describes a claim that was settled with a cause (a refusal). Times are UTC."""

    person: int
    attempt: int
    outcome: Outcome
    claimed_at: str
    settled_at: str


class Parked(NamedTuple):
    """Describes a claim to release until the time `turn` (seconds since 1970)."""

    person: int
    attempt: int
    turn: float


@dataclass(frozen=True, slots=True)
class Listed:
    """Describes one delivery for an operator to read. Times are UTC, or None.

    `reason` is the server's reply, `cause` says whom a refusal concerns, `due_at` is the time of the next
    try, `held` says that it waits for a decision, and `in_folder` that it only went into an outbox folder.
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


class Words(NamedTuple):
    """Describes a server reply that `number` deliveries got. If `varies`, replies differ in an address, and
    `text` is one of them."""

    text: str
    number: int
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Groups deliveries in one state with one cause: their number, and the most frequent replies.

    `cause` is a Cause as text, or empty where it was no refusal (a lost connection, an unsubscribe).
    """

    state: str
    cause: str
    number: int
    words: tuple[Words, ...]


class Redaction(Protocol):
    """Removes text that may not be kept, such as text about erased people."""

    def outcomes(self, settled: Sequence[Settled]) -> Sequence[Settled]:
        """Returns the outcomes with only the text that may be kept."""
        ...

    def text(self, words: str) -> str:
        """Returns the part of a text that may be kept."""
        ...

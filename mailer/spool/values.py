"""The values that go into the spool and come out of it. People are numbers (subscriber ids)."""

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
    """A delivery as it is planned: to `person` (a subscriber id), who reads the rendition `variant`.

    `due` is the time (UTC) from which it may be claimed, None for at once. `held`: only a decision makes it
    claimable. With a `reason` it is skipped from the beginning.
    """

    person: int
    variant: int
    due: str | None = None
    held: bool = False
    reason: str = ""


class Claim(NamedTuple):
    """A delivery that is this owner's to hand over now. `deferred_since` is UTC, or empty."""

    person: int
    variant: int
    attempt: int
    deferred_since: str = ""


class Settled(NamedTuple):
    """The outcome of a claim. `due` is the time (UTC) of the next try of what was deferred, else empty."""

    person: int
    attempt: int
    outcome: Outcome
    due: str = ""


class Refused(NamedTuple):
    """A claim that was settled with a cause. Times are UTC."""

    person: int
    attempt: int
    outcome: Outcome
    claimed_at: str
    settled_at: str


class Parked(NamedTuple):
    """A claim that is given back until `turn` (seconds since 1970)."""

    person: int
    attempt: int
    turn: float


@dataclass(frozen=True, slots=True)
class Listed:
    """One delivery for an operator to read. Times are UTC, or None.

    `reason` holds the words of the other side, `cause` whose matter a refusal is, `due_at` the time of the
    next try, `held` that only a decision frees it, and `in_folder` that it only went into an outbox folder.
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
    """An answer that `number` deliveries got. Where they differ in an address, `text` is one of them."""

    text: str
    number: int
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries in one state for one cause: how many, and the commonest answers.

    `cause` is a Cause as text, or empty where nobody refused anything (a lost connection, an unsubscribe).
    """

    state: str
    cause: str
    number: int
    words: tuple[Words, ...]


class Redaction(Protocol):
    """Takes what may not be kept out of words, as of people who were erased."""

    def outcomes(self, settled: Sequence[Settled]) -> Sequence[Settled]:
        """Returns the outcomes with the words that may be kept."""
        ...

    def text(self, words: str) -> str:
        """Returns the words that may be kept of a sentence."""
        ...

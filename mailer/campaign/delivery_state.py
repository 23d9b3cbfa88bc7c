"""Defines the states of a delivery and every transition between them. Pure, like `status`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CHANGES", "LEFT", "OPEN", "STATES", "TO_SEND", "Change", "State"]


class State(StrEnum):
    """Lists the states of a delivery. The database, the manifest and `--json` use the same values."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Change:
    """Says that an operation of the spool moves a delivery from one of `sources` to one of `targets`."""

    operation: str
    sources: tuple[State, ...]
    targets: tuple[State, ...]


_S = State
CHANGES: tuple[Change, ...] = (
    Change("claim", (_S.PENDING, _S.DEFERRED), (_S.SENDING, _S.SKIPPED)),
    Change("settle", (_S.SENDING,), (_S.ACCEPTED, _S.REJECTED, _S.DEFERRED, _S.UNCERTAIN, _S.SKIPPED)),
    Change("release", (_S.SENDING,), (_S.PENDING,)),
    Change("park", (_S.SENDING,), (_S.PENDING,)),
    Change("expire", (_S.DEFERRED,), (_S.REJECTED,)),
    Change("resolve", (_S.UNCERTAIN,), (_S.PENDING, _S.ACCEPTED)),
    Change("retry", (_S.REJECTED, _S.DEFERRED), (_S.PENDING,)),
    Change("reopen copies", (_S.ACCEPTED, _S.UNCERTAIN, _S.SKIPPED), (_S.PENDING,)),
    Change("doubt the rest", (_S.PENDING, _S.SENDING, _S.DEFERRED, _S.REJECTED), (_S.UNCERTAIN,)),
    Change(
        "adopt",
        tuple(state for state in _S if state is not _S.ACCEPTED),
        (_S.ACCEPTED, _S.REJECTED, _S.DEFERRED, _S.UNCERTAIN, _S.SKIPPED),
    ),
)

#: Every state, in the order in which they are shown.
STATES = tuple(state.value for state in State)
#: A run has something to do with these.
TO_SEND = (State.PENDING, State.SENDING, State.DEFERRED)
#: Nothing final is known of these.
OPEN = (*TO_SEND, State.UNCERTAIN)
#: The person has the message, may have it, or is being handed it.
LEFT = (State.ACCEPTED, State.UNCERTAIN, State.SENDING)

"""Defines the states of a delivery and every transition between them, without SQL or I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CHANGES", "STATES", "TO_SEND", "StateChange", "State"]


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
class StateChange:
    """Describes an operation of the spool that moves a delivery from one of `sources` to one of `targets`."""

    operation: str
    sources: tuple[State, ...]
    targets: tuple[State, ...]


_S = State
CHANGES: tuple[StateChange, ...] = (
    StateChange("claim", (_S.PENDING, _S.DEFERRED), (_S.SENDING, _S.SKIPPED)),
    StateChange("settle", (_S.SENDING,), (_S.ACCEPTED, _S.REJECTED, _S.DEFERRED, _S.UNCERTAIN, _S.SKIPPED)),
    StateChange("release", (_S.SENDING,), (_S.PENDING,)),
    StateChange("park", (_S.SENDING,), (_S.PENDING,)),
    StateChange("reject expired deliveries", (_S.DEFERRED,), (_S.REJECTED,)),
    StateChange("resolve uncertain deliveries", (_S.UNCERTAIN,), (_S.PENDING, _S.ACCEPTED)),
    StateChange("retry refused deliveries", (_S.REJECTED, _S.DEFERRED), (_S.PENDING,)),
    StateChange("reopen folder copies", (_S.ACCEPTED, _S.UNCERTAIN, _S.SKIPPED), (_S.PENDING,)),
    StateChange(
        "make unaccepted deliveries uncertain",
        (_S.PENDING, _S.SENDING, _S.DEFERRED, _S.REJECTED),
        (_S.UNCERTAIN,),
    ),
    StateChange(
        "adopt lost outcomes",
        tuple(state for state in _S if state is not _S.ACCEPTED),
        (_S.ACCEPTED, _S.REJECTED, _S.DEFERRED, _S.UNCERTAIN, _S.SKIPPED),
    ),
)

#: Every state, in the order in which they are shown.
STATES = tuple(state.value for state in State)
#: A run still has to send or settle deliveries in these states.
TO_SEND = (State.PENDING, State.SENDING, State.DEFERRED)

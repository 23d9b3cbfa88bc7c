"""Defines the statuses of a campaign and every transition between them.

1. Every line about transitions of a campaign stands here. All other code names an event and asks this table.
2. This module knows no database and no clock. It says what may follow; the spool makes it so.

The drawing in docs/delivery.md is made of `TRANSITIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailer.errors import CampaignError

__all__ = [
    "ENDED",
    "FINAL",
    "TRANSITIONS",
    "Actor",
    "Event",
    "Status",
    "Transition",
    "check_open",
    "sources_of",
    "target_of",
]


class Status(StrEnum):
    """Lists the statuses of a campaign. The database, the manifest and `--json` use the same values."""

    READY = "ready"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    HELD = "held"
    MISSED = "missed"
    PAUSED = "paused"
    STOPPED = "stopped"
    SENT = "sent"
    CANCELLED = "cancelled"


class Actor(StrEnum):
    """Lists the actors that may cause an event."""

    OPERATOR = "operator"
    RUN = "run"
    SCHEDULER = "scheduler"


class Event(StrEnum):
    """Lists the events that change the status of a campaign."""

    SCHEDULE = "schedule"
    BEGIN = "begin"
    COMPLETE = "complete"
    END_EMPTY = "end empty"
    STOP = "stop"
    WAIT = "wait"
    HOLD = "hold"
    GO_ON = "go on"
    BRAKE = "brake"
    BRAKE_CANARY = "brake canary"
    MISS = "miss"
    PAUSE = "pause"
    RESUME = "resume"
    RESUME_SCHEDULE = "resume schedule"
    RELEASE = "release"
    RELEASE_HELD = "release held"
    CANCEL = "cancel"
    CANCEL_REST = "cancel rest"


@dataclass(frozen=True, slots=True)
class Transition:
    """Says that an event moves a campaign from any of `sources` to `target`, and which `actors` may cause
    it."""

    event: Event
    sources: tuple[Status, ...]
    target: Status
    actors: tuple[Actor, ...]
    meaning: str


_OPERATOR, _RUN, _SCHEDULER = Actor.OPERATOR, Actor.RUN, Actor.SCHEDULER
_S = Status
_MAY_END = (_S.READY, _S.SCHEDULED, _S.SENDING, _S.MISSED, _S.STOPPED, _S.PAUSED)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Event.SCHEDULE, (_S.READY,), _S.SCHEDULED, (_OPERATOR,), "a new campaign waits for its time"),
    Transition(
        Event.BEGIN,
        (_S.READY, _S.SCHEDULED, _S.SENDING, _S.MISSED, _S.STOPPED, _S.SENT),
        _S.SENDING,
        (_OPERATOR, _SCHEDULER),
        "a run begins",
    ),
    Transition(Event.COMPLETE, _MAY_END, _S.SENT, (_RUN, _OPERATOR), "nobody is left to try"),
    Transition(
        Event.END_EMPTY,
        _MAY_END,
        _S.STOPPED,
        (_RUN, _OPERATOR),
        "nobody is left to try, and nobody is known to have it",
    ),
    Transition(Event.STOP, (_S.SENDING,), _S.STOPPED, (_RUN,), "a run ends early, or leaves deferred mail"),
    Transition(
        Event.WAIT, (_S.SENDING,), _S.SCHEDULED, (_RUN, _SCHEDULER), "a run ends, and others are due later"
    ),
    Transition(Event.HOLD, (_S.SENDING,), _S.HELD, (_RUN,), "the canary has the issue, and the rest wait"),
    Transition(
        Event.GO_ON,
        (_S.HELD,),
        _S.STOPPED,
        (_RUN, _SCHEDULER),
        "the canary went well, so the rest are released",
    ),
    Transition(
        Event.BRAKE, (_S.READY, _S.SENDING), _S.PAUSED, (_RUN,), "too many messages of a run are refused"
    ),
    Transition(
        Event.BRAKE_CANARY,
        (_S.SENDING, _S.HELD),
        _S.PAUSED,
        (_RUN, _SCHEDULER),
        "the canary went badly",
    ),
    Transition(
        Event.MISS, (_S.SCHEDULED, _S.SENDING), _S.MISSED, (_RUN, _SCHEDULER), "the time is over by an hour"
    ),
    Transition(
        Event.PAUSE,
        (_S.READY, _S.SCHEDULED, _S.SENDING, _S.HELD, _S.STOPPED),
        _S.PAUSED,
        (_OPERATOR,),
        "the operator pauses it",
    ),
    Transition(Event.RESUME, (_S.PAUSED,), _S.STOPPED, (_OPERATOR,), "the operator resumes it"),
    Transition(
        Event.RESUME_SCHEDULE,
        (_S.PAUSED,),
        _S.SCHEDULED,
        (_OPERATOR,),
        "the operator resumes it before its time",
    ),
    Transition(
        Event.RELEASE,
        (_S.HELD, _S.STOPPED),
        _S.STOPPED,
        (_OPERATOR,),
        "the operator releases the rest after a canary",
    ),
    Transition(
        Event.RELEASE_HELD,
        (_S.HELD,),
        _S.STOPPED,
        (_OPERATOR,),
        "the operator releases the rest while a process waits with it",
    ),
    Transition(
        Event.CANCEL,
        (_S.READY, _S.SCHEDULED, _S.SENDING, _S.HELD, _S.MISSED, _S.STOPPED, _S.PAUSED),
        _S.CANCELLED,
        (_OPERATOR,),
        "the operator ends it for good",
    ),
    Transition(
        Event.CANCEL_REST,
        (_S.SENT,),
        _S.CANCELLED,
        (_OPERATOR,),
        "the operator gives up those who were refused, or copies in a folder",
    ),
)

_BY_EVENT = {transition.event: transition for transition in TRANSITIONS}

#: Nobody is claimed in these, however late a run learns of them.
ENDED = (Status.PAUSED, Status.CANCELLED)
#: A campaign in one of these has a time at which it ended.
FINAL = (Status.SENT, Status.CANCELLED)


def sources_of(event: Event) -> tuple[Status, ...]:
    """Returns the statuses in which the event may happen."""
    return _BY_EVENT[event].sources


def target_of(event: Event) -> Status:
    """Returns the status that the event leads to."""
    return _BY_EVENT[event].target


def check_open(slug: str, status: Status) -> None:
    """Raises CampaignError where the campaign was cancelled or is paused; the message says what to do."""
    if status is Status.CANCELLED:
        raise CampaignError(f"campaign {slug} was cancelled; what it has not sent stays unsent")
    if status is Status.PAUSED:
        raise CampaignError(f"campaign {slug} is paused; `mailer campaigns resume {slug}` goes on with it")

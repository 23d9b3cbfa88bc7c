"""Defines the statuses of a campaign and every transition between them.

Every rule about transitions is in this module; all other code names an event and reads this table. The module
uses no database and no clock: it says which transitions are allowed, and the spool applies them.

`tools/transitions.py` draws `TRANSITIONS` in docs/delivery.md.
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
    "check_may_be_sent",
    "source_statuses",
    "target_status",
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
    """Lists who may cause an event: the operator, a run, or the scheduler."""

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
    CANARY_PASSED = "canary passed"
    TRIP_BREAKER = "trip breaker"
    CANARY_FAILED = "canary failed"
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
    """Describes an event that moves a campaign from any of the statuses `sources` to the status `target`.

    Any of `actors` may cause the event. `meaning` describes the event in the documentation.
    """

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
        Event.CANARY_PASSED,
        (_S.HELD,),
        _S.STOPPED,
        (_RUN, _SCHEDULER),
        "the canary went well, so the rest are released",
    ),
    Transition(
        Event.TRIP_BREAKER,
        (_S.READY, _S.SENDING),
        _S.PAUSED,
        (_RUN,),
        "too many messages of a run are refused",
    ),
    Transition(
        Event.CANARY_FAILED,
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

#: In these statuses no delivery is claimed, even if a run notices the change late.
ENDED = (Status.PAUSED, Status.CANCELLED)
#: A campaign with one of these statuses has a `finished_at`.
FINAL = (Status.SENT, Status.CANCELLED)


def source_statuses(event: Event) -> tuple[Status, ...]:
    """Returns the statuses in which the event is allowed."""
    return _BY_EVENT[event].sources


def target_status(event: Event) -> Status:
    """Returns the status that a campaign has after the event."""
    return _BY_EVENT[event].target


def check_may_be_sent(slug: str, status: Status) -> None:
    """Raises CampaignError if the campaign was cancelled or is paused; the message says what to do."""
    if status is Status.CANCELLED:
        raise CampaignError(
            f"campaign {slug} was cancelled, so its unsent messages will never be sent; "
            "`mailer send` with the issue's file begins a new campaign"
        )
    if status is Status.PAUSED:
        raise CampaignError(f"campaign {slug} is paused; `mailer campaigns resume {slug}` continues it")

"""Defines the interface between the delivery loop and a transport, which sends messages.

A transport returns channels, one for each worker thread. A channel sends a batch of messages and returns the
outcome of each message, in the same order. docs/transports.md describes how to add a transport.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from mailer.config import Mailbox
from mailer.config.urls import is_loopback
from mailer.errors import TransportError
from mailer.render.rendition import Rendition
from mailer.transports.driver import UnwritableAddresses
from mailer.transports.refusal.refusal import Cause

__all__ = [
    "ServerUnavailable",
    "Channel",
    "ENDED",
    "LookaheadChannel",
    "TemporaryRefusal",
    "GatedChannel",
    "Outcome",
    "OutgoingMessage",
    "PASSED",
    "GateAnswer",
    "Sleep",
    "OutcomeKind",
    "CampaignEnvelope",
    "SplittingChannel",
    "Transport",
    "UnwritableAddresses",
    "is_loopback",
    "one_line",
]

#: Waits for so many seconds. A true answer means that the wait was cut short because the run is ending,
#: which is what `threading.Event.wait` does.
Sleep = Callable[[float], object]

# Control characters, line ends of every kind, and what turns the direction of the text around it.
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028-\u202e\u2066-\u2069]+")
# What stands between blanks, brackets, quotes and commas, and whether it is an address in some form.
_WORD = re.compile(r"(?:&#?\w+;|[^\s<>()\[\],;\"\\])*")
_LAST_WORD = re.compile(_WORD.pattern + "$")
_AT = re.compile(r"@|%40|=40|&#0*64;|&#x0*40;|&commat;", re.IGNORECASE)
_LONGEST_ADDRESS = 320


class ServerUnavailable(TransportError):
    """Signals that the server or provider cannot be used now, and that a later attempt may succeed."""


class TemporaryRefusal(ServerUnavailable):
    """Signals that the server answers, but temporarily accepts no connection or no mail."""


class OutcomeKind(StrEnum):
    """Lists the possible outcomes of sending a message. The values are the delivery states of the spool."""

    ACCEPTED = "accepted"  # the other side confirmed that it has the message
    DEFERRED = "deferred"  # it does not have the message; a later attempt may succeed
    REJECTED = "rejected"  # it does not have the message, and will not accept it
    UNCERTAIN = "uncertain"  # the message was sent, and the answer is missing
    SKIPPED = "skipped"  # the reader left before the hand-over: it is never handed over


@dataclass(frozen=True, slots=True)
class Outcome:
    """Holds the outcome of sending one message.

    `reason` is the text of the server's or provider's answer, on one line of at most 500 characters.
    `provider_id` is the id that the server or provider gave to the message, or ''. `cause` is what a refusal
    is about: the address, the mailbox, the sender or the server. If nothing was refused or a transport cannot
    tell the cause, `cause` is None, and the outcome does not count against the reader.
    """

    result: OutcomeKind
    provider_id: str = ""
    reason: str = ""
    cause: Cause | None = None


#: The outcome of a message that was not handed over because the run has ended: it is released, not settled.
ENDED: Final = Outcome(OutcomeKind.DEFERRED, reason="the run ended before the message was handed over")


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """Holds the answer of the check (the gate) that is made right before messages are handed over.

    If `is_open` is False, the run has ended and no message may be handed over any more. `leavers` maps the
    subscriber ids of readers who have left to the reason (the text of an Exclusion); messages to these
    readers must not be handed over.
    """

    is_open: bool = True
    leavers: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_granted(self) -> bool:
        """Returns whether all messages that the gate was asked about may be handed over."""
        return self.is_open and not self.leavers


PASSED: Final = GateAnswer()


class CampaignEnvelope(Protocol):
    """Defines what a transport reads of a campaign: the header fields that all messages share."""

    @property
    def sender(self) -> Mailbox:
        """Returns the mailbox of the From field."""
        ...

    @property
    def reply_to(self) -> Mailbox | None:
        """Returns the mailbox of the Reply-To field, or None if there is no such field."""
        ...

    @property
    def shared_headers(self) -> Sequence[tuple[str, str]]:
        """Returns the other shared header fields (List-Id, …) as pairs of name and text, not yet encoded."""
        ...


class OutgoingMessage(Protocol):
    """Defines the message to one recipient, as a transport reads it."""

    @property
    def subscriber_id(self) -> int:
        """Returns the recipient's id in subscribers.db."""
        ...

    @property
    def address(self) -> str:
        """Returns the recipient's e-mail address.

        Its domain is ASCII; its local part may be Unicode (RFC 6531).
        """
        ...

    @property
    def name(self) -> str:
        """Returns the recipient's display name on one line, or '' if the recipient has none."""
        ...

    @property
    def return_path(self) -> str:
        """Returns the address that bounces are sent to. SMTP names it in MAIL FROM."""
        ...

    @property
    def message_id(self) -> str:
        """Returns the Message-ID (`<…@…>`). It is the same whenever this campaign is sent to this person."""
        ...

    @property
    def reference(self) -> str:
        """Returns an opaque id that a provider repeats in its events. It contains no personal data."""
        ...

    @property
    def rendition(self) -> Rendition:
        """Returns the rendition with unfilled slots. Messages of the same rendition share one object."""
        ...

    @property
    def values(self) -> Mapping[str, str]:
        """Returns the values of the slots: a map from paths such as `subscriber.name` to plain text."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Returns the header fields of this message alone (List-Unsubscribe), but not To and Message-ID."""
        ...

    @property
    def envelope(self) -> CampaignEnvelope:
        """Returns the header fields of the campaign. The messages of a campaign share one object."""
        ...

    @property
    def needs_dot_stuffing(self) -> bool:
        """Returns whether a line of `raw()` may begin with a full stop, which SMTP must then double."""
        ...

    def raw(self) -> bytes:
        """Returns the complete message (RFC 5322). All its line ends are CRLF."""
        ...


class Channel(Protocol):
    """Defines one worker's connection to a server or provider. It is opened when `send` is first called."""

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        """Sends the messages; returns one outcome for each, in the same order.

        Raises TransportError if nothing was handed over and the run must end, because all further messages
        would fail too. The failure of a single message never raises: it is an outcome.
        """
        ...

    def close(self) -> None:
        """Closes the connection. A second call does nothing."""
        ...


@runtime_checkable
class LookaheadChannel(Channel, Protocol):
    """Defines a channel that can be told which message follows the next batch.

    An SMTP channel sends the commands of that message together with the end of the message before it, which
    saves a round trip.
    """

    def set_next_message(self, message: OutgoingMessage) -> None:
        """Sets the message that will follow the next batch. It is called before `send`.

        The channel may send the commands of `message` (MAIL, RCPT, DATA) at the end of that batch.
        """
        ...


@runtime_checkable
class GatedChannel(Channel, Protocol):
    """Defines a channel that calls `gate` right before it writes a final dot or the last byte of a request.

    `gate` takes the messages that are about to be handed over together. If the gate refuses a message, the
    channel must not hand it over: the channel drops the connection or aborts the request, and returns the
    outcome SKIPPED for readers who have left.
    """

    gate: Callable[[Sequence[OutgoingMessage]], GateAnswer]


@runtime_checkable
class SplittingChannel(GatedChannel, Protocol):
    """Defines a gated channel that may split a batch into several requests, and reports the outcome of each.

    The channel calls `look` before it builds a request, so that it uploads nothing for readers who have left
    or for a run that has ended; a call of `look` changes nothing. The channel calls `gate` once for each
    request, before the request's last byte: if the answer is granted, the messages count as handed over. The
    channel calls `report` with the messages of a request and their outcome as soon as the outcome is known,
    or with None if the messages were not handed over and will be sent again. The channel returns ENDED for
    messages that it did not hand over because the run has ended.
    """

    look: Callable[[Sequence[OutgoingMessage]], GateAnswer]
    report: Callable[[Sequence[OutgoingMessage], Outcome | None], None]


class Transport(Protocol):
    """Defines a transport, which opens channels for sending (see `registry.open_transport`)."""

    @property
    def batch_size(self) -> int:
        """Returns the largest number of messages that a channel accepts in one call of `send`.

        If the answer to a batch is lost, all its messages become uncertain.
        """
        ...

    @property
    def concurrency(self) -> int:
        """Returns how many channels may be used at the same time."""
        ...

    def channel(self) -> Channel:
        """Returns a new channel for one thread. The channel connects when it is first used."""
        ...


def one_line(answer: str | bytes, limit: int = 500) -> str:
    """Returns the text of an answer as one printable line of at most `limit` characters."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # nearly all answers need no more
    text = _UNSEEN.sub(" ", text[: limit * 8].encode("utf-8", "replace").decode("utf-8")).strip()
    return text if len(text) <= limit else _cut_without_partial_address(text, limit - 1) + "…"


def _cut_without_partial_address(text: str, length: int) -> str:
    """Returns the first `length` characters of a text, without an e-mail address that the cut would divide.

    Erasing a reader could not find a part of an address later.
    """
    last = _LAST_WORD.search(text[:length])
    start = last.start() if last else length
    whole = _WORD.match(text, start, start + _LONGEST_ADDRESS)
    return text[:start] if whole and _AT.search(whole[0]) else text[:length]

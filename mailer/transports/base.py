"""Defines the interface between the delivery loop and a transport, which takes messages from us.

A transport gives out channels, one for each worker thread. A channel takes a batch of messages and returns
the outcome of each, in the same order. Transports know nothing of what the loop does with an outcome, of
plans or of the pace. docs/transports.md describes how to add one.
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
from mailer.transports.driver import Unwritable
from mailer.transports.refusal.refusal import Cause

__all__ = [
    "Unavailable",
    "Channel",
    "ENDED",
    "AnnouncingChannel",
    "RefusedForNow",
    "GatedChannel",
    "Outcome",
    "Outgoing",
    "PASSED",
    "GateAnswer",
    "Sleep",
    "Result",
    "CampaignFields",
    "SplittingChannel",
    "Transport",
    "Unwritable",
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


class Unavailable(TransportError):
    """Signals that the other side cannot be used now, and that a later attempt may succeed."""


class RefusedForNow(Unavailable):
    """Signals that the server answers, but accepts no connection or no mail at this time."""


class Result(StrEnum):
    """Lists the kinds of outcome of a message. The values are the delivery states of the spool."""

    ACCEPTED = "accepted"  # the other side confirmed that it has the message
    DEFERRED = "deferred"  # it does not have the message; a later attempt may succeed
    REJECTED = "rejected"  # it does not have the message, and will not accept it
    UNCERTAIN = "uncertain"  # the message was sent, and the answer is missing
    SKIPPED = "skipped"  # the reader left before the hand-over: it is never handed over


@dataclass(frozen=True, slots=True)
class Outcome:
    """Holds the outcome of one message.

    `reason` is the other side's answer, one line of at most 500 characters. `provider_id` is the id that the
    other side gave the message, if it named one. `cause` says who or what a refusal is about; a transport
    that cannot tell leaves it out, and then the reader is not blamed.
    """

    result: Result
    provider_id: str = ""
    reason: str = ""
    cause: Cause | None = None


#: The outcome of a message that was not handed over because the run has ended: it is released, not settled.
ENDED: Final = Outcome(Result.DEFERRED, reason="the run ended before it was handed over")


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """Holds the answer of the gate that is asked before a final dot or before the last byte of a request.

    `open` is False where the run has ended: nothing may be handed over any more. `leavers` maps the ids of
    subscribers who have left to the reason (an Exclusion as text): nothing may be handed over to these.
    """

    open: bool = True
    leavers: Mapping[int, str] = field(default_factory=dict)

    @property
    def granted(self) -> bool:
        """Returns whether all messages that were asked for may be handed over."""
        return self.open and not self.leavers


PASSED: Final = GateAnswer()


class CampaignFields(Protocol):
    """Defines the header fields that all messages of a campaign share, as a transport reads them."""

    @property
    def sender(self) -> Mailbox:
        """Returns the mailbox of From."""
        ...

    @property
    def reply_to(self) -> Mailbox | None:
        """Returns the mailbox of Reply-To, where there is one."""
        ...

    @property
    def shared_headers(self) -> Sequence[tuple[str, str]]:
        """Returns the header fields that all messages share (List-Id, …), as text before any encoding."""
        ...


class Outgoing(Protocol):
    """Defines one message to one recipient, as a transport reads it."""

    @property
    def subscriber_id(self) -> int:
        """Returns the recipient's id in subscribers.db."""
        ...

    @property
    def address(self) -> str:
        """Returns the recipient's address; the domain is ASCII, the local part need not be (RFC 6531)."""
        ...

    @property
    def name(self) -> str:
        """Returns the recipient's display name, or nothing. One line."""
        ...

    @property
    def return_path(self) -> str:
        """Returns the address that bounces go to, which is that of SMTP's MAIL FROM."""
        ...

    @property
    def message_id(self) -> str:
        """Returns the Message-ID (`<…@…>`), which is the same for the same campaign and person."""
        ...

    @property
    def reference(self) -> str:
        """Returns an opaque id for a provider to give back, with no personal data in it."""
        ...

    @property
    def rendition(self) -> Rendition:
        """Returns the rendition, with its slots. Messages of the same rendition share one object."""
        ...

    @property
    def values(self) -> Mapping[str, str]:
        """Returns the values of the slots: paths such as `subscriber.name` to plain text."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Returns the header fields of this message alone (List-Unsubscribe), beside To and Message-ID."""
        ...

    @property
    def envelope(self) -> CampaignFields:
        """Returns the envelope. Messages of one campaign share one object."""
        ...

    @property
    def needs_dot_stuffing(self) -> bool:
        """Returns whether a line of `raw()` may begin with a full stop, so that SMTP has to look for it."""
        ...

    def raw(self) -> bytes:
        """Returns the complete message (RFC 5322) with CRLF line ends, none of them bare."""
        ...


class Channel(Protocol):
    """Defines one worker's connection to the other side, which is opened when it is first used."""

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Hands over the messages; returns one outcome for each, in the same order.

        Raises TransportError when nothing of the batch was handed over and other messages would fail in the
        same way, so that the run must end. A failure of a single message never raises: it is an outcome.
        """
        ...

    def close(self) -> None:
        """Closes the connection. It may be called twice."""
        ...


@runtime_checkable
class AnnouncingChannel(Channel, Protocol):
    """Defines a channel that can announce the next message together with the end of the one before."""

    def expect(self, message: Outgoing) -> None:
        """Sets, before `send`, the message that follows that batch, if there is one: it may be announced."""
        ...


@runtime_checkable
class GatedChannel(Channel, Protocol):
    """Defines a channel that asks its gate right before it writes a final dot or the last byte of a request.

    `gate` takes the messages that are about to be handed over together. A message that it refuses must not be
    handed over: the channel drops the connection or breaks the request off, and returns SKIPPED for readers
    who have left.
    """

    gate: Callable[[Sequence[Outgoing]], GateAnswer]


@runtime_checkable
class SplittingChannel(GatedChannel, Protocol):
    """Defines a gated channel that may hand a batch over in several requests, and reports each of them.

    `look` is asked before a request is built, so that none is uploaded for readers who have left or for a run
    that has ended; unlike the gate it commits to nothing. `gate` is asked once for each request, before its
    last byte: from then on its messages count as handed over. The channel calls `report` with the outcome of
    these messages as soon as it is known, or with None where they were not handed over and are sent again.
    The channel returns ENDED for messages that it did not hand over because the run has ended.
    """

    look: Callable[[Sequence[Outgoing]], GateAnswer]
    report: Callable[[Sequence[Outgoing], Outcome | None], None]


class Transport(Protocol):
    """Defines a transport, which takes messages from us. `registry.open_transport` makes one from a URL."""

    @property
    def batch(self) -> int:
        """Returns the most messages that a channel takes at once.

        One lost answer makes all of them uncertain.
        """
        ...

    @property
    def concurrency(self) -> int:
        """Returns how many channels may be in use at once."""
        ...

    def channel(self) -> Channel:
        """Returns a channel for one thread. It opens no connection until it is used."""
        ...


def one_line(words: str | bytes, limit: int = 500) -> str:
    """Returns an answer of the other side as one printable line of at most `limit` characters."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # nearly all answers need no more
    text = _UNSEEN.sub(" ", text[: limit * 8].encode("utf-8", "replace").decode("utf-8")).strip()
    return text if len(text) <= limit else _cut(text, limit - 1) + "…"


def _cut(text: str, length: int) -> str:
    """Returns the beginning of a text without a part of an address, which an erasure could not find later."""
    last = _LAST_WORD.search(text[:length])
    start = last.start() if last else length
    whole = _WORD.match(text, start, start + _LONGEST_ADDRESS)
    return text[:start] if whole and _AT.search(whole[0]) else text[:length]

"""The seam between the delivery loop and what takes messages from us.

A transport hands out channels, one for each worker thread. A channel takes a batch of messages and
gives back what became of each, in the same order. What the loop does with an outcome, what a plan is and how
fast it goes are not known here. How to add one is told in docs/transports.md.
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
    """The other side cannot be used now, but perhaps in a moment."""


class RefusedForNow(Unavailable):
    """The server answers, and takes no connection or no mail at this time."""


class Result(StrEnum):
    """The kinds of outcome that a message can have. The values are the delivery states of the spool."""

    ACCEPTED = "accepted"  # they have it, and said so
    DEFERRED = "deferred"  # they do not have it; another time may do
    REJECTED = "rejected"  # they do not have it, and will not take it
    UNCERTAIN = "uncertain"  # it was on the wire when the answer went missing
    SKIPPED = "skipped"  # they left before the hand-over: it was not handed over, and will not be


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one message. `reason` is the other side's words, one line of at most 500 characters.

    `provider_id` is what the other side calls the message, where it told us. `cause` is whose matter a
    refusal is; a transport that cannot tell leaves it out, and then the reader is not blamed.
    """

    result: Result
    provider_id: str = ""
    reason: str = ""
    cause: Cause | None = None


#: The outcome of a message that was not handed over because the run has ended: it is given back, not settled.
ENDED: Final = Outcome(Result.DEFERRED, reason="the run ended before it was handed over")


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """The answer of the gate that stands before a final dot or before the last byte of a request.

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
    """The fields that all messages of a campaign share."""

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
        """Header fields that are the same for everybody (List-Id, …), as text before any encoding."""
        ...


class Outgoing(Protocol):
    """One message to one recipient, as a transport sees it."""

    @property
    def subscriber_id(self) -> int:
        """Who in subscribers.db."""
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
        """`<…@…>`, the same for the same campaign and person."""
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
        """Header fields of this message alone (List-Unsubscribe), beside To and Message-ID."""
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
    """One worker's way to the other side. It connects when it is first used."""

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Hands over the messages; returns one outcome for each, in the same order.

        Raises TransportError when nothing of the batch was handed over and there is no use in trying
        with others: the program has to be told. The fate of a single message never raises.
        """
        ...

    def close(self) -> None:
        """Closes the connection. It may be called twice."""
        ...


@runtime_checkable
class AnnouncingChannel(Channel, Protocol):
    """A channel that can announce the next message together with the end of the one before."""

    def expect(self, message: Outgoing) -> None:
        """Names, before `send`, the message that follows that batch, if one does: it may be announced."""
        ...


@runtime_checkable
class GatedChannel(Channel, Protocol):
    """A channel that asks its gate right before a final dot or the last byte of a request is written.

    `gate` takes the messages that are about to be handed over together. What it refuses must not be handed
    over: the channel drops the connection or breaks the request off, and gives SKIPPED for who has left.
    """

    gate: Callable[[Sequence[Outgoing]], GateAnswer]


@runtime_checkable
class SplittingChannel(GatedChannel, Protocol):
    """A gated channel that may hand a batch over in several requests, and reports each of them.

    `look` is asked before a request is built, so that none is uploaded for readers who have left or for a run
    that has ended; unlike the gate it commits to nothing. `gate` is asked once for each request, before its
    last byte: from then on its messages count as handed over. `report` is told what became of these
    messages as soon as it is known, with None where they were not handed over and are to be sent again.
    The channel gives ENDED for what it did not hand over because the run has ended.
    """

    look: Callable[[Sequence[Outgoing]], GateAnswer]
    report: Callable[[Sequence[Outgoing], Outcome | None], None]


class Transport(Protocol):
    """A transport takes messages from us. `open_transport` makes one from a URL."""

    @property
    def batch(self) -> int:
        """Returns how many messages a channel takes at once: so many are uncertain by one lost answer."""
        ...

    @property
    def concurrency(self) -> int:
        """Returns how many channels may be in use at once."""
        ...

    def channel(self) -> Channel:
        """Returns a channel for one thread. It costs nothing until it is used."""
        ...


def one_line(words: str | bytes, limit: int = 500) -> str:
    """Returns what the other side said, fit for a table: one line, nothing unprintable, not too long."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # as nearly all are
    text = _UNSEEN.sub(" ", text[: limit * 8].encode("utf-8", "replace").decode("utf-8")).strip()
    return text if len(text) <= limit else _cut(text, limit - 1) + "…"


def _cut(text: str, length: int) -> str:
    """Returns the beginning of a text, without a part of an address: nobody could tell later whose it was."""
    last = _LAST_WORD.search(text[:length])
    start = last.start() if last else length
    whole = _WORD.match(text, start, start + _LONGEST_ADDRESS)
    return text[:start] if whole and _AT.search(whole[0]) else text[:length]

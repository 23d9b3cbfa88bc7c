"""Detects in a run that the server refuses us, and not single readers.

There are two signs. A refusal whose text is about the sender (`remedies`) will be repeated for every further
message. And where everybody is refused with the same text, addresses taken out, and nobody is accepted, the
server does not know us: OpenSMTPD says "550 Invalid recipient" to clients that are not logged in, Postfix
"454 Relay access denied". Such refusals count against no reader: until somebody is accepted, rejections are
held back by the delivery loop.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailer.transports.base import Outcome, Result
from mailer.transports.refusal import wording
from mailer.transports.refusal.answers import without_addresses
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.remedies import remedy_for
from mailer.transports.registry import driver_of

__all__ = [
    "AT_LEAST",
    "AT_LEAST_ALL",
    "RefusalWatch",
    "everybody_sentence",
    "is_about_login",
    "is_held",
    "may_concern_everybody",
    "stops",
]

#: The number of readers, refused with the same text while nobody is accepted, that counts as everybody.
AT_LEAST: Final = 20
#: The number that counts as everybody where these are all readers of the run.
AT_LEAST_ALL: Final = 5
#: From this attempt on a refusal concerns the reader alone, if others were accepted.
_OWN_MATTER: Final = 3

_NOT_REFUSED: Final = (Result.ACCEPTED, Result.SKIPPED)

_TOKEN = re.compile(r"[^\s()\[\]<>:;,\"']*[0-9][^\s()\[\]<>:;,\"']*")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")
#: Local parts that are also words of servers' replies.
_VOCABULARY: Final = frozenset(
    [
        "user",
        "users",
        "mailbox",
        "mail",
        "recipient",
        "address",
        "account",
        "unknown",
        "invalid",
        "no",
        "such",
    ]
)
_RANDOM = re.compile(r"\b(?=[A-Za-z_-]*[a-z][A-Z]|[A-Z]+[a-z]+[A-Z])[A-Za-z_-]{10,}\b")


class _Named(Protocol):
    """Defines a message as far as this module reads it."""

    @property
    def subscriber_id(self) -> int: ...

    @property
    def address(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def key(self) -> tuple[int, int]: ...


@dataclass(slots=True)
class _Group:
    """Counts refusals with the same text: the readers, their domains, and one refusal word by word."""

    example: str
    readers: set[int] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)


class RefusalWatch:
    """Counts the refusals of one run, over all connections. Safe to use from several threads.

    `accepted` says whether somebody was accepted in this run; `ever`, in this campaign by the same transport.
    The login may have changed since an earlier run, so that only `accepted` shows that not everybody is
    refused. Readers who were deferred before (`was_deferred`) remain from a run that others got through:
    where others were accepted, the refusals of these are their own.

    `everybody` is the refusal that all got, or ''. `remedy` is why the campaign pauses, or '', and `returned`
    are the (subscriber id, attempt) that were refused for it.
    """

    def __init__(self, *, accepted: bool = False, ever: bool = False) -> None:
        self.accepted = accepted
        self._ever = ever
        self.was_deferred: Callable[[int], bool] = lambda _: False
        self.everybody = ""
        self.remedy = ""
        self.returned: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] = {}
        self._others = 0

    @property
    def stops(self) -> bool:
        """Returns whether the run is to end."""
        return bool(self.everybody or self.remedy)

    def note(self, known: Sequence[tuple[_Named, Outcome]]) -> None:
        """Counts these outcomes, which have just become known together."""
        if self.accepted and all(outcome.result in _NOT_REFUSED for _, outcome in known):
            return
        with self._lock:
            if any(outcome.result is Result.ACCEPTED for _, outcome in known):
                self.accepted = True
                self._groups.clear()
            for message, outcome in sorted(known, key=lambda one: not is_held(one[1])):
                if outcome.result not in _NOT_REFUSED:
                    self._refused(message, outcome)
            for group in self._groups.values():
                number = len(group.readers)
                if number >= AT_LEAST and number > self._others and _is_wide(group):
                    self.everybody = self.everybody or group.example

    def _refused(self, message: _Named, outcome: Outcome) -> None:
        if stops(outcome, attempt=message.attempt, accepted=self.accepted or self._ever):
            self.returned.add(message.key)
            self.remedy = self.remedy or _remedy_sentence(outcome.reason)
            return
        if self.accepted or _is_our_own_check(outcome):
            return
        words = _normalised(outcome.reason, message.address)
        # A transport that gives up after some refusals defers the others in the same words.
        alike = outcome.cause is Cause.US and words in self._groups
        if not (is_held(outcome) or alike) or (self._ever and self.was_deferred(message.subscriber_id)):
            self._others += 1
            return
        group = self._groups.setdefault(words, _Group(outcome.reason))
        group.readers.add(message.subscriber_id)
        group.domains.add(message.address.rpartition("@")[2].lower())

    def _judged(self) -> int:
        """Returns how many messages are known not to be accepted."""
        return self._others + sum(len(group.readers) for group in self._groups.values())

    def end(self) -> str:
        """Returns the refusal that everybody in the run got, now that it is over, or ''."""
        with self._lock:
            if not self.everybody and not self.accepted and len(self._groups) == 1:
                (group,) = self._groups.values()
                number = len(group.readers)
                if number >= AT_LEAST_ALL and number == self._judged() and _is_wide(group):
                    self.everybody = group.example
            return self.everybody


def stops(outcome: Outcome, *, attempt: int, accepted: bool) -> bool:
    """Returns whether a refusal is about us by its own text, so that it stops a campaign.

    Where a reader is refused so at the third `attempt` while others are `accepted`, it concerns that reader
    alone: else one reader could keep a campaign from its end.
    """
    if accepted and attempt >= _OWN_MATTER:
        return False
    return (
        outcome.result in (Result.REJECTED, Result.DEFERRED)
        and outcome.cause not in (Cause.ADDRESS, Cause.MAILBOX)
        and remedy_for(outcome.reason) is not None
    )


def is_held(outcome: Outcome) -> bool:
    """Returns whether an outcome is held back until somebody is accepted.

    These are rejections, and temporary refusals that are about a login: greylisting defers everybody at
    first.
    """
    if outcome.result is Result.DEFERRED:
        return outcome.cause is Cause.US and is_about_login(outcome.reason)
    return outcome.result is Result.REJECTED and not _is_our_own_check(outcome)


def may_concern_everybody(refusals: Iterable[tuple[str, Outcome]]) -> bool:
    """Returns whether some of these (address, outcome), none accepted, were refused with the same text.

    This is asked of a run that died before it knew: its refusals then count against nobody, and are tried
    again. Two with the same text are enough, because a server may use several sentences for senders that it
    does not know.
    """
    known = [
        _normalised(outcome.reason, address) if is_held(outcome) else "" for address, outcome in refusals
    ]
    most = max((number for words, number in Counter(known).items() if words), default=0)
    return most > 1 or 2 * most > len(known)


def is_about_login(reason: str) -> bool:
    """Returns whether a refusal says that mail is accepted only after a login, or from other networks."""
    return wording.says(wording.LOGIN, wording.fold(without_addresses(reason)))


def everybody_sentence(reason: str, *, source: str, server: str) -> str:
    """Returns the error of a run in which everybody was refused with `reason`.

    `source` is the transport's name in events; `server` names the other side more closely, or is ''.
    """
    words, driver = without_addresses(reason), driver_of(source + ":")
    return (
        f"{server or driver.peer} takes no mail from us: {words}; {driver.advice}; nobody counts as refused"
    )


def _remedy_sentence(reason: str) -> str:
    remedy = remedy_for(reason)
    todo = f"; {remedy.todo} ({remedy.source})" if remedy else ""
    return f"the refusal is about us, not about the readers: {without_addresses(reason)}{todo}"


def _is_our_own_check(outcome: Outcome) -> bool:
    """Returns whether our own check refused the address, which no transport can use, and not a server."""
    return outcome.cause is Cause.ADDRESS and not outcome.reason[:3].isdigit()


def _is_wide(group: _Group) -> bool:
    """Returns whether more than one domain is concerned, or the text names no single domain."""
    return len(group.domains) > 1 or is_about_login(group.example)


def _normalised(reason: str, address: str) -> str:
    """Returns the text without what differs between readers: addresses, hosts, ids, times, numbers."""
    code, words = reason[:3], reason[3:].strip(" -")
    enhanced = _ENHANCED.match(words)
    rest = words[enhanced.end() :] if enhanced else words
    local = address.rpartition("@")[0].lower()
    rest = _RANDOM.sub("*", without_addresses(rest).replace("the address", "*")).lower()
    # A local part may be spelled as a name: "Eve Adams" for eve.adams.
    parts = [re.escape(part) for part in re.split(r"[\W_]+", local) if part]
    if parts and _VOCABULARY.isdisjoint(parts):
        name = r"[\W_]*".join(parts)
        rest = re.sub(rf"(?<![\w.-]){name}(?![\w-])", "*", rest)
    rest = _TOKEN.sub("*", _HOST.sub("*", rest))
    return f"{code} {enhanced[0] if enhanced else ''} {' '.join(rest.split())}"

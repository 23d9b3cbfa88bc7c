"""Detects during a run that the server refuses the sender, and not single readers.

There are two signs. The first is a refusal whose text is about the sender (`remedies`): the server would
refuse every message with it. The second is that all readers are refused with the same text, apart from their
addresses, and no message is accepted: OpenSMTPD answers "550 Invalid recipient" to clients that have not
logged in, Postfix "454 Relay access denied". Such refusals do not count against readers: the delivery loop
holds rejections back until a message is accepted.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal import wording
from mailer.transports.refusal.answers import without_addresses
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.remedies import remedy_for
from mailer.transports.registry import driver_of

__all__ = [
    "AT_LEAST",
    "AT_LEAST_ALL",
    "RefusalWatch",
    "all_readers_refused_message",
    "is_about_login",
    "must_be_held_back",
    "may_concern_everybody",
    "stops_campaign",
]

#: The number of readers, refused with the same text while nobody is accepted, that counts as everybody.
AT_LEAST: Final = 20
#: The number that counts as everybody where these are all readers of the run.
AT_LEAST_ALL: Final = 5
#: From this attempt on a refusal concerns the reader alone, if others were accepted.
_OWN_MATTER: Final = 3

_NOT_REFUSED: Final = (OutcomeKind.ACCEPTED, OutcomeKind.SKIPPED)

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


class _AddressedMessage(Protocol):
    """Defines the attributes of a message that this module reads."""

    @property
    def subscriber_id(self) -> int: ...

    @property
    def address(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def key(self) -> tuple[int, int]: ...


@dataclass(slots=True)
class _RefusalGroup:
    """Counts the refusals with the same text, by reader and by domain.

    `example` is the full text of one of these refusals.
    """

    example: str
    readers: set[int] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)


class RefusalWatch:
    """Counts the refusals of one run, over all connections. Several threads may use an object of this class.

    `accepted` is True once a message was accepted in this run, and `accepted_before` if the same transport
    accepted a message of this campaign in an earlier run. The login may have changed since, so that only
    `accepted` proves that the server does not refuse everybody. `was_deferred` returns whether the delivery
    to a subscriber id was deferred in an earlier run; if `accepted_before` is True, the refusals of this
    reader are not counted.

    `everybody` is the text of the refusal that all readers got; empty if they did not all get the same.
    `remedy` is the reason why the campaign must pause, or empty. `returned` has the (subscriber id, attempt)
    of each delivery whose refusal is about the sender.
    """

    def __init__(self, *, accepted: bool = False, accepted_before: bool = False) -> None:
        self.accepted = accepted
        self._accepted_before = accepted_before
        self.was_deferred: Callable[[int], bool] = lambda _: False
        self.everybody = ""
        self.remedy = ""
        self.returned: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._groups: dict[str, _RefusalGroup] = {}
        self._others = 0

    @property
    def must_stop(self) -> bool:
        """Returns whether the run must stop, because the server refuses the sender."""
        return bool(self.everybody or self.remedy)

    def note_outcomes(self, outcomes: Sequence[tuple[_AddressedMessage, Outcome]]) -> None:
        """Counts outcomes that became known together, as pairs of message and outcome."""
        if self.accepted and all(outcome.result in _NOT_REFUSED for _, outcome in outcomes):
            return
        with self._lock:
            if any(outcome.result is OutcomeKind.ACCEPTED for _, outcome in outcomes):
                self.accepted = True
                self._groups.clear()
            for message, outcome in sorted(outcomes, key=lambda one: not must_be_held_back(one[1])):
                if outcome.result not in _NOT_REFUSED:
                    self._count_refusal(message, outcome)
            for group in self._groups.values():
                number = len(group.readers)
                if number >= AT_LEAST and number > self._others and _concerns_several_domains_or_login(group):
                    self.everybody = self.everybody or group.example

    def _count_refusal(self, message: _AddressedMessage, outcome: Outcome) -> None:
        if stops_campaign(
            outcome, attempt=message.attempt, others_accepted=self.accepted or self._accepted_before
        ):
            self.returned.add(message.key)
            self.remedy = self.remedy or _pause_reason(outcome.reason)
            return
        if self.accepted or _was_refused_by_own_check(outcome):
            return
        same_text = _text_without_reader_details(outcome.reason, message.address)
        # A transport that gives up after some refusals defers the others in the same same_text.
        alike = outcome.cause is Cause.US and same_text in self._groups
        if not (must_be_held_back(outcome) or alike) or (
            self._accepted_before and self.was_deferred(message.subscriber_id)
        ):
            self._others += 1
            return
        group = self._groups.setdefault(same_text, _RefusalGroup(outcome.reason))
        group.readers.add(message.subscriber_id)
        group.domains.add(message.address.rpartition("@")[2].lower())

    def _unaccepted_count(self) -> int:
        """Returns how many refused messages were counted, whatever the text of their refusal."""
        return self._others + sum(len(group.readers) for group in self._groups.values())

    def refusal_text_of_all_readers(self) -> str:
        """Returns the text of the refusal that all readers of the run got; empty if they did not all get the
        same. The run must be over."""
        with self._lock:
            if len(self._groups) == 1:  # none is left once a message was accepted
                (group,) = self._groups.values()
                number = len(group.readers)
                if (
                    number >= AT_LEAST_ALL
                    and number == self._unaccepted_count()
                    and _concerns_several_domains_or_login(group)
                ):
                    self.everybody = group.example
            return self.everybody


def stops_campaign(outcome: Outcome, *, attempt: int, others_accepted: bool) -> bool:
    """Returns whether a refusal stops the campaign, because its text is about the sender.

    If a reader is refused at the third `attempt` or later although other readers were accepted
    (`others_accepted`), the refusal concerns this reader alone and does not stop the campaign.
    """
    if others_accepted and attempt >= _OWN_MATTER:
        return False
    return (
        outcome.result in (OutcomeKind.REJECTED, OutcomeKind.DEFERRED)
        and outcome.cause not in (Cause.ADDRESS, Cause.MAILBOX)
        and remedy_for(outcome.reason) is not None
    )


def must_be_held_back(outcome: Outcome) -> bool:
    """Returns whether the run may record this outcome only after it knows that another message was accepted.

    This applies to rejections and to temporary refusals that ask for a login, but not to other temporary
    refusals, because greylisting defers every reader at first.
    """
    if outcome.result is OutcomeKind.DEFERRED:
        return outcome.cause is Cause.US and is_about_login(outcome.reason)
    return outcome.result is OutcomeKind.REJECTED and not _was_refused_by_own_check(outcome)


def may_concern_everybody(refusals: Iterable[tuple[str, Outcome]]) -> bool:
    """Returns whether several of these refusals, given as (address, outcome), have the same text.

    It is called for a run that died before any message was accepted. If it returns True, these refusals do
    not count against the readers, and the messages are sent again. Two refusals with the same text are
    enough, because a server may use several texts for senders that it does not know.
    """
    known = [
        _text_without_reader_details(outcome.reason, address) if must_be_held_back(outcome) else ""
        for address, outcome in refusals
    ]
    most = max((number for words, number in Counter(known).items() if words), default=0)
    return most > 1 or 2 * most > len(known)


def is_about_login(reason: str) -> bool:
    """Returns whether a refusal says that the server takes mail only after a login or from other networks."""
    return wording.matches_any(wording.LOGIN, wording.fold_text(without_addresses(reason)))


def all_readers_refused_message(reason: str, *, source: str, server: str) -> str:
    """Returns the error message for a run in which all readers were refused with `reason`.

    `source` is the transport's name in events. `server` is the server's host name, to be shown; if it is
    empty, the general name of the transport's servers is shown.
    """
    words, driver = without_addresses(reason), driver_of(source + ":")
    sentence = f"{server or driver.peer} accepts no mail from us: {words}; {driver.advice}"
    return f"{sentence}; no reader is marked as refused"


def _pause_reason(reason: str) -> str:
    remedy = remedy_for(reason)
    todo = f"; {remedy.todo} ({remedy.source})" if remedy else ""
    return f"the refusal is about us, not about the readers: {without_addresses(reason)}{todo}"


def _was_refused_by_own_check(outcome: Outcome) -> bool:
    """Returns whether `mailer` itself refused the address, because no transport can use it."""
    return outcome.cause is Cause.ADDRESS and not outcome.reason[:3].isdigit()


def _concerns_several_domains_or_login(group: _RefusalGroup) -> bool:
    """Returns whether the refusals came from several domains, or ask for a login."""
    return len(group.domains) > 1 or is_about_login(group.example)


def _text_without_reader_details(reason: str, address: str) -> str:
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

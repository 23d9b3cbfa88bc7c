"""Classifies a refusal: is it about the address, the mailbox, us or their server, and is it permanent?

A reply is classified by these, in this order: the stage at which it came, what its provider's own page says
of it (`receivers`), its text (`wording`), and its enhanced status code (RFC 3463, 5248, 7372, 7504, 7505).
The text comes before the code, because servers send 5.1.1 for a full mailbox and for a policy too, and 5.7.1
for an unknown user. A reply that says nothing clear is taken to be about us. In doubt the reader is not
blamed: an attempt too many costs little, a reader struck off by mistake is lost. docs/bounces.md has the
table.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from mailer.transports.refusal import wording
from mailer.transports.refusal.receivers import meaning_of
from mailer.transports.refusal.wording import fold, says

__all__ = ["Cause", "Judgement", "Stage", "enhanced_code", "judge"]


class Cause(StrEnum):
    """Lists who or what a refusal is about. The values stand in the spool and in --json."""

    ADDRESS = "address"  # nobody is there: one such answer is enough
    MAILBOX = (
        "mailbox"  # somebody is there and does not get it: full, closed for now, or they take none from us
    )
    US = "us"  # who we are or what we send; never the reader's fault
    THEM = "them"  # their server's trouble, or asked to come back later


class Stage(StrEnum):
    """Lists the commands of SMTP that a reply may refuse."""

    MAIL = "mail"  # no recipient was named yet
    RCPT = "rcpt"
    DATA = "data"
    MESSAGE = "message"  # the answer to the final dot


class Judgement(NamedTuple):
    """Holds the class of a refusal: `later` says that it is temporary, `cause` what it is about."""

    later: bool
    cause: Cause


# (subject, detail) of an enhanced code that says it all, where the words say nothing else.
_KNOWN: Final = {
    (1, 1): Cause.ADDRESS,  # no such mailbox
    (1, 2): Cause.ADDRESS,  # no such domain
    (1, 3): Cause.ADDRESS,  # no address at all
    (1, 4): Cause.ADDRESS,  # matches more than one
    (1, 6): Cause.ADDRESS,  # moved, without a new address
    (1, 7): Cause.US,  # our address is none
    (1, 8): Cause.US,  # our domain is none
    (1, 10): Cause.ADDRESS,  # null MX (RFC 7505); at Exchange Online, recipient not found
    (2, 1): Cause.ADDRESS,  # the mailbox is disabled
    (2, 2): Cause.MAILBOX,  # full
    (2, 3): Cause.MAILBOX,  # takes no message of this size
    (3, 4): Cause.US,  # too large for their system
}

# What a subject means where neither the detail nor the words say more.
_BY_SUBJECT: Final = {2: Cause.THEM, 3: Cause.THEM, 4: Cause.THEM}

#: X.7.20 to X.7.27 are SPF, DKIM and reverse DNS (RFC 7372), up to 40 the same in Gmail's counting, 515, 650
#: and 651 are Microsoft's. A 4xx with one of these is no mere "later".
_AUTHENTICATION: Final = frozenset((*range(20, 41), 515, 650, 651))
#: Under these details of X.7, words about the recipient are believed: a refusal without a reason of its own.
_VAGUE: Final = (0, 1)

_ENHANCED = re.compile(
    r"(?:^|[#(]\s?|\bcuda_nsu |\b[245][0-9][0-9][ -]|- )([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])"
)
# "550 ", "550-" and a DSN's "smtp;550 " before the words, as gateways repeat them.
_PREFIX = re.compile(
    r"^(?:failed,\S+ \([^)]*\),)?(?:(?:x-)?smtp\s*;\s*)?(?:[245][0-9][0-9](?:[ -]|$))?\s*", re.I
)
# Addresses and links may hold any word at all.
_ADDRESS = re.compile(r"<[^<>@\s]*@[^<>\s]*>|<>|[^\s<>()\[\]:;,\"']*@[^\s<>()\[\]:;,\"']+")
_LINK = re.compile(r"\bhttps?:\S+|\bwww\.\S+")
# So sure only in answer to RCPT, and under this code: Cisco's gateways.
_REJECTED = re.compile(r"^\W*(?:recipient )?address rejected\b")

# Said where no RCPT was taken; ours was.
_NOBODY = re.compile(r"\bno valid recipients?\b")


def enhanced_code(words: str) -> tuple[int, int] | None:
    """Returns the (subject, detail) of the enhanced status code in a reply, or None where it has none."""
    found = _ENHANCED.search(_PREFIX.sub("", words))
    return (int(found[2]), int(found[3])) if found else None


def judge(code: int, words: str, stage: Stage = Stage.RCPT) -> Judgement:
    """Returns the class of a 4xx or 5xx reply; `words` is its text without the code, on one line.

    A 4xx is always temporary. A 5xx is temporary where its own text speaks of a limit of volume or rate.
    """
    enhanced = enhanced_code(words)
    reply = _ADDRESS.sub("◊", fold(_PREFIX.sub("", words)))
    said = _ENHANCED.sub(" ", _LINK.sub(" ", reply)).strip(" :,-")
    soft = 400 <= code <= 499
    row = meaning_of(reply, at_rcpt=stage is Stage.RCPT)
    if row is not None and not (row.cause == Cause.ADDRESS and says(wording.SENDER, said)):
        return _within(soft or row.later, Cause(row.cause), stage)
    if soft:
        return _within(True, _later(enhanced, said), stage)
    if says(wording.SENDER, said):
        return Judgement(False, Cause.US)
    if _is_limit(enhanced, said):
        return Judgement(True, Cause.THEM)
    return _within(False, _for_good(code, enhanced, said, stage), stage)


def _within(later: bool, cause: Cause, stage: Stage) -> Judgement:
    """Returns the judgement, with a cause that its stage allows.

    Before RCPT the recipient was not named yet and is not blamed; an address is never blamed for a temporary
    refusal.
    """
    if cause is Cause.ADDRESS and later:
        cause = Cause.THEM
    if stage is Stage.MAIL and cause in (Cause.ADDRESS, Cause.MAILBOX):
        cause = Cause.THEM if later else Cause.US
    if stage is Stage.MAIL and not later:
        cause = Cause.US
    return Judgement(later, cause)


def _is_limit(enhanced: tuple[int, int] | None, said: str) -> bool:
    """Returns whether a 5xx names a temporary limit. A refusal as spam is permanent."""
    if enhanced is not None and enhanced[0] == 7 and enhanced[1] in _AUTHENTICATION:
        return False
    if any(says(words, said) for words in (wording.SPAM, wording.FOR_GOOD, wording.ABSENT)):
        return False
    return says(wording.LIMIT, said) or says(wording.GREYLISTED, said)


def _later(enhanced: tuple[int, int] | None, said: str) -> Cause:
    """Returns the cause of a temporary refusal."""
    if says(wording.GREYLISTED, said):
        return Cause.THEM
    if enhanced is not None and enhanced[0] == 7 and enhanced[1] in _AUTHENTICATION:
        return Cause.US
    if enhanced in ((1, 7), (1, 8)) or says(wording.SENDER, said):
        return Cause.US
    if says(wording.SPAM, said) or says(wording.LOGIN, said):
        return Cause.US
    if says(wording.LIMIT, said) or says(wording.OURS, said) or "too many" in said:
        return Cause.THEM
    if enhanced == (2, 2) or (says(wording.FULL, said) and not (enhanced and enhanced[0] == 3)):
        return Cause.MAILBOX
    if (enhanced is None or enhanced[0] == 7) and says(wording.ABOUT_US, said):
        return Cause.US
    return Cause.THEM


def _for_good(code: int, enhanced: tuple[int, int] | None, said: str, stage: Stage) -> Cause:
    """Returns the cause of a permanent refusal whose text does not speak of the sender."""
    subject = enhanced[0] if enhanced else -1
    ours = says(wording.OURS, said)
    if subject == 7:
        return _under_policy(enhanced, said, ours)
    if not ours and says(wording.FULL, said):
        return Cause.MAILBOX
    if code == 503:
        return Cause.US  # commands out of order: nothing that was named
    absent = says(wording.ABSENT, said)
    if stage is not Stage.RCPT and _NOBODY.search(said):
        absent = False
    if (absent or _KNOWN.get(enhanced or (0, 0)) is Cause.ADDRESS) and says(wording.TROUBLE, said):
        return Cause.THEM
    if absent and ours and says(wording.SPAM, said):
        return Cause.US
    if enhanced in _KNOWN:
        return _by_code(_KNOWN[enhanced], said, absent)
    if subject == 6:
        return Cause.US
    if says(wording.SHUT, said) and not ours and not says(wording.SPAM, said):
        return Cause.MAILBOX
    if says(wording.ABOUT_US, said):
        return Cause.US
    if absent and not ours:
        return Cause.ADDRESS
    if stage is Stage.RCPT:
        if code == 556 or (enhanced == (1, 0) and _REJECTED.search(said)):
            return Cause.ADDRESS  # 556: the domain takes no mail at all (RFC 7504)
        if says(wording.UNAVAILABLE, said):
            return Cause.MAILBOX
    return _BY_SUBJECT.get(subject, Cause.US)


def _under_policy(enhanced: tuple[int, int] | None, said: str, ours: bool) -> Cause:
    """Returns the cause of a policy code (X.7): us, unless the text speaks of nothing but the recipient."""
    if ours or enhanced is None or enhanced[1] not in _VAGUE:
        return Cause.US
    if says(wording.FULL, said) or (says(wording.SHUT, said) and not says(wording.SPAM, said)):
        return Cause.MAILBOX
    if says(wording.ABSENT, said) and not says(wording.ABOUT_US, said):
        return Cause.ADDRESS
    return Cause.US


def _by_code(known: Cause, said: str, absent: bool) -> Cause:
    """Returns the cause that a clear status code has, unless the text contradicts it."""
    if known is Cause.US or (absent and known is Cause.ADDRESS):
        return known
    if says(wording.SHUT, said) and not says(wording.SPAM, said):
        return Cause.MAILBOX
    if known is Cause.ADDRESS and says(wording.ABOUT_US, said):
        return Cause.US
    return known

"""Classifies a refusal: is it permanent, and is it about the address, the mailbox, us or their server?

A reply is classified by four things, in this order: the SMTP command that it answers, the provider's own page
(`receivers`), its text (`wording`), and its enhanced status code (RFC 3463, 5248, 7372, 7504, 7505). The text
comes before the code, because servers also send 5.1.1 for a full mailbox or a policy, and 5.7.1 for an
unknown user. An unclear reply is classified as being about us, so that no reader is removed by mistake.
docs/bounces.md has the table.
"""

from __future__ import annotations

import re
from enum import StrEnum, auto
from typing import Final, NamedTuple

from mailer.transports.refusal import wording
from mailer.transports.refusal.receivers import find_reply_meaning
from mailer.transports.refusal.wording import fold_text, matches_any

__all__ = ["Cause", "RefusalClassification", "SmtpStage", "parse_enhanced_code", "classify_refusal"]


class Cause(StrEnum):
    """Lists what a refusal can be about. The values are stored in the spool and shown by --json."""

    ADDRESS = "address"  # nobody is there: one such answer is enough
    MAILBOX = (
        "mailbox"  # somebody is there and does not get it: full, closed for now, or they take none from us
    )
    US = "us"  # who we are or what we send; never the reader's fault
    THEM = "them"  # their server's trouble, or asked to come back later


class SmtpStage(StrEnum):
    """Lists the SMTP commands that a reply may refuse."""

    MAIL = auto()  # no recipient was named yet
    RCPT = auto()
    DATA = auto()
    MESSAGE = auto()  # the answer to the final dot


class RefusalClassification(NamedTuple):
    """Holds the result of classifying a refusal.

    `later` is True if the refusal is temporary: a later attempt may succeed. `cause` is what the refusal is
    about.
    """

    later: bool
    cause: Cause


# (subject, detail) of an enhanced code that says it all, where the words say nothing else.
_KNOWN: Final[dict[tuple[int, int] | None, Cause]] = {
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
_BY_SUBJECT: Final[dict[int | None, Cause]] = {2: Cause.THEM, 3: Cause.THEM, 4: Cause.THEM}

#: X.7.20 to X.7.27 are SPF, DKIM and reverse DNS (RFC 7372), up to 40 the same in Gmail's counting, 515, 650
#: and 651 are Microsoft's. A 4xx with one of these is no mere "later".
_AUTHENTICATION: Final = frozenset((7, detail) for detail in (*range(20, 41), 515, 650, 651))
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


def parse_enhanced_code(reply: str) -> tuple[int, int] | None:
    """Returns the enhanced status code of a reply without its class: (1, 1) for 5.1.1.

    Returns None if the reply has no such code.
    """
    found = _ENHANCED.search(_PREFIX.sub("", reply))
    return (int(found[2]), int(found[3])) if found else None


def classify_refusal(code: int, reply_text: str, stage: SmtpStage = SmtpStage.RCPT) -> RefusalClassification:
    """Returns the classification of a reply with a 4xx or 5xx `code`.

    `reply_text` is the text of the reply without `code`, on one line. A 4xx is always temporary. A 5xx is
    temporary only if its text, or the provider's page, says that a limit was reached.
    """
    enhanced_code = parse_enhanced_code(reply_text)
    reply = _ADDRESS.sub("◊", fold_text(_PREFIX.sub("", reply_text)))
    text = _ENHANCED.sub(" ", _LINK.sub("", reply))
    soft = 400 <= code <= 499
    row = find_reply_meaning(reply, answers_rcpt=stage is SmtpStage.RCPT)
    if row is not None and not (row.cause == Cause.ADDRESS and matches_any(wording.SENDER, text)):
        return _classification_for_stage(soft or row.later, Cause(row.cause), stage)
    if soft:
        return _classification_for_stage(True, _temporary_cause(enhanced_code, text), stage)
    if matches_any(wording.SENDER, text):
        return RefusalClassification(False, Cause.US)
    if _is_temporary_limit(enhanced_code, text):
        return RefusalClassification(True, Cause.THEM)
    return _classification_for_stage(False, _permanent_cause(code, enhanced_code, text, stage), stage)


def _classification_for_stage(is_temporary: bool, cause: Cause, stage: SmtpStage) -> RefusalClassification:
    """Returns a classification of this `cause`, or of another cause if this one is impossible at this stage.

    Before RCPT the server does not know the recipient, so the refusal cannot be about the recipient. A
    temporary refusal is never counted against an address.
    """
    if is_temporary:
        if cause is Cause.ADDRESS or (cause is Cause.MAILBOX and stage is SmtpStage.MAIL):
            cause = Cause.THEM
    elif stage is SmtpStage.MAIL:
        cause = Cause.US
    return RefusalClassification(is_temporary, cause)


def _is_temporary_limit(enhanced_code: tuple[int, int] | None, text: str) -> bool:
    """Returns whether a 5xx reply says that a temporary limit was reached. A refusal as spam is permanent."""
    if enhanced_code in _AUTHENTICATION:
        return False
    if any(matches_any(words, text) for words in (wording.SPAM, wording.FOR_GOOD, wording.ABSENT)):
        return False
    return matches_any(wording.LIMIT, text) or matches_any(wording.GREYLISTED, text)


def _temporary_cause(enhanced_code: tuple[int, int] | None, text: str) -> Cause:
    """Returns the cause of a temporary refusal."""
    if matches_any(wording.GREYLISTED, text):
        return Cause.THEM
    if enhanced_code in _AUTHENTICATION:
        return Cause.US
    if enhanced_code in ((1, 7), (1, 8)) or matches_any(wording.SENDER, text):
        return Cause.US
    if matches_any(wording.SPAM, text) or matches_any(wording.LOGIN, text):
        return Cause.US
    if matches_any(wording.LIMIT, text) or matches_any(wording.OURS, text) or "too many" in text:
        return Cause.THEM
    if enhanced_code == (2, 2) or (
        matches_any(wording.FULL, text) and not (enhanced_code and enhanced_code[0] == 3)
    ):
        return Cause.MAILBOX
    if (enhanced_code is None or enhanced_code[0] == 7) and matches_any(wording.ABOUT_US, text):
        return Cause.US
    return Cause.THEM


def _permanent_cause(code: int, enhanced_code: tuple[int, int] | None, text: str, stage: SmtpStage) -> Cause:
    """Returns the cause of a permanent refusal whose text is not about the sender."""
    is_about_our_account = matches_any(wording.OURS, text)
    subject, detail = enhanced_code or (None, None)
    if subject == 7:
        return _policy_cause(detail, text, is_about_our_account)
    if not is_about_our_account and matches_any(wording.FULL, text):
        return Cause.MAILBOX
    if code == 503:
        return Cause.US  # commands out of order: nothing that was named
    says_mailbox_absent = matches_any(wording.ABSENT, text)
    if stage is not SmtpStage.RCPT and _NOBODY.search(text):
        says_mailbox_absent = False
    if (says_mailbox_absent or _KNOWN.get(enhanced_code) is Cause.ADDRESS) and matches_any(
        wording.TROUBLE, text
    ):
        return Cause.THEM
    if is_about_our_account and matches_any(wording.SPAM, text):
        return Cause.US
    if enhanced_code in _KNOWN:
        return _cause_by_code(_KNOWN[enhanced_code], text, says_mailbox_absent)
    if subject == 6:
        return Cause.US
    if matches_any(wording.SHUT, text) and not is_about_our_account and not matches_any(wording.SPAM, text):
        return Cause.MAILBOX
    if matches_any(wording.ABOUT_US, text):
        return Cause.US
    if says_mailbox_absent and not is_about_our_account:
        return Cause.ADDRESS
    if stage is SmtpStage.RCPT:
        if code == 556 or (enhanced_code == (1, 0) and _REJECTED.search(text)):
            return Cause.ADDRESS  # 556: the domain takes no mail at all (RFC 7504)
        if matches_any(wording.UNAVAILABLE, text):
            return Cause.MAILBOX
    return _BY_SUBJECT.get(subject, Cause.US)


def _policy_cause(detail: int | None, text: str, is_about_our_account: bool) -> Cause:
    """Returns the cause of a permanent refusal with a policy code (X.7.`detail`).

    It is `US`, unless the text is only about the recipient. `is_about_our_account` is True if the
    text mentions the sender's account or server.
    """
    if is_about_our_account or detail not in _VAGUE:
        return Cause.US
    if matches_any(wording.FULL, text) or (
        matches_any(wording.SHUT, text) and not matches_any(wording.SPAM, text)
    ):
        return Cause.MAILBOX
    if matches_any(wording.ABSENT, text) and not matches_any(wording.ABOUT_US, text):
        return Cause.ADDRESS
    return Cause.US


def _cause_by_code(code_cause: Cause, text: str, says_mailbox_absent: bool) -> Cause:
    """Returns `code_cause`, the cause that the status code stands for, unless the text contradicts it.

    `says_mailbox_absent` is True if the text says that the mailbox does not exist.
    """
    if code_cause is Cause.US or says_mailbox_absent:
        return code_cause
    if matches_any(wording.SHUT, text) and not matches_any(wording.SPAM, text):
        return Cause.MAILBOX
    if code_cause is Cause.ADDRESS and matches_any(wording.ABOUT_US, text):
        return Cause.US
    return code_cause

"""What a refusal means: is it the address, the mailbox, us, or their trouble?

A reply is read by three things, in this order: the stage at which it came, its enhanced status code
(RFC 3463, 5248, 7372, 7504, 7505), and its words. Codes that say little (5.0.0, 5.2.0, 5.5.0 and the
like) are read by the words that large receivers are known for; a reply that says nothing clear is ours. In
doubt the reader is not blamed: a refusal too many costs one more try, a reader struck off by mistake is lost.

The receivers' own lists: Gmail https://support.google.com/a/answer/3726730, Exchange Online
https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online, QQ
https://service.mail.qq.com/, GMX https://postmaster.gmx.net/en/error-messages, Postfix postconf(5).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

__all__ = ["Cause", "Stage", "cause_of"]


class Cause(StrEnum):
    """Whose matter a refusal is. The values stand in the spool and in --json."""

    ADDRESS = "address"  # nobody is there: one such answer is enough
    MAILBOX = "mailbox"  # somebody is there and cannot get it: full, closed for now
    US = "us"  # who we are or what we send; never the reader's fault
    THEM = "them"  # their server's trouble, or asked to come back later


class Stage(StrEnum):
    """Which command of SMTP was refused."""

    MAIL = "mail"  # no recipient was named yet
    RCPT = "rcpt"
    DATA = "data"
    MESSAGE = "message"  # the answer to the final dot


# (subject, detail) of an enhanced code that says it all. 5.1.0, 5.2.0 and the like are left to the words.
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

# X.7.20 to X.7.27 are SPF, DKIM and reverse DNS (RFC 7372), up to 40 the same in Gmail's counting, 515 is
# Microsoft's. A 4xx with one of these is no mere "later".
_AUTHENTICATION: Final = frozenset((*range(20, 41), 515))

_ENHANCED = re.compile(r"(?:^|[#(]\s?)([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])")

# Addresses and links may hold any word at all.
_NAMES = re.compile(r"<[^<>]*>|\S*@\S+|\bhttps?:\S+")

# Said of the sender, even under 5.1.1: Postfix tells it at RCPT, and Exim adds "No such user" to it.
_SENDER = re.compile(
    r"\bsender\s+(?:address|domain|verif|id\b|is\b|reject|denied|unknown|not\b)|\bmail from\b"
    r"|\breturn.?path\b|\benvelope from\b|\bfrom (?:address|domain|header)\b"
)

# Where a reply without a clear code has one of these, it is about us.
_ABOUT_US = re.compile(
    r"\b(?:spf|dkim|dmarc|ptr|rdns|dnsbl|rbl|relay\w*|block(?:ed|ing|list\w*)|black.?list\w*|spam\w*|junk|bulk"
    r"|unsolicited|reputation|polic(?:y|ies)|prohibited|prohibition|content|virus|malware|phishing"
    r"|reverse dns|unauthenticated|not authenticated|authentication|authorized|authorised|not allowed"
    r"|too many(?! hops)|frequency|rate limit\w*|client host)\b"
    r"|\byour (?:account|ip|host|server|domain|network|address)\b"
)

# Nobody is there, in words that say nothing else.
_WHO = r"(?:user|mail ?box|recipient|account|addressee|alias|inbox|address|customer)"
_NO_SUCH = re.compile(
    rf"\b(?:no such|unknown|invalid|non.?exist[ae]nt|not a (?:valid|known)|no(?: valid)?)"
    rf" (?:local )?{_WHO}s?\b"
    rf"|\b{_WHO}\b[^.;:]{{0,60}}\b(?:unknown|not (?:be )?found|not known|doe?s ?n.?t exist|not exist"
    r"|no longer (?:exists?|available|valid|in use|active))"
    rf"|\b{_WHO}\b[^.;:]{{0,40}}\b(?:disabled|deactivated|discontinued|terminated|deleted|closed)\b"
    rf"|\b(?:not|doesn.?t|does not) have an? (?:[\w.-]+ )?{_WHO}\b|\bno mailbox here\b"
    r"|\bunrouteable address\b|\bno such person\b|\buser lookup success but no user record\b"
)

# So sure only in answer to RCPT, and under these codes: (subject, detail), words.
_NO_SUCH_AT = (
    ((1, 0), re.compile(r"^(?:recipient )?address rejected\b")),  # Cisco's gateways
    (
        (4, 1),
        re.compile(r"\brecipient address rejected: access denied\b"),
    ),  # Exchange Online, unknown recipient
    ((5, 0), re.compile(r"\bmailbox unavailable\b(?! or )")),  # outlook.com, unknown user
)

_SHUT = re.compile(
    rf"\b(?:{_WHO}|quota|storage)\b[^.;:]{{0,60}}\b(?:full|over ?quota|exceed(?:s|ed|ing)?|overdrawn"
    r"|suspended|inactive|locked|frozen|out of storage)\b"
    r"|\bover (?:its |the )?quota\b|\bexceed(?:s|ed|ing)? (?:\w+ ){0,3}(?:quota|storage)\b"
)

# The words of RFC 5321 for 550. They may hide a policy, so one of them alone is not enough.
_UNAVAILABLE = re.compile(r"\bmail ?box (?:is )?(?:currently )?(?:unavailable|not available)\b(?! or )")

# "Not now", said with a permanent code: Gmail's 5.2.1 for somebody who gets too much at once.
_NOT_NOW = re.compile(r"\b(?:rate|too (?:many|much|fast|quickly)|temporar\w+|try (?:again|later))\b")


def cause_of(code: int, words: str, stage: Stage = Stage.RCPT) -> Cause:
    """Whose matter a reply of 4xx or 5xx is; `words` is its text without the code, in one line."""
    found = _ENHANCED.search(words)
    enhanced = (int(found[2]), int(found[3])) if found else None
    if 400 <= code <= 499:
        return _later(enhanced)
    said = (
        _NAMES.sub(" ", words[found.end() :] if found and found.start() == 0 else words).lower().strip(" :,")
    )
    if stage is Stage.MAIL or _SENDER.search(said):
        return Cause.US
    if enhanced in _KNOWN:
        known = _KNOWN[enhanced]
        return Cause.THEM if known is not Cause.US and enhanced[0] == 2 and _NOT_NOW.search(said) else known
    if enhanced is not None and (enhanced[0] in (6, 7) or (enhanced[0] == 2 and _NOT_NOW.search(said))):
        return _BY_SUBJECT.get(enhanced[0], Cause.US)
    return _by_words(code, enhanced, said, stage)


def _later(enhanced: tuple[int, int] | None) -> Cause:
    if enhanced == (2, 2):
        return Cause.MAILBOX
    if enhanced is not None and enhanced[0] == 7 and enhanced[1] in _AUTHENTICATION:
        return Cause.US
    return Cause.THEM


def _by_words(code: int, enhanced: tuple[int, int] | None, said: str, stage: Stage) -> Cause:
    """A permanent refusal whose code leaves it open."""
    if _ABOUT_US.search(said):
        return Cause.US
    if _SHUT.search(said):
        return Cause.MAILBOX
    if _NO_SUCH.search(said):
        return Cause.ADDRESS
    if stage is Stage.RCPT:
        if code == 556 or any(enhanced == at and words.search(said) for at, words in _NO_SUCH_AT):
            return Cause.ADDRESS  # 556: the domain takes no mail at all (RFC 7504)
        if _UNAVAILABLE.search(said):
            return Cause.MAILBOX
    return _BY_SUBJECT.get(enhanced[0], Cause.US) if enhanced else Cause.US

"""Classifies refusals of single providers, where their own pages say more than the text and the codes do.

Each row is a provider, a pattern over the folded reply with its codes and links (`wording.fold`; an address
is ◊), what it means, and the page that says so. The first row that matches decides. The patterns are our own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

__all__ = ["PROVIDERS", "Meaning", "meaning_of"]


class Meaning(NamedTuple):
    """Represents a row of the table, which says what a provider means by a reply.

    `cause` is a Cause as text; `later` is True where a later attempt may succeed, whatever the code.
    `at_rcpt` says that the row applies to an answer to RCPT alone.
    """

    provider: str
    pattern: str
    cause: str
    source: str
    later: bool = False
    at_rcpt: bool = False


_GOOGLE = "https://support.google.com/a/answer/3726730"
_MICROSOFT = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online"
)
_YAHOO = "https://senders.yahooinc.com/smtp-error-codes/"
_QQ = "https://service.mail.qq.com/"
_NETEASE = "http://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html"
_ORANGE = "https://postmaster.orange.fr/"
_COMCAST = "https://postmaster.xfinity.com/smtp-error-codes.php"
_MIMECAST = "https://community.mimecast.com/docs/DOC-1369"
_MAILRU = "https://help.mail.ru/mail-help/errors"
_IMPROVMX = "https://improvmx.com/guides/"
_AMAZON = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html"
_TREND = "https://docs.trendmicro.com/"
_NONE = ""  # no page is known; by the words that the provider was seen to use

PROVIDERS: Final = (
    Meaning("Gmail", r"[?&]p=(?:nosuchuser|disableduser|badrcptsyntax)\b", "address", _GOOGLE),
    Meaning("Gmail", r"[?&]p=overquota", "mailbox", _GOOGLE),
    Meaning("Gmail", r"[?&]p=receivingrate|trying to contact is receiving mail", "them", _GOOGLE, later=True),
    Meaning("Gmail", r"\b5\.4\.5\b.*\bdaily\b|\bsmtp relay limit", "them", _GOOGLE, later=True),
    Meaning("Gmail", r"exceeded google's message size", "us", _GOOGLE),
    Meaning("Microsoft", r"\b[45]\.2\.12[12]\b", "them", _MICROSOFT, later=True),
    Meaning("Microsoft", r"\bresolver\.adr\.", "address", _MICROSOFT),
    Meaning("Microsoft", r"\b5\.7\.1(?:24|29|3[3-6])\b", "mailbox", _MICROSOFT),  # takes mail from some alone
    Meaning(
        "Microsoft",
        r"\b5\.4\.1\b.*recipient address(?:es)? rejected ?: access denied",
        "address",
        _MICROSOFT,
        at_rcpt=True,
    ),
    Meaning("Microsoft", r"\b5\.5\.0\b.*\bmailbox unavailable\b(?! or )", "address", _MICROSOFT, at_rcpt=True),
    Meaning("Yahoo", r"\[(?:tss|ts|ph|bl)[0-9]{2}\]", "us", _YAHOO),
    Meaning("Yahoo", r"delivery error: dd (?:this user doesn't have|◊ is no longer valid)", "address", _YAHOO),
    Meaning("Yahoo", r"delivery error: dd .*this mailbox is disabled", "address", _YAHOO),
    Meaning("Yahoo", r"delivery error: dd requested mail action aborted", "them", _YAHOO),
    Meaning("QQ", r"\bfrequency limited\b", "them", _QQ, later=True),
    # Its page: this reader gets too much at once, and is to be left alone for a while.
    Meaning("QQ", r"mailbox unavailable or access denied", "them", _QQ, later=True),
    Meaning("QQ", r"mail is rejected by recipients?", "mailbox", _QQ),
    Meaning("QQ", r"^\W*bad address syntax", "address", _QQ, at_rcpt=True),
    Meaning("NetEase", r"\bhl:(?:icc|ifc)\b|\b(?:mi|rp):(?:cel|ccl|dmc)\b", "them", _NETEASE, later=True),
    Meaning("NetEase", r"\b(?:mi:(?:sfq|stc)|rp:(?:drc|qrc|trc))\b", "them", _NETEASE, later=True),
    Meaning("NetEase", r"\bhl:(?:rep|mep|ihu|ipb)\b|\bdt:(?:spm|rbl|sum|spb)\b", "us", _NETEASE),
    Meaning("NetEase", r"\bmi:(?:spf|nhd|spb|dma)\b|\bwm:bl[iu]\b", "us", _NETEASE),
    Meaning("Orange", r"\bofr(?:[0-9]{3})?_?416\b", "address", _ORANGE),
    Meaning("Orange", r"\bofr(?:[0-9]{3})?_?417\b", "mailbox", _ORANGE),
    Meaning("Orange", r"\bofr[0-9]{3}_(?:104|109)\b|trop de connexions", "them", _ORANGE, later=True),
    Meaning("Orange", r"\bofr(?:[0-9]{3})?_?(?:102|103|405|506)\b", "us", _ORANGE),
    Meaning("Comcast", r"\bextended quota violation\b", "mailbox", _COMCAST),
    Meaning("Comcast", r"\bnot our customer\b|\bmailbox unallocated\b", "address", _COMCAST),
    Meaning("Mimecast", r"\buser entry\b|\bmanually blocked senders\b", "mailbox", _MIMECAST),
    Meaning("Mimecast", r"\banti-spoofing policy\b|\benvelope (?:blocked|rejected)\b", "us", _MIMECAST),
    Meaning("Mail.ru", r"invalid mailbox\b.*\bis unavailable: (?:account is disabled|user (?:not|is terminated))", "address", _MAILRU),
    Meaning("Rambler", r"recipient address rejected: (?:inactive|blocked)\b(?! (?:by|using|for)\b)", "mailbox", _NONE),
    Meaning("Free", r"mailbox has been blocked due to inactivity", "mailbox", "https://postmaster.free.fr/"),
    Meaning("Zoho", r"\bmailbox delivery (?:failure|restricted)\b.*\bpolicy\b|\bmailpolicy violation\b", "us", _NONE),
    Meaning("Zoho", r"\bmail rejected by destination domain\b", "us", _NONE),
    Meaning("Proofpoint", r"user email address is marked as invalid", "address", _NONE),
    Meaning("Trend Micro", r"recipient address rejected: invalid-recipient", "address", _TREND),
    Meaning("Trend Micro", r"recipient address rejected: no-domain", "them", _TREND),
    Meaning("Trend Micro", r"recipient address rejected: block-rcpt", "mailbox", _TREND),
    Meaning("Trend Micro", r"recipient address rejected: (?:block-send|ers-)", "us", _TREND),
    Meaning("ImprovMX", r"#id-5\.9\.[0235]\b|\bloop detected\b", "them", _IMPROVMX),  # the forwarding's set-up
    Meaning("qmail", r"^\W*sorry, no mailbox here by that name\b", "address", _NONE, at_rcpt=True),  # also under #5.7.17
    Meaning("Amazon SES", r"\bthrottling failure\b|\bmaximum sending rate exceeded", "them", _AMAZON, later=True),
    Meaning("Amazon SES", r"\bemail address is not verified\b", "us", _AMAZON),
)  # fmt: skip


@cache
def _table() -> tuple[tuple[re.Pattern[str], Meaning], ...]:
    return tuple((re.compile(row.pattern), row) for row in PROVIDERS)


def meaning_of(reply: str, *, at_rcpt: bool) -> Meaning | None:
    """Returns the row for a folded reply (with its codes and links), or None where no page describes it."""
    for pattern, row in _table():
        if (at_rcpt or not row.at_rcpt) and pattern.search(reply):
            return row
    return None

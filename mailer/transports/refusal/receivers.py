"""Lists what certain providers mean by their refusals, according to the providers' own web pages.

Each row of the table has a provider, a pattern, the meaning of the reply, and the URL of the page. The pattern is applied
to the folded reply (`wording.fold_text`) with its codes and links; an address is written as ◊ in it. The
first row that matches decides.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

__all__ = ["PROVIDERS", "ReplyMeaning", "find_reply_meaning"]


class ReplyMeaning(NamedTuple):
    """Represents a row of the table: what a provider means by a reply that matches `pattern`.

    `cause` is the value of a Cause, and `source` the URL of the provider's page. If `later` is True, a later
    attempt may succeed, whatever the code. If `at_rcpt` is True, the row applies only to answers to RCPT.
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
    ReplyMeaning("Gmail", r"[?&]p=(?:nosuchuser|disableduser|badrcptsyntax)\b", "address", _GOOGLE),
    ReplyMeaning("Gmail", r"[?&]p=overquota", "mailbox", _GOOGLE),
    ReplyMeaning("Gmail", r"[?&]p=receivingrate|trying to contact is receiving mail", "them", _GOOGLE, later=True),
    ReplyMeaning("Gmail", r"\b5\.4\.5\b.*\bdaily\b|\bsmtp relay limit", "them", _GOOGLE, later=True),
    ReplyMeaning("Gmail", r"exceeded google's message size", "us", _GOOGLE),
    ReplyMeaning("Microsoft", r"\b[45]\.2\.12[12]\b", "them", _MICROSOFT, later=True),
    ReplyMeaning("Microsoft", r"\bresolver\.adr\.", "address", _MICROSOFT),
    ReplyMeaning("Microsoft", r"\b5\.7\.1(?:24|29|3[3-6])\b", "mailbox", _MICROSOFT),  # takes mail from some alone
    ReplyMeaning(
        "Microsoft",
        r"\b5\.4\.1\b.*recipient address(?:es)? rejected ?: access denied",
        "address",
        _MICROSOFT,
        at_rcpt=True,
    ),
    ReplyMeaning("Microsoft", r"\b5\.5\.0\b.*\bmailbox unavailable\b(?! or )", "address", _MICROSOFT, at_rcpt=True),
    ReplyMeaning("Yahoo", r"\[(?:tss|ts|ph|bl)[0-9]{2}\]", "us", _YAHOO),
    ReplyMeaning("Yahoo", r"delivery error: dd (?:this user doesn't have|◊ is no longer valid)", "address", _YAHOO),
    ReplyMeaning("Yahoo", r"delivery error: dd .*this mailbox is disabled", "address", _YAHOO),
    ReplyMeaning("Yahoo", r"delivery error: dd requested mail action aborted", "them", _YAHOO),
    ReplyMeaning("QQ", r"\bfrequency limited\b", "them", _QQ, later=True),
    # Its page: this reader gets too much at once, and is to be left alone for a while.
    ReplyMeaning("QQ", r"mailbox unavailable or access denied", "them", _QQ, later=True),
    ReplyMeaning("QQ", r"mail is rejected by recipients?", "mailbox", _QQ),
    ReplyMeaning("QQ", r"^\W*bad address syntax", "address", _QQ, at_rcpt=True),
    ReplyMeaning("NetEase", r"\bhl:(?:icc|ifc)\b|\b(?:mi|rp):(?:cel|ccl|dmc)\b", "them", _NETEASE, later=True),
    ReplyMeaning("NetEase", r"\b(?:mi:(?:sfq|stc)|rp:(?:drc|qrc|trc))\b", "them", _NETEASE, later=True),
    ReplyMeaning("NetEase", r"\bhl:(?:rep|mep|ihu|ipb)\b|\bdt:(?:spm|rbl|sum|spb)\b", "us", _NETEASE),
    ReplyMeaning("NetEase", r"\bmi:(?:spf|nhd|spb|dma)\b|\bwm:bl[iu]\b", "us", _NETEASE),
    ReplyMeaning("Orange", r"\bofr(?:[0-9]{3})?_?416\b", "address", _ORANGE),
    ReplyMeaning("Orange", r"\bofr(?:[0-9]{3})?_?417\b", "mailbox", _ORANGE),
    ReplyMeaning("Orange", r"\bofr[0-9]{3}_(?:104|109)\b|trop de connexions", "them", _ORANGE, later=True),
    ReplyMeaning("Orange", r"\bofr(?:[0-9]{3})?_?(?:102|103|405|506)\b", "us", _ORANGE),
    ReplyMeaning("Comcast", r"\bextended quota violation\b", "mailbox", _COMCAST),
    ReplyMeaning("Comcast", r"\bnot our customer\b|\bmailbox unallocated\b", "address", _COMCAST),
    ReplyMeaning("Mimecast", r"\buser entry\b|\bmanually blocked senders\b", "mailbox", _MIMECAST),
    ReplyMeaning("Mimecast", r"\banti-spoofing policy\b|\benvelope (?:blocked|rejected)\b", "us", _MIMECAST),
    ReplyMeaning("Mail.ru", r"invalid mailbox\b.*\bis unavailable: (?:account is disabled|user (?:not|is terminated))", "address", _MAILRU),
    ReplyMeaning("Rambler", r"recipient address rejected: (?:inactive|blocked)\b(?! (?:by|using|for)\b)", "mailbox", _NONE),
    ReplyMeaning("Free", r"mailbox has been blocked due to inactivity", "mailbox", "https://postmaster.free.fr/"),
    ReplyMeaning("Zoho", r"\bmailbox delivery (?:failure|restricted)\b.*\bpolicy\b|\bmailpolicy violation\b", "us", _NONE),
    ReplyMeaning("Zoho", r"\bmail rejected by destination domain\b", "us", _NONE),
    ReplyMeaning("Proofpoint", r"user email address is marked as invalid", "address", _NONE),
    ReplyMeaning("Trend Micro", r"recipient address rejected: invalid-recipient", "address", _TREND),
    ReplyMeaning("Trend Micro", r"recipient address rejected: no-domain", "them", _TREND),
    ReplyMeaning("Trend Micro", r"recipient address rejected: block-rcpt", "mailbox", _TREND),
    ReplyMeaning("Trend Micro", r"recipient address rejected: (?:block-send|ers-)", "us", _TREND),
    ReplyMeaning("ImprovMX", r"#id-5\.9\.[0235]\b|\bloop detected\b", "them", _IMPROVMX),  # the forwarding's set-up
    ReplyMeaning("qmail", r"^\W*sorry, no mailbox here by that name\b", "address", _NONE, at_rcpt=True),  # also under #5.7.17
    ReplyMeaning("Amazon SES", r"\bthrottling failure\b|\bmaximum sending rate exceeded", "them", _AMAZON, later=True),
    ReplyMeaning("Amazon SES", r"\bemail address is not verified\b", "us", _AMAZON),
)  # fmt: skip


@cache
def _compiled_reply_meanings() -> tuple[tuple[re.Pattern[str], ReplyMeaning], ...]:
    return tuple((re.compile(row.pattern), row) for row in PROVIDERS)


def find_reply_meaning(reply: str, *, answers_rcpt: bool) -> ReplyMeaning | None:
    """Returns the first row of the table that matches a reply; None if no row matches.

    `reply` was folded by `wording.fold_text` and has its codes and links. `answers_rcpt` is True if it is an
    answer to RCPT.
    """
    for pattern, row in _compiled_reply_meanings():
        if (answers_rcpt or not row.at_rcpt) and pattern.search(reply):
            return row
    return None

"""What a refusal means: replies as large receivers and common servers word them, and properties of all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.transports.refusal.receivers import PROVIDERS, ReplyMeaning
from mailer.transports.refusal.refusal import Cause, SmtpStage, classify_refusal
from mailer.transports.refusal.remedies import REMEDIES, Remedy

ADDRESS = [
    "550 5.7.1 No such user!",
    "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking it",
    "550 5.1.1 <spam@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 User unknown",
    "550 #5.1.1 bad address eve@example.org",
    "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)",
    "550 5.1.2 <eve@exmaple.org>: Recipient address rejected: Domain not found",
    "553 5.1.3 The recipient address is not a valid RFC-5321 address.",
    "551 5.1.6 has moved",
    "556 5.1.10 Recipient address has null MX",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "550 5.2.1 The email account that you tried to reach is disabled.",
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [X.prod.protection.outlook.com]",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    "550 #5.1.0 Address rejected.",
    "550 5.3.0 <eve@example.org>... No such user here",
    "550 No such user here",
    "550 user unknown",
    "550 <eve@example.org>: unknown user",
    "550 User not found: eve@example.net",
    "550 Mailbox not found. https://mail.example.net/help?policy=3",
    "550 The recipient may contain a non-existent account, please check the recipient address.",
    "550 Unrouteable address",
    "550 Invalid User",
    "550 RCPT (eve@example.net) dosn't exist, mailbox not exist",
    "552 1 Requested mail action aborted, mailbox not found",
    "550 Message was not accepted -- invalid mailbox. Local mailbox is unavailable: user not found",
    "550 5.0.0 This account has been disabled or discontinued [#102].",
    "550 This address no longer exists",
    "556 this domain takes no mail",
]

MAILBOX = [
    "552 5.2.2 The email account that you tried to reach is over quota and inactive.",
    "552 5.2.3 Message is larger than this mailbox takes",
    "550 User is overdrawn",
    "552 Mailbox is full",
    "552 Quota exceeded or service disabled",
    "550 User suspended",
    "554 5.2.0 recipient's mailbox is full",
    "550 Requested action not taken: mailbox unavailable",
]

US = [
    "550 5.7.1 Message refused",
    "554 5.7.1 <eve@example.org>: Relay access denied",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org",
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
    "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
    "553 5.7.2 [TSS09] All messages will be permanently deferred",
    "554 5.7.9 Message not accepted for policy reasons",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    "550 5.1.8 <desk@example.org>: Sender address rejected: Domain not found",
    "553 5.1.7 address syntax",
    "550 5.1.0 <desk@example.org>: Sender address rejected: User unknown in local recipient table",
    "550 5.1.1 <desk@example.org>: Sender address rejected: undeliverable address",
    "550 Verification failed for <desk@example.org> No Such User Here Sender verify failed",
    "550 Mail content denied",
    "550 Domain may not exist or DNS check failed",
    "550 Your account has been suspended",
    "550 Requested action not taken: mailbox unavailable Reject due to policy restrictions.",
    "554 5.6.0 Mail message is malformed. Not accepted.",
    "552 5.3.4 Message size exceeds fixed limit",
    "552 Message size exceeds fixed maximum message size",
    "503 5.5.1 Error: need MAIL command",
    "550 we do not relay",
    "554 Transaction failed",
    "550 no",
    "500",
]

THEM = [
    "550 Mailbox unavailable or access denied",
    "421 4.7.0 Try again later, closing connection.",
    "450 4.2.0 <eve@example.org>: Recipient address rejected: Greylisted",
    "451 4.3.0 Temporary lookup failure",
    "450 4.1.1 <eve@example.org>: unverified address: user unknown",
    "450 mailbox busy",
    "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more.",
    "554 5.4.6 too many hops",
    "550 5.3.0 internal error",
    "554 5.3.2 system not accepting network messages",
]

TABLE = [
    *((reply, Cause.ADDRESS) for reply in ADDRESS),
    *((reply, Cause.MAILBOX) for reply in MAILBOX),
    *((reply, Cause.US) for reply in US),
    *((reply, Cause.THEM) for reply in THEM),
]


def read(reply: str, stage: SmtpStage = SmtpStage.RCPT) -> Cause:
    return classify_refusal(int(reply[:3]), reply[4:], stage).cause


@pytest.mark.parametrize(("reply", "cause"), TABLE)
def test_a_refusal_of_the_recipient(reply: str, cause: Cause) -> None:
    assert read(reply) is cause


@pytest.mark.parametrize("reply", [reply for reply, _ in TABLE if reply[0] == "5"])
def test_who_was_not_named_yet_is_not_blamed(reply: str) -> None:
    assert read(reply, SmtpStage.MAIL) not in (Cause.ADDRESS, Cause.MAILBOX)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        # Yahoo and others know the recipient only now, and say so.
        ("554 delivery error: dd This user doesn't have a example.com account [0]", Cause.ADDRESS),
        ("550 5.1.1 no such user", Cause.ADDRESS),
        ("552 5.2.2 over quota", Cause.MAILBOX),
        # What is vague is about the message.
        ("550 Requested action not taken: mailbox unavailable", Cause.US),
        ("550 5.5.0 mailbox unavailable", Cause.US),
        ("550 #5.1.0 Address rejected.", Cause.US),
        ("554 5.7.1 message contains spam", Cause.US),
        ("554 rejected", Cause.US),
        ("556 no", Cause.US),
    ],
)
@pytest.mark.parametrize("stage", [SmtpStage.DATA, SmtpStage.MESSAGE])
def test_a_refusal_of_the_message_is_rarely_the_address(reply: str, cause: Cause, stage: SmtpStage) -> None:
    assert read(reply, stage) is cause


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("421 4.7.26 unauthenticated mail is rate limited", Cause.US),
        ("421 4.7.28 unusual rate of mail from your address", Cause.US),
        ("452 4.2.2 The email account that you tried to reach is over quota", Cause.MAILBOX),
        ("451 4.7.1 greylisting in action", Cause.THEM),
    ],
)
def test_some_laters_have_a_cause_to_see_to(reply: str, cause: Cause) -> None:
    assert read(reply) is cause


@pytest.mark.parametrize("words", ["see 5.1.1.9", "ESMTP 15.1.1 ready", "version 5.1.1 of it"])
def test_what_only_looks_like_a_code_is_none(words: str) -> None:
    assert classify_refusal(550, words).cause is Cause.US


@given(st.integers(400, 599), st.text(max_size=600), st.sampled_from(SmtpStage))
def test_every_reply_has_a_cause(code: int, words: str, stage: SmtpStage) -> None:
    cause = classify_refusal(code, words, stage).cause
    assert cause is not Cause.ADDRESS or (code >= 500 and stage is not SmtpStage.MAIL)


@given(st.text(max_size=100), st.integers(2, 999), st.sampled_from(SmtpStage))
def test_a_policy_code_never_strikes_the_reader_off(words: str, detail: int, stage: SmtpStage) -> None:
    assert classify_refusal(550, f"5.7.{detail} no such user {words}", stage).cause is not Cause.ADDRESS


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: f"{row.provider} {row.pattern}"[:40])
def test_a_provider_row_has_a_cause_and_its_page(row: ReplyMeaning) -> None:
    assert Cause(row.cause)
    assert row.source.startswith(("https://", "http://")) or not row.source
    assert not (row.later and row.cause == Cause.ADDRESS)


@pytest.mark.parametrize("row", REMEDIES, ids=lambda row: f"{row.provider} {row.pattern}"[:40])
def test_a_remedy_says_what_to_do_and_where_it_is_told(row: Remedy) -> None:
    assert row.todo
    assert row.todo[-1] != "."
    assert row.source.startswith("https://")

"""What the table of receivers says of a reply: for each row, one that no other row answers to."""

from __future__ import annotations

import pytest

from mailer.transports.refusal.receivers import PROVIDERS, find_reply_meaning
from mailer.transports.refusal.remedies import REMEDIES, remedy_for

#: A folded reply (an address is ◊), the provider and the cause, in the order of the rows.
ROWS = [
    ("see https://support.google.com/mail/?p=nosuchuser x - gsmtp", "Gmail", "address"),
    ("see https://support.google.com/mail/?p=overquotatemp x", "Gmail", "mailbox"),
    ("the user you are trying to contact is receiving mail too quickly", "Gmail", "them"),
    ("5.4.5 daily user sending quota exceeded", "Gmail", "them"),
    ("your message exceeded google's message size limits", "Gmail", "us"),
    ("5.2.121 recipient's per hour limit", "Microsoft", "them"),
    ("resolver.adr.recipnotfound; not found", "Microsoft", "address"),
    ("5.7.129 restricted to senders", "Microsoft", "mailbox"),
    ("5.4.1 recipient address rejected: access denied", "Microsoft", "address"),
    ("5.5.0 requested action not taken: mailbox unavailable", "Microsoft", "address"),
    ("[tss04] messages from 192.0.2.1 temporarily deferred", "Yahoo", "us"),
    ("delivery error: dd this user doesn't have a yahoo.com account", "Yahoo", "address"),
    ("delivery error: dd sorry, this mailbox is disabled", "Yahoo", "address"),
    ("delivery error: dd requested mail action aborted", "Yahoo", "them"),
    ("connection frequency limited", "QQ", "them"),
    ("mailbox unavailable or access denied", "QQ", "them"),
    ("mail is rejected by recipients", "QQ", "mailbox"),
    ("bad address syntax", "QQ", "address"),
    ("mi:cel 163 smtp", "NetEase", "them"),
    ("rp:trc 163 smtp", "NetEase", "them"),
    ("dt:spm 163 smtp", "NetEase", "us"),
    ("mi:spf 163 smtp", "NetEase", "us"),
    ("ofr_416 adresse", "Orange", "address"),
    ("ofr_417 boite", "Orange", "mailbox"),
    ("ofr004_104", "Orange", "them"),
    ("ofr_506 contenu", "Orange", "us"),
    ("extended quota violation", "Comcast", "mailbox"),
    ("not our customer", "Comcast", "address"),
    ("user entry", "Mimecast", "mailbox"),
    ("anti-spoofing policy", "Mimecast", "us"),
    ("invalid mailbox. local mailbox ◊ is unavailable: user not found", "Mail.ru", "address"),
    ("recipient address rejected: inactive", "Rambler", "mailbox"),
    ("mailbox has been blocked due to inactivity", "Free", "mailbox"),
    ("mailpolicy violation error", "Zoho", "us"),
    ("mail rejected by destination domain", "Zoho", "us"),
    ("user email address is marked as invalid", "Proofpoint", "address"),
    ("recipient address rejected: invalid-recipient", "Trend Micro", "address"),
    ("recipient address rejected: no-domain", "Trend Micro", "them"),
    ("recipient address rejected: block-rcpt", "Trend Micro", "mailbox"),
    ("recipient address rejected: ers-dul", "Trend Micro", "us"),
    ("loop detected", "ImprovMX", "them"),
    ("sorry, no mailbox here by that name (#5.7.17)", "qmail", "address"),
    ("throttling failure: maximum sending rate exceeded", "Amazon SES", "them"),
    ("email address is not verified", "Amazon SES", "us"),
]
#: Of these rows, another time may do whatever the code; these hold in answer to RCPT alone.
LATER = {2, 3, 5, 14, 15, 18, 19, 24, 42}
AT_RCPT = {8, 9, 17, 41}
WITHOUT_A_PAGE = {"Rambler", "Zoho", "Proofpoint", "qmail"}


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_reply_means_what_the_page_of_its_provider_says(number: int) -> None:
    reply, provider, cause = ROWS[number]
    row = find_reply_meaning(reply, answers_rcpt=True)
    assert row is not None
    assert row is PROVIDERS[number]
    assert (row.provider, row.cause) == (provider, cause)
    assert row.source.startswith("http") or provider in WITHOUT_A_PAGE
    assert row.later is (number in LATER)
    elsewhere = find_reply_meaning(reply, answers_rcpt=False)
    assert elsewhere is (None if number in AT_RCPT else row)


def test_every_row_has_its_reply() -> None:
    assert len(ROWS) == len(PROVIDERS)


def test_a_reply_of_nobody_we_know_has_no_meaning_of_its_own() -> None:
    assert find_reply_meaning("user unknown", answers_rcpt=True) is None


#: A refusal, the provider, and words of what is to be done, in the order of the rows.
REMEDY_ROWS = [
    (
        "535 5.7.30 Basic authentication is not supported for Client Submission",
        "Microsoft",
        "log in by OAuth",
    ),
    ("535 5.7.139 Authentication unsuccessful", "Microsoft", "authenticated SMTP"),
    ("530 5.7.57 Client not authenticated to send mail", "Microsoft", "MAILER_SMTP_PASSWORD"),
    ("554 5.2.252 SendAsDenied; desk@example.org not allowed", "Microsoft", "Send As"),
    ("550 5.7.515 Access denied, sending domain example.org", "Microsoft", "SPF, DKIM and DMARC"),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "Microsoft", "sender.office.com"),
    ("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", "Microsoft", "SNDS"),
    ("550 5.7.1 part of their network is on our block list (S3140)", "Microsoft", "block list"),
    ("550 5.7.708 Service unavailable. Access denied, traffic not accepted", "Microsoft", "portal"),
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", "Yahoo", "complaints"),
    ("553 5.7.1 [BL21] Connections will not be accepted", "Yahoo", "by policy"),
    ("550 5.7.25 The IP address sending this message does not have a PTR record", "Gmail", "PTR record"),
    ("550 5.7.27 SPF did not pass", "Gmail", "publish an SPF record"),
    ("550 5.7.30 DKIM did not pass", "Gmail", "sign with DKIM"),
    ("550 5.7.26 the sender is unauthenticated", "Gmail", "publish SPF and DKIM"),
    ("421 4.7.32 From: header is not aligned", "Gmail", "DMARC record"),
    ("421 4.7.29 this message was not sent over TLS", "Gmail", "over TLS"),
    ("421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", "Gmail", "more slowly"),
    (
        "550 5.7.1 [192.0.2.1] very low reputation of the sending domain",
        "Gmail",
        "most recent readers",
    ),
    (
        "the server offers no SMTPUTF8, which the sender's address needs",
        "SMTP",
        "plain ASCII address",
    ),
]


@pytest.mark.parametrize("number", range(len(REMEDY_ROWS)))
def test_a_refusal_of_the_sender_is_told_with_what_to_do_and_where_it_is_written(number: int) -> None:
    refusal, provider, todo = REMEDY_ROWS[number]
    row = remedy_for(refusal)
    assert row is not None
    assert row is REMEDIES[number]
    assert (row.provider, todo in row.todo) == (provider, True)
    assert row.source.startswith("https://")


def test_every_remedy_has_its_refusal() -> None:
    assert len(REMEDY_ROWS) == len(REMEDIES)


def test_a_refusal_of_a_reader_has_no_remedy() -> None:
    assert remedy_for("550 5.1.1 user unknown") is None
    assert remedy_for("550 5.2.2 mailbox full") is None
    assert remedy_for("550 5.1.1 user unknown (version 7.25)") is None

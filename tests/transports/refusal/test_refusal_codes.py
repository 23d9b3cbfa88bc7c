"""What a refusal means by its codes, and where its words or its stage say something else."""

from __future__ import annotations

import pytest

from mailer.transports.refusal.refusal import (
    Cause,
    RefusalClassification,
    SmtpStage,
    classify_refusal,
    parse_enhanced_code,
)


def read(reply: str, stage: SmtpStage = SmtpStage.RCPT) -> RefusalClassification:
    return classify_refusal(int(reply[:3]), reply[4:], stage)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("5.0.0", Cause.US),
        ("5.1.0", Cause.US),
        ("5.1.1", Cause.ADDRESS),
        ("5.1.2", Cause.ADDRESS),
        ("5.1.3", Cause.ADDRESS),
        ("5.1.4", Cause.ADDRESS),
        ("5.1.5", Cause.US),
        ("5.1.6", Cause.ADDRESS),
        ("5.1.7", Cause.US),
        ("5.1.8", Cause.US),
        ("5.1.9", Cause.US),
        ("5.1.10", Cause.ADDRESS),
        ("5.1.11", Cause.US),
        ("5.2.0", Cause.THEM),
        ("5.2.1", Cause.ADDRESS),
        ("5.2.2", Cause.MAILBOX),
        ("5.2.3", Cause.MAILBOX),
        ("5.2.4", Cause.THEM),
        ("5.3.1", Cause.THEM),
        ("5.3.4", Cause.US),
        ("5.4.1", Cause.THEM),
        ("5.5.1", Cause.US),
        ("5.6.1", Cause.US),
        ("5.7.1", Cause.US),
    ],
)
def test_where_the_words_say_nothing_the_code_does(code: str, cause: Cause) -> None:
    assert read(f"550 {code} no") == (False, cause)
    assert read(f"550 no (#{code})") == (False, cause)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("4.1.1", Cause.THEM),
        ("4.1.6", Cause.THEM),
        ("4.1.7", Cause.US),
        ("4.1.8", Cause.US),
        ("4.1.9", Cause.THEM),
        ("4.2.1", Cause.THEM),
        ("4.2.2", Cause.MAILBOX),
        ("4.2.3", Cause.THEM),
        ("4.2.7", Cause.THEM),
        ("4.3.2", Cause.THEM),
    ],
)
def test_where_the_words_say_nothing_the_code_of_a_temporary_refusal_does(code: str, cause: Cause) -> None:
    assert read(f"450 {code} no") == (True, cause)


@pytest.mark.parametrize("detail", [20, 21, 39, 40, 515, 650, 651])
def test_a_code_of_authentication_is_about_us_and_no_limit(detail: int) -> None:
    assert read(f"450 4.7.{detail} no") == (True, Cause.US)
    assert read(f"550 5.7.{detail} try again later") == (False, Cause.US)
    assert read(f"450 4.7.{detail} greylisted") == (True, Cause.THEM)


@pytest.mark.parametrize(
    "code", ["7.19", "7.41", "7.514", "7.516", "7.649", "7.652", "3.20", "6.40", "0.515"]
)
def test_no_other_code_is_one_of_authentication(code: str) -> None:
    assert read(f"450 4.{code} no") == (True, Cause.THEM)
    assert read(f"550 5.{code} try again later") == (True, Cause.THEM)


@pytest.mark.parametrize(
    ("code", "later"), [(400, True), (401, True), (498, True), (499, True), (500, False), (599, False)]
)
def test_the_class_of_the_code_says_whether_another_attempt_may_succeed(code: int, later: bool) -> None:
    assert classify_refusal(code, "no").later is later


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        # About the sender, whatever the code.
        ("450 4.1.1 Sender address rejected: unknown", Cause.US),
        ("450 4.2.2 unknown sender", Cause.US),
        ("450 4.3.0 refused as spam", Cause.US),
        ("450 4.3.0 authentication required", Cause.US),
        # A limit, or our own room, is not the mailbox's.
        ("452 4.2.2 rate limit exceeded", Cause.THEM),
        ("452 4.2.2 over quota: your account", Cause.THEM),
        ("452 4.2.2 too many hops", Cause.THEM),
        ("450 too many errors", Cause.THEM),
        ("452 mailbox full", Cause.MAILBOX),
        ("452 4.1.1 mailbox full", Cause.MAILBOX),
        ("452 4.7.1 mailbox full", Cause.MAILBOX),
        ("452 4.3.1 mailbox full", Cause.THEM),
        # A policy is about us only where no other code says what it is.
        ("450 blocked", Cause.US),
        ("450 4.7.1 blocked", Cause.US),
        ("450 4.3.0 blocked", Cause.THEM),
        # A temporary refusal is never the address's, whatever the provider's page says.
        ("450 RESOLVER.ADR.RecipientNotFound", Cause.THEM),
        ("450 sorry, no mailbox here by that name", Cause.THEM),
        ("450 no", Cause.THEM),
    ],
)
def test_the_words_of_a_temporary_refusal(reply: str, cause: Cause) -> None:
    assert read(reply) == (True, cause)


@pytest.mark.parametrize(
    "words", ["greylisted", "5.7.1 greylisted", "rate limit exceeded", "try again later"]
)
def test_a_permanent_code_beside_words_about_a_limit_or_a_grey_list_is_for_later(words: str) -> None:
    assert read(f"550 {words}") == (True, Cause.THEM)


@pytest.mark.parametrize(
    "words", ["greylisted as spam", "permanently: rate limit exceeded", "no such user, try again later"]
)
def test_such_words_beside_others_that_are_for_good_are_not(words: str) -> None:
    assert not read(f"550 {words}").later


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        # A policy code is about us, unless a vague one has words about the recipient alone.
        ("550 5.7.0 no such user", Cause.ADDRESS),
        ("550 5.7.1 no such user", Cause.ADDRESS),
        ("550 5.7.2 no such user", Cause.US),
        ("550 5.7.1 no such user: blocked", Cause.US),
        ("550 5.7.1 no such user in your organization", Cause.US),
        ("550 5.7.1 mailbox full", Cause.MAILBOX),
        ("550 5.7.2 mailbox full", Cause.US),
        ("550 5.7.1 user suspended", Cause.MAILBOX),
        ("550 5.7.1 user suspended for spam", Cause.US),
        ("550 5.7.1 your account is suspended", Cause.US),
        # The words come before the code.
        ("550 5.1.1 mailbox full", Cause.MAILBOX),
        ("550 5.1.1 user suspended", Cause.MAILBOX),
        ("550 5.1.1 user suspended for spam", Cause.US),
        ("550 5.1.1 blocked", Cause.US),
        ("550 5.1.1 user unknown, and suspended", Cause.ADDRESS),
        ("550 5.1.1 user unknown to the spam filter", Cause.ADDRESS),
        ("550 5.1.1 no such user in your organization", Cause.ADDRESS),
        ("550 5.1.1 no such user in your organization, reported as spam", Cause.US),
        ("550 5.2.3 reported as spam: your server", Cause.US),
        ("550 5.2.2 reported as spam: your server", Cause.US),
        ("550 5.2.3 blocked", Cause.MAILBOX),
        # Some codes say it all.
        ("550 5.1.7 user unknown", Cause.US),
        ("550 5.1.8 user unknown", Cause.US),
        ("550 5.1.8 user suspended", Cause.US),
        ("550 5.1.9 user unknown", Cause.ADDRESS),
        ("550 5.6.0 user unknown", Cause.US),
        ("550 5.5.0 user unknown", Cause.ADDRESS),
        ("503 user unknown", Cause.US),
        ("503 mailbox full", Cause.MAILBOX),
        # Whose server is in trouble cannot know whether the mailbox exists.
        ("550 5.1.1 ldap error", Cause.THEM),
        ("550 user unknown: ldap error", Cause.THEM),
        ("550 5.5.0 ldap error", Cause.US),
        ("550 5.2.3 ldap error", Cause.MAILBOX),
        ("550 ldap error", Cause.US),
        # Without a code.
        ("550 user suspended", Cause.MAILBOX),
        ("550 user suspended for spam", Cause.US),
        ("550 your account is suspended", Cause.US),
        ("550 no such user: blocked", Cause.US),
        ("550 <eve@example.org> unknown", Cause.ADDRESS),
        ("550 unknown", Cause.US),
        ("550 not found", Cause.US),
        ("550 no such user in your organization", Cause.US),
        ("550 5.1.0 address rejected", Cause.ADDRESS),
        ("550 5.1.0 recipient address rejected", Cause.ADDRESS),
        ("550 5.1.0 the address rejected it", Cause.US),
        ("550 5.5.0 address rejected", Cause.US),
        ("550 address rejected", Cause.US),
        ("556 no", Cause.ADDRESS),
        ("555 no", Cause.US),
        ("550 recipient not available", Cause.MAILBOX),
        ("554 no valid recipients", Cause.ADDRESS),
        # A row of a provider about the address, beside words about the sender.
        ("550 5.0.0 RESOLVER.ADR.BadPrimary; unknown sender", Cause.US),
        ("550 5.0.0 RESOLVER.ADR.BadPrimary; unknown", Cause.ADDRESS),
        # A code or a link is no part of the words.
        ("550 user#5.0.0unknown", Cause.ADDRESS),
        ("550 no, see https://example.org/?user-unknown", Cause.US),
        ("550 no, see https://example.org/ (#5.1.1)", Cause.ADDRESS),
    ],
)
def test_the_words_of_a_permanent_refusal(reply: str, cause: Cause) -> None:
    assert read(reply) == (False, cause)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("550 no such user", Cause.ADDRESS),
        ("550 5.1.1 user unknown", Cause.ADDRESS),
        ("552 mailbox full", Cause.MAILBOX),
        ("550 5.2.1 user suspended", Cause.MAILBOX),
        ("554 no valid recipients", Cause.US),
        ("556 no", Cause.US),
        ("550 5.1.0 address rejected", Cause.US),
        ("550 recipient not available", Cause.US),
    ],
)
@pytest.mark.parametrize("stage", [SmtpStage.DATA, SmtpStage.MESSAGE])
def test_after_the_recipient_was_taken_only_clear_words_are_about_the_recipient(
    reply: str, cause: Cause, stage: SmtpStage
) -> None:
    assert read(reply, stage) == (False, cause)


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        ("550 5.1.1 user unknown", (False, Cause.US)),
        ("552 5.2.2 over quota", (False, Cause.US)),
        ("550 5.3.0 no", (False, Cause.US)),
        ("550 blocked", (False, Cause.US)),
        ("452 4.2.2 over quota", (True, Cause.THEM)),
        ("450 4.1.1 user unknown", (True, Cause.THEM)),
        ("450 4.7.26 unauthenticated", (True, Cause.US)),
        ("450 no", (True, Cause.THEM)),
        ("550 rate limit exceeded", (True, Cause.THEM)),
    ],
)
def test_before_the_recipient_is_named_a_refusal_is_not_about_the_recipient(
    reply: str, meaning: tuple[bool, Cause]
) -> None:
    assert read(reply, SmtpStage.MAIL) == meaning


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("5.1.1 gone", (1, 1)),
        ("4.7.650 later", (7, 650)),
        ("550 5.1.1 gone", (1, 1)),
        ("550-5.1.1 gone", (1, 1)),
        ("smtp;550 5.1.1 gone", (1, 1)),
        ("X-SMTP; 550-5.1.1 gone", (1, 1)),
        ("failed,eve (mx.example.org),smtp;550 5.1.1 gone", (1, 1)),
        ("gone (#5.1.1)", (1, 1)),
        ("gone ( 5.1.1)", (1, 1)),
        ("gone - 5.1.1", (1, 1)),
        ("cuda_nsu 5.1.1 gone", (1, 1)),
        ("said: 550 5.1.1 gone", (1, 1)),
        ("said: 550-5.1.1 gone", (1, 1)),
        ("3.1.1 gone", None),
        ("5.1.1.1 gone", None),
        ("5.1.1111 gone", None),
        ("version 5.1.1", None),
        ("gone", None),
        ("550", None),
        ("", None),
    ],
)
def test_the_enhanced_code_of_a_reply(reply: str, code: tuple[int, int] | None) -> None:
    assert parse_enhanced_code(reply) == code

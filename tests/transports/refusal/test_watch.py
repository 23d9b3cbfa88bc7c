"""Which refusals the watch counts, which of them concern everybody, and which texts count as the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from mailer.transports.refusal.watch import (
    RefusalWatch,
    all_readers_refused_message,
    is_about_login,
    may_concern_everybody,
    must_be_held_back,
    stops_campaign,
)

ACCEPTED = Outcome(OutcomeKind.ACCEPTED)
SKIPPED = Outcome(OutcomeKind.SKIPPED)
UNCERTAIN = Outcome(OutcomeKind.UNCERTAIN)


def rejected(reason: str, cause: Cause | None = Cause.ADDRESS) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, "", reason, cause)


def deferred(reason: str, cause: Cause | None = Cause.THEM) -> Outcome:
    return Outcome(OutcomeKind.DEFERRED, "", reason, cause)


INVALID = rejected("550 Invalid recipient")
GREY = deferred("450 4.2.0 Greylisted")
#: The text is about the sender; the second asks for something else than the first.
UNAUTHENTICATED = rejected("550 5.7.26 the sender is unauthenticated", Cause.US)
NO_PTR = deferred("450 4.7.25 no PTR record", Cause.US)
OWN_CHECK = rejected("the domain of the address is no host name", Cause.ADDRESS)


@dataclass(frozen=True)
class Message:
    """What the watch reads of a message; readers with odd numbers are of another domain."""

    subscriber_id: int
    address: str
    attempt: int = 1

    @property
    def key(self) -> tuple[int, int]:
        return self.subscriber_id, self.attempt


def note(
    watch: RefusalWatch,
    outcomes: Iterable[Outcome],
    *,
    first: int = 0,
    attempt: int = 1,
    domains: Sequence[str] = ("example.org", "example.net"),
) -> None:
    """Notes these outcomes together, each of a reader of their own, by turns of these domains."""
    messages = [
        (Message(number, f"reader{number}@{domains[number % len(domains)]}", attempt), outcome)
        for number, outcome in enumerate(outcomes, first)
    ]
    watch.note_outcomes(messages)


def watched(*parts: Iterable[Outcome], watch: RefusalWatch | None = None) -> RefusalWatch:
    """A watch that has noted these parts, one after the other."""
    watch = watch or RefusalWatch()
    number = 0
    for part in parts:
        outcomes = list(part)
        note(watch, outcomes, first=number)
        number += len(outcomes)
    return watch


# -- everybody gets the same text ------------------------------------------------------------------


def test_twenty_readers_with_the_same_text_are_everybody_and_nineteen_are_not() -> None:
    watch = watched([INVALID] * 19)
    assert (watch.must_stop, watch.everybody, watch.accepted) == (False, "", False)
    note(watch, [INVALID], first=19)
    assert (watch.must_stop, watch.everybody) == (True, "550 Invalid recipient")
    assert (watch.remedy, watch.returned) == ("", set())


def test_a_reader_who_is_refused_twice_counts_once() -> None:
    watch = watched([INVALID] * 19)
    note(watch, [INVALID] * 19)
    assert not watch.must_stop


@pytest.mark.parametrize(("others", "stops"), [(19, True), (20, False), (21, False)])
def test_everybody_is_more_than_those_with_another_answer(others: int, stops: bool) -> None:
    assert watched([GREY] * others, [INVALID] * 20).must_stop is stops


@pytest.mark.parametrize(
    ("domains", "stops"),
    [(["example.org"], False), (["example.org", "EXAMPLE.org"], False), (["example.org", "a.org"], True)],
)
def test_refusals_of_one_domain_are_not_of_everybody(domains: list[str], stops: bool) -> None:
    watch = RefusalWatch()
    note(watch, [INVALID] * 30, domains=domains)
    assert watch.must_stop is stops
    assert bool(watch.refusal_text_of_all_readers()) is stops


@pytest.mark.parametrize("refusal", [rejected("550 relaying denied"), deferred("454 relay denied", Cause.US)])
def test_of_one_domain_a_demand_for_a_login_concerns_everybody(refusal: Outcome) -> None:
    watch = RefusalWatch()
    note(watch, [refusal] * 20, domains=["example.org"])
    assert watch.everybody == refusal.reason


def test_the_text_that_everybody_got_first_is_told() -> None:
    other = rejected("550 No such user")
    watch = watched([INVALID] * 20, [other] * 20)
    assert watch.everybody == "550 Invalid recipient"
    assert watch.refusal_text_of_all_readers() == "550 Invalid recipient"


@pytest.mark.parametrize(
    ("number", "text"), [(4, ""), (5, "550 Invalid recipient"), (19, "550 Invalid recipient")]
)
def test_of_a_run_that_is_over_five_readers_are_everybody(number: int, text: str) -> None:
    watch = watched([INVALID] * number)
    assert not watch.must_stop
    assert watch.refusal_text_of_all_readers() == text
    assert watch.must_stop is bool(text)


@pytest.mark.parametrize(
    "other", [GREY, UNCERTAIN, rejected("550 No such user"), deferred("450 spam", Cause.US)]
)
def test_of_a_run_that_is_over_one_with_another_answer_shows_that_not_everybody_is_refused(
    other: Outcome,
) -> None:
    assert watched([INVALID] * 5, [other]).refusal_text_of_all_readers() == ""
    assert watched([other], [INVALID] * 5).refusal_text_of_all_readers() == ""


@pytest.mark.parametrize("other", [SKIPPED, OWN_CHECK])
def test_who_was_not_sent_anything_shows_nothing(other: Outcome) -> None:
    assert watched([INVALID] * 5, [other] * 9).refusal_text_of_all_readers() == "550 Invalid recipient"
    assert watched([other] * 20).refusal_text_of_all_readers() == ""


def test_a_run_without_refusals_has_none_of_everybody() -> None:
    assert RefusalWatch().refusal_text_of_all_readers() == ""
    assert not RefusalWatch().must_stop


@pytest.mark.parametrize("refusal", [GREY, deferred("450 content refused", Cause.US)])
def test_temporary_refusals_that_ask_for_no_login_are_not_of_everybody(refusal: Outcome) -> None:
    watch = watched([refusal] * 40)
    assert not watch.must_stop
    assert watch.refusal_text_of_all_readers() == ""


def test_who_is_deferred_with_the_text_of_the_refused_is_one_of_them() -> None:
    refused = rejected("400 not verified", Cause.US)
    later = deferred("400 not verified", Cause.US)
    assert watched([later] * 19 + [refused]).everybody == "400 not verified"
    assert watched([refused], [later] * 19).everybody == "400 not verified"
    assert not watched([later] * 19, [refused]).must_stop


def test_who_is_deferred_for_another_cause_is_none_of_the_refused() -> None:
    later = deferred("550 Invalid recipient", Cause.THEM)
    assert watched([INVALID] * 5, [later]).refusal_text_of_all_readers() == ""


# -- somebody is accepted --------------------------------------------------------------------------


def test_after_one_is_accepted_no_refusal_is_of_everybody() -> None:
    for watch in (
        watched([INVALID] * 19, [ACCEPTED], [INVALID] * 20),
        watched([INVALID] * 19, [ACCEPTED, INVALID]),
        watched([INVALID] * 30 + [ACCEPTED]),
        watched([INVALID] * 30, watch=RefusalWatch(accepted=True)),
    ):
        assert watch.accepted
        assert not watch.must_stop
        assert watch.refusal_text_of_all_readers() == ""


def test_who_was_refused_before_somebody_was_accepted_is_forgotten() -> None:
    watch = watched([INVALID] * 5, [ACCEPTED])
    assert watch.refusal_text_of_all_readers() == ""


@pytest.mark.parametrize("outcome", [SKIPPED, INVALID, GREY, UNCERTAIN, UNAUTHENTICATED])
def test_no_other_outcome_shows_that_the_server_accepts_mail(outcome: Outcome) -> None:
    assert not watched([outcome] * 3).accepted


def test_an_acceptance_of_an_earlier_run_does_not_prove_that_the_login_still_holds() -> None:
    assert watched([INVALID] * 20, watch=RefusalWatch(accepted_before=True)).must_stop


@pytest.mark.parametrize(("accepted_before", "stops"), [(True, False), (False, True)])
def test_who_was_deferred_in_an_earlier_run_that_accepted_others_is_not_counted(
    accepted_before: bool, stops: bool
) -> None:
    watch = RefusalWatch(accepted_before=accepted_before)
    watch.was_deferred = lambda number: number < 20
    note(watch, [INVALID] * 20)
    assert watch.must_stop is stops
    note(watch, [INVALID] * 21, first=20)
    assert watch.must_stop


# -- the text is about the sender ------------------------------------------------------------------


def test_a_refusal_of_the_sender_stops_the_run_at_once_and_is_not_held_against_the_reader() -> None:
    watch = RefusalWatch()
    note(watch, [ACCEPTED, NO_PTR, UNAUTHENTICATED], first=7, attempt=2)
    assert watch.must_stop
    assert watch.returned == {(8, 2), (9, 2)}
    assert watch.everybody == ""
    assert watch.remedy == (
        "the refusal is about us, not about the readers: 550 5.7.26 the sender is unauthenticated; publish"
        " SPF and DKIM for the domain of `from`, so that one of them passes (`mailer doctor` checks this)"
        " (https://support.google.com/mail/answer/81126)"
    )


def test_the_first_refusal_of_the_sender_is_told() -> None:
    watch = watched([NO_PTR], [UNAUTHENTICATED])
    assert "450 4.7.25 no PTR record" in watch.remedy
    assert len(watch.returned) == 2


@pytest.mark.parametrize("batch", [[UNAUTHENTICATED], [ACCEPTED, UNAUTHENTICATED]])
def test_a_refusal_of_the_sender_counts_after_somebody_was_accepted_too(batch: list[Outcome]) -> None:
    assert watched([ACCEPTED], batch).must_stop


@pytest.mark.parametrize(
    ("watch", "attempt", "stops"),
    [
        (RefusalWatch(), 3, True),
        (RefusalWatch(accepted=True), 2, True),
        (RefusalWatch(accepted=True), 3, False),
        (RefusalWatch(accepted_before=True), 2, True),
        (RefusalWatch(accepted_before=True), 3, False),
    ],
)
def test_from_the_third_attempt_on_it_is_the_readers_own_matter_if_others_are_accepted(
    watch: RefusalWatch, attempt: int, stops: bool
) -> None:
    note(watch, [UNAUTHENTICATED], attempt=attempt)
    assert bool(watch.remedy) is stops
    assert bool(watch.returned) is stops


@pytest.mark.parametrize(
    ("outcome", "attempt", "others_accepted", "stops"),
    [
        (UNAUTHENTICATED, 1, True, True),
        (UNAUTHENTICATED, 2, True, True),
        (UNAUTHENTICATED, 3, True, False),
        (UNAUTHENTICATED, 4, True, False),
        (UNAUTHENTICATED, 3, False, True),
        (NO_PTR, 1, False, True),
        (rejected(UNAUTHENTICATED.reason, None), 1, False, True),
        (rejected(UNAUTHENTICATED.reason, Cause.THEM), 1, False, True),
        (rejected(UNAUTHENTICATED.reason, Cause.ADDRESS), 1, False, False),
        (rejected(UNAUTHENTICATED.reason, Cause.MAILBOX), 1, False, False),
        (Outcome(OutcomeKind.UNCERTAIN, "", UNAUTHENTICATED.reason, Cause.US), 1, False, False),
        (Outcome(OutcomeKind.ACCEPTED, "", UNAUTHENTICATED.reason), 1, False, False),
        (rejected("550 5.7.1 blocked", Cause.US), 1, False, False),
        (INVALID, 1, False, False),
        (ACCEPTED, 1, False, False),
    ],
)
def test_what_stops_a_campaign(outcome: Outcome, attempt: int, others_accepted: bool, stops: bool) -> None:
    assert stops_campaign(outcome, attempt=attempt, others_accepted=others_accepted) is stops


# -- what is held back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        (INVALID, True),
        (rejected("550 blocked", Cause.US), True),
        (rejected("the server offers no SMTPUTF8", Cause.US), True),
        (rejected("552 full", Cause.MAILBOX), True),
        (rejected("550 refused", None), True),
        (OWN_CHECK, False),
        (deferred("454 4.7.1 Relay access denied", Cause.US), True),
        (deferred("454 4.7.1 Relay access denied", Cause.THEM), False),
        (deferred("450 blocked", Cause.US), False),
        (GREY, False),
        (ACCEPTED, False),
        (SKIPPED, False),
        (UNCERTAIN, False),
        (Outcome(OutcomeKind.UNCERTAIN, "", "454 4.7.1 Relay access denied", Cause.US), False),
    ],
)
def test_rejections_and_demands_for_a_login_are_held_back(outcome: Outcome, held: bool) -> None:
    assert must_be_held_back(outcome) is held


@pytest.mark.parametrize(
    ("reason", "asks"),
    [
        ("454 4.7.1 <eve@example.org>: Relay access denied", True),
        ("550 Authentication Required", True),
        ("550 5.1.1 User unknown", False),
        ("550 <rcpthosts@example.org>: unknown", False),
        ("", False),
    ],
)
def test_a_demand_for_a_login_is_read_from_the_words_and_not_from_an_address(reason: str, asks: bool) -> None:
    assert is_about_login(reason) is asks


# -- a run that died -------------------------------------------------------------------------------

FULL = rejected("552 mailbox full", Cause.MAILBOX)
GONE = rejected("550 No such user")


@pytest.mark.parametrize(
    ("outcomes", "may"),
    [
        ([], False),
        ([INVALID], True),
        ([GREY], False),
        ([GREY, GREY], False),
        ([OWN_CHECK, OWN_CHECK], False),
        ([INVALID, INVALID], True),
        ([INVALID, FULL], False),
        ([INVALID, GREY], False),
        ([INVALID, FULL, GONE], False),
        ([INVALID, INVALID, FULL], True),
        ([FULL, INVALID, INVALID, GONE], True),
        ([INVALID, INVALID, *[GREY] * 9], True),
    ],
)
def test_two_refusals_with_the_same_text_or_the_only_one_may_concern_everybody(
    outcomes: list[Outcome], may: bool
) -> None:
    refusals = [(f"reader{number}@example.org", outcome) for number, outcome in enumerate(outcomes)]
    assert may_concern_everybody(refusals) is may


# -- which texts are the same ----------------------------------------------------------------------


def are_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two refusals, each an address and its text, count as the same."""
    return may_concern_everybody([(address, rejected(reason, Cause.US)) for address, reason in (one, other)])


EVE, BOB = "eve.adams@example.org", "bob@example.net"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 unknown", "550 unknown"),
        ("550 User Unknown", "550 user  unknown"),
        ("550-5.1.1 unknown", "550 5.1.1 unknown"),
        ("550 <eve.adams@example.org>: unknown", "550 <bob@example.net>: unknown"),
        ("550 eve.adams is unknown", "550 bob is unknown"),
        ("550 Eve Adams is unknown", "550 BOB is unknown"),
        ("550 eveadams is unknown", "550 bob is unknown"),
        ("550 eve.adams@example.org is unknown", "550 bob is unknown"),
        ("550 at mx.example.org refused", "550 at mx-in.a.example.net refused"),
        ("550 at mx.example.org refused", "550 at mx7 refused"),
        ("550 refused (id 12ab-c)", "550 refused (id 9)"),
        ("550 refused (id QwErTyUiOpAs)", "550 refused (id qweRTyuiopAB-_x)"),
        ("550 refused (id QwErTyUiOpAs)", "550 refused (id Qw3rTyUiOpAs)"),
        ("550 refused at 08:00:01", "550 refused at 23:59:59"),
    ],
)
def test_what_differs_from_reader_to_reader_makes_no_other_text(one: str, other: str) -> None:
    assert are_same((EVE, one), (BOB, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 unknown", "551 unknown"),
        ("550 5.1.1 unknown", "550 5.1.2 unknown"),
        ("550-5.1.1 unknown", "550-5.7.1 unknown"),
        ("550 5.1.1 unknown", "550 unknown"),
        ("550 unknown", "550 refused"),
        ("550 no where", "550 nowhere"),
        ("550 unknown", "550 unknown to bob"),
        ("550 maple is unknown", "550 birch is unknown"),
        ("sent too late", "send too late"),
    ],
)
def test_other_codes_and_other_words_are_another_text(one: str, other: str) -> None:
    assert not are_same((EVE, one), (BOB, other))


def test_a_name_is_not_taken_out_of_the_middle_of_a_word() -> None:
    assert are_same(("ow@example.org", "550 unknown ow"), ("eve@example.org", "550 unknown eve"))


@pytest.mark.parametrize(
    "word",
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
    ],
)
def test_a_local_part_that_is_a_word_of_replies_takes_no_word_out(word: str) -> None:
    said = f"550 this {word} was refused"
    assert are_same((f"{word}@example.org", said), (BOB, said))


def test_a_local_part_without_a_letter_takes_nothing_out() -> None:
    said = "550 user unknown (gone)"
    assert are_same(("_@example.org", said), (BOB, said))


# -- the message -----------------------------------------------------------------------------------

SMTP_ADVICE = (
    "check the user in the transport's URL and MAILER_SMTP_PASSWORD (or [delivery.oauth]),"
    " or ask the operator"
)


@pytest.mark.parametrize(
    ("server", "named"), [("mx.example.org:587", "mx.example.org:587"), ("", "the server")]
)
def test_the_message_names_the_server_the_answer_and_what_to_check(server: str, named: str) -> None:
    said = all_readers_refused_message("550 <eve@example.org>: denied", source="smtp", server=server)
    assert said == (
        f"{named} accepts no mail from us: 550 <the address>: denied; {SMTP_ADVICE};"
        " no reader is marked as refused"
    )

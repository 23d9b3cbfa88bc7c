"""A refusal of everybody, or one about us, marks no reader as refused, and the run stops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.consent.bounces import bounces_of
from mailer.audience.consent.record import Consent
from mailer.audience.subscribers import add
from mailer.audience.values.address import normalize_address
from mailer.config import Pace, Settings
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.errors import CircuitBreakerError
from mailer.spool.journal import Journal
from mailer.store.database import writing
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage, one_line
from mailer.transports.refusal.refusal import Cause, SmtpStage
from mailer.transports.refusal.watch import _text_without_reader_details
from mailer.transports.smtp.outcomes import outcome_of_reply
from mailer.transports.smtp.transport import Smtp
from mailer.transports.stop import StopFlag
from tests.servers.smtp import SmtpServer
from tests.spooled import (
    EDITION,
    DeskSpool,
    Scripted,
    add_readers,
    find_campaign,
    freeze,
    open_spool,
    run_spool,
    templates,
)

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")
INVALID = "550 Invalid recipient <{address}>"
RELAY = "454 4.7.1 <{address}>: Relay access denied"


def says(reply: str) -> Callable[[OutgoingMessage], Outcome]:
    """Everybody gets this reply, as a server words it that repeats the address and numbers its answers."""
    number = 0

    def decide(message: OutgoingMessage) -> Outcome:
        nonlocal number
        number += 1
        local, _, domain = message.address.partition("@")
        words = reply.format(address=message.address, local=local, domain=domain, number=number)
        return outcome_of_reply(int(words[:3]), one_line(words[4:]), SmtpStage.RCPT)

    return decide


def run(
    settings: Settings,
    spool: DeskSpool,
    transport: Scripted | Smtp,
    journal: Path,
    *,
    connections: int = 4,
    rejects: float = 1.0,
) -> Progress:
    return run_spool(
        spool,
        templates(settings, spool),
        transport,
        journal=journal,
        pacer=Pacer(Pace()),
        connections=connections,
        stop=StopFlag(),
        rejects=rejects,
    )


def left(spool: DeskSpool) -> dict[str, int]:
    return {state: number for state, number in spool.delivery_counts_by_state().items() if number}


def bounced(db: Database) -> int:
    return int(db.conn.execute("SELECT count(*) FROM subscribers WHERE status <> 'active'").fetchone()[0])


def two_domains(db: Database, number: int) -> list[int]:
    """Readers by turns of two domains."""
    consent = Consent(given_at="2026-01-01T00:00:00.000000Z", method="test", origin="")
    with writing(db):
        return [
            add(
                db,
                normalize_address(f"reader{i}@example.{'net' if i % 2 else 'org'}"),
                consent=consent,
                editions=[EDITION],
            )[0].id
            for i in range(number)
        ]


def smtp_spool(db: Database) -> DeskSpool:
    """A frozen campaign that goes by SMTP."""
    spool = freeze(db)
    db.conn.execute("UPDATE campaigns SET transport = 'smtp://mx.test'")
    db.conn.commit()
    return open_spool(db, find_campaign(db, spool.campaign.slug))


@pytest.mark.parametrize(
    "reply",
    [
        "550 Invalid recipient",
        INVALID,
        "550 5.1.1 {local}@{domain} unknown user (id {number}-ab3f)",
        "550 5.1.1 {local}: no such user at {domain} [Sat, 21 Nov 2026 08:00:0{number}]",
        "554 5.7.1 <{address}>: Relay access denied",
        RELAY,
        "454 4.7.1 Relaying denied",
        "550 authentication required",
        "550 5.7.1 Message rejected",
    ],
)
@pytest.mark.parametrize("connections", [1, 8])
def test_everybody_is_refused_in_the_same_words(
    db: Database, settings: Settings, journal: Path, reply: str, connections: int
) -> None:
    two_domains(db, 192)
    spool = smtp_spool(db)
    transport = Scripted(says(reply), concurrency=8)
    with pytest.raises(CircuitBreakerError) as caught:
        run(settings, spool, transport, journal, connections=connections)
    assert "accepts no mail from us: " in str(caught.value)
    assert "check the user in the transport's URL and MAILER_SMTP_PASSWORD" in str(caught.value)
    assert "@example" not in str(caught.value)
    assert left(spool) == {"pending": 192}
    assert bounced(db) == 0
    assert len(transport.sent) <= 20 + connections
    assert spool.non_delivery_reasons() == ()
    again = Scripted()
    run(settings, spool, again, journal)
    assert left(spool) == {"accepted": 192}


@pytest.mark.parametrize("number", [5, 12, 19])
def test_a_run_of_few_who_are_all_refused(
    db: Database, settings: Settings, journal: Path, number: int
) -> None:
    two_domains(db, number)
    spool = smtp_spool(db)
    with pytest.raises(CircuitBreakerError, match="accepts no mail from us: 550 Invalid recipient"):
        run(settings, spool, Scripted(says(INVALID)), journal)
    assert left(spool) == {"pending": number}
    assert bounced(db) == 0


@pytest.mark.parametrize("number", [1, 3, 4])
def test_with_fewer_it_is_the_address(db: Database, settings: Settings, journal: Path, number: int) -> None:
    two_domains(db, number)
    spool = smtp_spool(db)
    run(settings, spool, Scripted(says(INVALID)), journal)
    assert left(spool) == {"rejected": number}
    assert bounced(db) == number


def test_of_one_domain_it_is_the_address(db: Database, settings: Settings, journal: Path) -> None:
    add_readers(db, 30)
    spool = smtp_spool(db)
    run(settings, spool, Scripted(says("550 5.1.1 <{address}>: user unknown")), journal)
    assert left(spool) == {"rejected": 30}
    assert bounced(db) == 30


@pytest.mark.parametrize("reply", [RELAY, "550 5.7.1 relaying denied", "550 must be authenticated first"])
def test_of_one_domain_a_word_about_the_login_is_ours(
    db: Database, settings: Settings, journal: Path, reply: str
) -> None:
    add_readers(db, 30)
    spool = smtp_spool(db)
    with pytest.raises(CircuitBreakerError):
        run(settings, spool, Scripted(says(reply)), journal)
    assert left(spool) == {"pending": 30}


def test_in_different_words_it_is_the_addresses(db: Database, settings: Settings, journal: Path) -> None:
    two_domains(db, 30)
    spool = smtp_spool(db)
    here, there = says("550 5.1.1 user unknown"), says("550 no such mailbox")
    transport = Scripted(lambda m: here(m) if m.address.endswith(".org") else there(m))
    run(settings, spool, transport, journal)
    assert left(spool) == {"rejected": 30}
    assert bounced(db) == 30


def test_everybody_is_refused_in_one_of_three_sentences(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 90)
    spool = smtp_spool(db)
    kinds = [says(words) for words in ("550 Invalid recipient", "550 No such user", "550 5.1.1 User unknown")]
    transport = Scripted(lambda m: kinds[ids.index(m.subscriber_id) // 2 % 3](m))
    with pytest.raises(CircuitBreakerError):
        run(settings, spool, transport, journal)
    assert left(spool) == {"pending": 90}
    assert bounced(db) == 0


def test_one_who_is_accepted_makes_the_others_refused(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 40)
    spool = smtp_spool(db)
    refuse = says(INVALID)
    transport = Scripted(lambda m: ACCEPTED if m.subscriber_id == ids[10] else refuse(m))
    run(settings, spool, transport, journal, connections=1)
    assert left(spool) == {"accepted": 1, "rejected": 39}
    assert bounced(db) == 39


@pytest.mark.parametrize(
    "reply",
    [
        "450 4.2.0 <{address}>: Recipient address rejected: Greylisted, see http://postgrey.example.org/",
        "451 4.7.1 Greylisting in action, please come back later",
        "451 4.7.1 Please try again later",
        "450 4.7.1 <{address}>: Recipient address rejected: Policy restrictions; try again in 60 seconds",
        "451 4.3.0 Temporary lookup failure",
        "450 4.1.1 <{address}>: Recipient address rejected: unverified address",
    ],
)
def test_a_grey_list_puts_off_everybody_and_they_are_tried_again(
    db: Database, settings: Settings, journal: Path, reply: str
) -> None:
    two_domains(db, 500)
    spool = smtp_spool(db)
    progress = run(settings, spool, Scripted(says(reply)), journal)
    assert left(spool) == {"deferred": 500}
    assert progress.outcomes == {"deferred": 500}
    spool.make_deferred_deliveries_due()
    run(settings, spool, Scripted(), journal)
    assert left(spool) == {"accepted": 500}


def test_who_is_unknown_to_a_grey_list_has_bounced(db: Database, settings: Settings, journal: Path) -> None:
    ids = two_domains(db, 300)
    spool = smtp_spool(db)
    grey, gone = says("450 4.2.0 Greylisted"), says("550 5.1.1 <{address}>: User unknown")
    run(settings, spool, Scripted(lambda m: gone(m) if m.subscriber_id % 10 == 0 else grey(m)), journal)
    number = sum(i % 10 == 0 for i in ids)
    assert left(spool) == {"deferred": 300 - number, "rejected": number}
    assert bounced(db) == number


def test_who_is_refused_in_a_later_run_of_a_campaign_that_others_have(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 40)
    spool = smtp_spool(db)
    later = says("450 4.1.1 unverified address")
    run(settings, spool, Scripted(lambda m: later(m) if m.subscriber_id in ids[::3] else ACCEPTED), journal)
    assert left(spool) == {"accepted": 26, "deferred": 14}
    spool.make_deferred_deliveries_due()
    run(settings, spool, Scripted(says("550 5.1.1 user unknown")), journal)
    assert left(spool) == {"accepted": 26, "rejected": 14}
    assert bounced(db) == 14


def test_a_login_that_ends_between_two_runs_strikes_nobody_off(
    db: Database, settings: Settings, journal: Path
) -> None:
    two_domains(db, 60)
    spool = smtp_spool(db)
    taken = [(claim.person, claim.attempt, ACCEPTED, "") for claim in spool.claim(20) or ()]
    with writing(db):
        spool.settle(taken)
        spool.record_accepted_message()  # as the run before did
    for _ in range(3):
        with pytest.raises(CircuitBreakerError):
            run(settings, spool, Scripted(says("550 Invalid recipient")), journal)
    assert left(spool) == {"accepted": 20, "pending": 40}
    assert bounced(db) == 0


@pytest.mark.parametrize("gone", [25, 60])
def test_a_list_that_begins_with_readers_who_are_gone_gets_past_them(
    db: Database, settings: Settings, journal: Path, gone: int
) -> None:
    ids = two_domains(db, 150)
    spool = smtp_spool(db)
    unknown = says("550 5.1.1 user unknown")

    def decide(message: OutgoingMessage) -> Outcome:
        return unknown(message) if message.subscriber_id in ids[:gone] else ACCEPTED

    runs = 0
    while left(spool) != {"accepted": 150 - gone, "rejected": gone}:
        try:
            run(settings, spool, Scripted(decide), journal, connections=1)
        except CircuitBreakerError:
            assert bounced(db) == 0
        runs += 1
        assert runs <= 1 + gone // 20
    assert bounced(db) == gone


def test_who_is_refused_by_another_transport_than_others_have_it_from(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 40)
    spool = smtp_spool(db)
    later = says("450 4.2.0 later")
    run(settings, spool, Scripted(lambda m: later(m) if m.subscriber_id in ids[::3] else ACCEPTED), journal)
    for _ in range(3):
        db.conn.execute("UPDATE campaigns SET transport = 'smtp://other.test'")
        db.conn.commit()
        spool.make_deferred_deliveries_due()
        with pytest.raises(CircuitBreakerError):
            run(settings, spool, Scripted(says("550 Invalid recipient")), journal)
    assert left(spool) == {"accepted": 26, "pending": 14}
    assert bounced(db) == 0


def test_a_batch_that_is_refused_as_one(db: Database, settings: Settings, journal: Path) -> None:
    two_domains(db, 2500)
    spool = smtp_spool(db)
    spool.source = "sendgrid"
    refused = Outcome(OutcomeKind.REJECTED, "", "400 The from address is bad. (from.email)", Cause.US)
    transport = Scripted(lambda _: refused, batch=1000, concurrency=2)
    with pytest.raises(
        CircuitBreakerError, match=r"SendGrid accepts no mail from us: 400 The from address is bad\."
    ):
        run(settings, spool, transport, journal)
    assert left(spool) == {"pending": 2500}
    assert len(transport.sent) <= 2000


def test_one_after_the_other_who_is_named_until_the_transport_gives_up(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 2500)
    spool = smtp_spool(db)
    spool.source = "sendgrid"

    def first_is_named(message: OutgoingMessage) -> Outcome:
        words = f"400 not verified ({message.address}: to.0.email)"
        if message.subscriber_id in ids[::50]:
            return Outcome(OutcomeKind.REJECTED, "", words, Cause.ADDRESS)
        return Outcome(
            OutcomeKind.DEFERRED, "", "400 not verified (reader0@one.example: to.0.email)", Cause.US
        )

    with pytest.raises(CircuitBreakerError, match="SendGrid accepts no mail from us: 400 not verified"):
        run(settings, spool, Scripted(first_is_named, batch=1000, concurrency=2), journal)
    assert bounced(db) == 0
    assert left(spool).keys() == {"pending", "deferred"}


def test_some_of_a_batch_whom_the_provider_names_are_refused(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 100)
    spool = smtp_spool(db)
    named = Outcome(OutcomeKind.REJECTED, "", "400 Does not contain a valid address.", Cause.ADDRESS)
    transport = Scripted(lambda m: named if m.subscriber_id in ids[:30] else ACCEPTED, batch=1000)
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 70, "rejected": 30}


def test_a_stop_before_it_is_clear_counts_few_as_their_own_matter(
    db: Database, settings: Settings, journal: Path
) -> None:
    two_domains(db, 300)
    spool, stop = smtp_spool(db), StopFlag()
    refuse = says(INVALID)

    def decide(message: OutgoingMessage) -> Outcome:
        if len(transport.sent) >= 7:
            stop.set()
        return refuse(message)

    transport = Scripted(decide)
    with pytest.raises(CircuitBreakerError):
        run_spool(
            spool,
            templates(settings, spool),
            transport,
            journal=journal,
            pacer=Pacer(Pace()),
            connections=1,
            stop=stop,
        )
    assert len(transport.sent) < 20
    assert left(spool) == {"pending": 300}
    assert bounced(db) == 0


@pytest.mark.parametrize("number", [1, 5, 19, 40])
@pytest.mark.parametrize("boot", ["this", "another"])
def test_a_killed_run_that_knew_of_refusals_alone_strikes_nobody_off(
    db: Database, journal: Path, monkeypatch: pytest.MonkeyPatch, number: int, boot: str
) -> None:
    ids = two_domains(db, number)
    spool = smtp_spool(db)
    spool.claim(number)
    noted = Journal(journal)
    noted.note_begun_deliveries([(i, 1) for i in ids])
    refused = Outcome(OutcomeKind.REJECTED, "", "550 Invalid recipient", Cause.ADDRESS)
    noted.note_outcomes([(i, 1, refused) for i in ids])
    noted.close()
    if boot == "another":
        monkeypatch.setattr("mailer.spool.journal.boot_id", lambda: "another")
    assert spool.recover(journal) == {"pending": number}
    assert bounced(db) == 0
    assert bounces_of(db, ids[0]) == ()


def test_a_local_part_that_is_spelled_as_a_name_makes_no_difference() -> None:
    words = {
        _text_without_reader_details(f"550 Unknown user {said}", address)
        for said, address in [
            ("Eve Adams", "eve.adams@example.org"),
            ("BOB-HILL", "bob_hill@example.org"),
            ("ann", "ann@example.net"),
        ]
    }
    assert words == {"550  unknown user *"}


@pytest.mark.parametrize("number", [4, 32])
def test_a_killed_run_that_knew_of_two_kinds_of_refusals_strikes_nobody_off(
    db: Database, journal: Path, number: int
) -> None:
    ids = two_domains(db, number)
    spool = smtp_spool(db)
    spool.claim(number)
    noted = Journal(journal)
    noted.note_begun_deliveries([(i, 1) for i in ids])
    words = ("550 Invalid recipient", "550 5.7.1 No such user!")
    noted.note_outcomes(
        [(i, 1, Outcome(OutcomeKind.REJECTED, "", words[i % 2], Cause.ADDRESS)) for i in ids],
    )
    noted.close()
    assert spool.recover(journal) == {"pending": number}
    assert bounced(db) == 0


def test_a_killed_run_in_which_somebody_was_accepted_marks_who_was_refused(
    db: Database, journal: Path
) -> None:
    ids = two_domains(db, 10)
    spool = smtp_spool(db)
    spool.claim(10)
    noted = Journal(journal)
    noted.note_begun_deliveries([(i, 1) for i in ids])
    refused = Outcome(OutcomeKind.REJECTED, "", "550 Invalid recipient", Cause.ADDRESS)
    noted.note_outcomes([(ids[0], 1, ACCEPTED), *((i, 1, refused) for i in ids[1:])])
    noted.close()
    spool.settle([(ids[0], 1, ACCEPTED, "")])  # that the run had written down before it died
    assert spool.recover(journal) == {"rejected": 9}
    assert bounced(db) == 9


# -- about us by its own words -----------------------------------------------------------------

ABOUT_US = [
    ("550 5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup", "PTR"),
    ("550 5.7.26 This mail has been blocked because the sender is unauthenticated. - gsmtp", "SPF and DKIM"),
    ("550-5.7.26 This mail is unauthenticated", "SPF and DKIM"),
    ("550 5.7.27 SPF did not pass - gsmtp", "SPF"),
    ("550 5.7.28 [192.0.2.1] unusual rate of unsolicited mail", "[pace]"),
    ("550 5.7.29 not sent over a TLS connection - gsmtp", "TLS"),
    ("550 5.7.30 DKIM did not pass - gsmtp", "DKIM"),
    ("550 5.7.32 From header is not aligned", "DMARC"),
    ("421 4.7.26 unauthenticated mail is rate limited", "SPF and DKIM"),
    ("421 4.7.28 unusual rate of unsolicited mail", "[pace]"),
    ("421 4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail", "[pace]"),
    ("421 4.7.0 this message is suspicious due to the very low reputation", "[pace]"),
    ("421 4.7.32 This mail has been rate limited because there is no DMARC alignment", "DMARC"),
    ("550 5.7.515 Access denied, sending domain does not meet the required level", "SPF, DKIM and DMARC"),
    ("550 5.7.30 Basic authentication is not supported for Client Submission.", "[delivery.oauth]"),
    ("530 5.7.57 Client not authenticated to send mail.", "MAILER_SMTP_PASSWORD"),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "sender.office.com"),
    ("550 5.7.708 Access denied, traffic not accepted from this IP", "Microsoft's support"),
    ("550 5.7.705 Access denied, tenant has exceeded threshold", "Microsoft's support"),
    ("451 4.7.650 [192.0.2.1] is temporarily rate limited due to IP reputation.", "SNDS"),
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", "[pace]"),
    ("553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred", "[pace]"),
    ("554 Message not allowed - [PH01] Email not accepted for policy reasons.", "SPF, DKIM and DMARC"),
    ("553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", "block list"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "todo"), ABOUT_US)
def test_what_is_about_us_by_its_own_words_pauses_the_campaign_at_once(
    db: Database, settings: Settings, journal: Path, reply: str, todo: str
) -> None:
    ids = two_domains(db, 100)
    spool = smtp_spool(db)
    refuse = says(reply)
    transport = Scripted(lambda m: ACCEPTED if m.subscriber_id < ids[3] else refuse(m))
    progress = run(settings, spool, transport, journal, connections=1)
    assert progress.stopped_by == "paused"
    assert todo in progress.note
    assert "about us, not about the readers" in progress.note
    assert "https://" in progress.note
    assert spool.status() == "paused"
    assert left(spool) == {"accepted": 3, "pending": 97}
    assert progress.outcomes == {"accepted": 3}
    assert len(transport.sent) < 20
    spool.set_status("sending")
    run(settings, spool, Scripted(), journal)
    assert left(spool) == {"accepted": 100}


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 blocked by policy",
        "421 4.7.0 Try again later, closing connection.",
        "421 4.7.0 Temporary System Problem. Try again later.",
        "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77712344)",
        "450 4.1.1 unverified: host mx.test said: 550 5.7.26 unauthenticated",
        "550 5.1.1 <{address}>: User unknown",
        "550 5.7.1 No such user!",
        "550 Mail is rejected by recipients",
        "550 5.7.505 Access denied, banned recipient",
        "550 5.7.507 Access denied, rejected by recipient",
        "550 5.7.510 Access denied, example.org does not accept email over IPv6",
        "the server offers no SMTPUTF8, so it cannot write to {address}",
    ],
)
def test_what_concerns_one_reader_stops_nothing(
    db: Database, settings: Settings, journal: Path, reply: str
) -> None:
    ids = two_domains(db, 30)
    spool = smtp_spool(db)
    if reply[0].isdigit():
        refuse = says(reply)
    else:
        refuse = lambda m: Outcome(OutcomeKind.REJECTED, "", reply.format(address=m.address), Cause.US)  # noqa: E731
    run(settings, spool, Scripted(lambda m: refuse(m) if m.subscriber_id == ids[4] else ACCEPTED), journal)
    assert left(spool)["accepted"] == 29
    assert "pending" not in left(spool)


def test_one_reader_cannot_keep_a_campaign_from_its_end(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = two_domains(db, 30)
    spool = smtp_spool(db)
    refuse = says("550 5.7.26 unauthenticated")
    transport = Scripted(lambda m: refuse(m) if m.subscriber_id == ids[25] else ACCEPTED)
    for _ in range(2):
        assert run(settings, spool, transport, journal, connections=1).stopped_by == "paused"
        spool.set_status("sending")
    run(settings, spool, transport, journal)
    assert left(spool) == {"accepted": 29, "rejected": 1}
    assert bounced(db) == 0


def test_a_killed_run_gives_back_who_was_refused_for_us(db: Database, journal: Path) -> None:
    ids = two_domains(db, 3)
    spool = smtp_spool(db)
    spool.claim(3)
    noted = Journal(journal)
    noted.note_begun_deliveries([(i, 1) for i in ids])
    about_us = Outcome(OutcomeKind.REJECTED, "", "550 5.7.26 unauthenticated", Cause.US)
    noted.note_outcomes([(ids[0], 1, ACCEPTED), (ids[1], 1, about_us), (ids[2], 1, ACCEPTED)])
    noted.close()
    assert spool.recover(journal) == {"pending": 1, "accepted": 2}


# -- over SMTP ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "stage"),
    [
        ("550 Invalid recipient", "RCPT"),  # OpenSMTPD without a login
        ("454 4.7.1 <reader@example.org>: Relay access denied", "RCPT"),  # Postfix
        ("554 5.7.1 <reader@example.org>: Relay access denied", "RCPT"),
        ("550 5.7.1 relaying denied", "MAIL"),
    ],
)
def test_a_server_that_knows_us_not(
    db: Database, settings: Settings, journal: Path, reply: str, stage: str
) -> None:
    two_domains(db, 192)
    spool = smtp_spool(db)
    with SmtpServer() as server:
        server.fail(stage, "reply", reply, times=1000)  # type: ignore[arg-type]
        with pytest.raises(CircuitBreakerError) as caught:
            run(settings, spool, Smtp.from_url(server.url, settings), journal, connections=4)
        assert f"127.0.0.1:{server.port} accepts no mail from us: {reply[:9]}" in str(caught.value)
        assert len([c for c in server.commands if c.startswith("RCPT")]) <= 40
    assert left(spool) == {"pending": 192}
    assert bounced(db) == 0
    with SmtpServer() as server:
        run(settings, spool, Smtp.from_url(server.url, settings), journal)
        assert len(set(server.recipients)) == len(server.recipients) == 192


def test_over_smtp_a_limit_of_frequency_is_for_later(db: Database, settings: Settings, journal: Path) -> None:
    two_domains(db, 30)
    spool = smtp_spool(db)
    with SmtpServer() as server:
        server.fail("DOT", "reply", "550 Ip frequency limited.", after=10, times=5)
        run(settings, spool, Smtp.from_url(server.url, settings), journal, connections=1)
    assert left(spool) == {"accepted": 25, "deferred": 5}


def test_over_smtp_a_421_about_us_pauses_at_once(db: Database, settings: Settings, journal: Path) -> None:
    two_domains(db, 30)
    spool = smtp_spool(db)
    with SmtpServer() as server:
        server.fail("MAIL", "reply", "421 4.7.0 [TSS04] temporarily deferred", after=3, times=100)
        progress = run(settings, spool, Smtp.from_url(server.url, settings), journal, connections=1)
    assert "[TSS04]" in progress.note
    assert left(spool) == {"accepted": 3, "pending": 27}

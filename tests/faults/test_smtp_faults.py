"""What an SMTP server can do to a campaign, and what the operator then reads and does.

Each test ends with the sentence and with the next `send`, which brings the rest and repeats nothing. How a
reply becomes an outcome is `tests/transports/test_smtp.py`'s; here the whole program is run.
"""

from __future__ import annotations

import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer.transports.refusal.refusal import SmtpStage
from mailer.transports.smtp import server as server_module
from mailer.transports.smtp.session.session import SmtpSession
from tests.faults.conftest import GO_ON, SLUG, Desk
from tests.servers.certificates import authority_file, server_tls
from tests.servers.smtp import SmtpServer

Start = Callable[..., SmtpServer]

both = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one by one"])


@pytest.fixture
def _far(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as a host far away, where TLS matters."""
    monkeypatch.setattr(server_module, "is_loopback", lambda host: False)


@pytest.fixture
def close_is_seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The server's end of the connection has arrived by the time that we look for it before the dot."""
    real = SmtpSession._has_unexpected_reply

    def patiently(self: SmtpSession) -> bool:
        if self.sock is not None and self.stage is SmtpStage.MESSAGE:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            poll.poll(5000)
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(SmtpSession, "_has_unexpected_reply", patiently)
        yield patch


# -- refusals -------------------------------------------------------------------------------


def refuse_everywhere(server: SmtpServer, words: str) -> None:
    """reader1 at MAIL, reader2 at RCPT, reader3 at DATA, reader4 at the final dot."""
    piped = server.pipelining  # then each stage is asked for everybody, refused or not
    server.fail("MAIL", "reply", words)
    server.fail("RCPT", "reply", words, after=1 if piped else 0)
    server.fail("DATA", "reply", words, after=2 if piped else 0)
    server.fail("DOT", "reply", words)


@both
def test_not_now_at_any_stage_defers_that_reader_and_goes_on(
    desk: Desk, start: Start, pipelining: bool
) -> None:
    server = start(pipelining=pipelining)
    desk.people(5)
    refuse_everywhere(server, "450 4.2.1 try again later")
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["deferred"] * 4 + ["accepted"]
    assert "4 deferred: 450 4.2.1 try again later" in ran.out
    assert "4 deferred deliveries are tried again by a running `mailer serve`" in ran.out
    assert f"{GO_ON} tries at once." in ran.out
    assert server.recipients == ["reader5@example.org"]
    desk.finishes(lambda: server.recipients)


@both
def test_never_at_any_stage_rejects_that_reader_and_goes_on(
    desk: Desk, start: Start, pipelining: bool
) -> None:
    server = start(pipelining=pipelining)
    desk.people(5)
    refuse_everywhere(server, "554 5.7.1 we take nothing of this")
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["rejected"] * 4 + ["accepted"]
    assert desk.reasons[0] == "554 5.7.1 we take nothing of this"
    assert f"`mailer campaigns retry {SLUG}`" in ran.out
    again = desk.send()  # says so again, and repeats nothing by itself
    assert again.status == 0
    assert "There is nothing to send: every delivery" in again.out
    assert f"`mailer campaigns retry {SLUG}`" in again.out
    assert server.recipients == ["reader5@example.org"]
    assert desk.run("campaigns", "retry", SLUG).status == 0
    desk.finishes(lambda: server.recipients)


@both
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
def test_421_at_a_stage_defers_one_reader_and_takes_another_connection(
    desk: Desk, start: Start, pipelining: bool, stage: Any
) -> None:
    server = start(pipelining=pipelining)
    server.fail(stage, "reply", "421 4.7.0 too many from you")
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["deferred", "accepted", "accepted", "accepted"]
    assert "1 deferred: 421 4.7.0 too many from you" in ran.out
    assert GO_ON in ran.out
    assert 1.0 in desk.pauses
    assert server.connections == 2
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO"])
def test_421_before_any_mail_sends_nothing_and_says_when_to_come_back(
    desk: Desk, start: Start, stage: Any
) -> None:
    server = start()
    server.fail(stage, "reply", "421 4.3.2 shutting down", times=2)
    ran = desk.send()
    assert ran.status == 1
    assert f"127.0.0.1:{server.port} accepts no mail at the moment: 421 4.3.2 shutting down" in ran.err
    assert "run this again later" in ran.err
    assert f"no reader has the issue yet; {GO_ON} sends the 4 that are left" in ran.err
    assert desk.states == ["pending"] * 4
    server._faults.clear()
    desk.finishes(lambda: server.recipients)


def test_a_server_that_is_busy_for_ever_stops_the_run_instead_of_trying_everybody(
    desk: Desk, start: Start
) -> None:
    server = start()
    desk.people(40)
    server.fail("MAIL", "reply", "421 4.7.0 too many from you", after=2, times=1000)
    ran = desk.send()
    assert ran.status == 1
    assert re.search(
        r"failed \d+ times in a row: 421 4\.7\.0 too many from you; run this again later", ran.err
    )
    assert f"2 readers have the issue; {GO_ON} sends the 38 that are left" in ran.err
    assert server.connections <= 12
    assert "rejected" not in desk.counts
    assert "uncertain" not in desk.counts
    server._faults.clear()
    desk.finishes(lambda: server.recipients)


def test_a_server_that_wants_a_login_rejects_nobody(desk: Desk, start: Start) -> None:
    server = start()
    server.fail("MAIL", "reply", "530 5.7.0 Authentication required", after=1)
    ran = desk.send()
    assert ran.status == 1
    assert "accepts no mail from us: 530 5.7.0 Authentication required" in ran.err
    assert "check the user in the transport's URL and MAILER_SMTP_PASSWORD" in ran.err
    assert f"1 reader has the issue; {GO_ON} sends the 3 that are left" in ran.err
    assert desk.states == ["accepted", "pending", "pending", "pending"]
    assert desk.status == "stopped"
    desk.finishes(lambda: server.recipients)


def test_a_server_that_refuses_everybody_for_want_of_a_login(desk: Desk, start: Start) -> None:
    server = start()
    desk.people(25)
    server.fail("RCPT", "reply", "554 5.7.1 Relay access denied", times=100)
    ran = desk.send()
    assert ran.status == 1
    assert "accepts no mail from us: 554 5.7.1 Relay access denied; check the user" in ran.err
    assert desk.states == ["pending"] * 25
    server._faults.clear()
    desk.finishes(lambda: server.recipients)


def test_a_server_that_refuses_us_by_name(desk: Desk, start: Start) -> None:
    server = start()
    desk.people(5)
    server.fail("DOT", "reply", "550 5.7.26 This mail is unauthenticated", after=2)
    ran = desk.send()
    assert ran.status == 1
    assert "The campaign paused itself: the refusal is about us, not about the readers: 550 5.7.26" in ran.out
    assert f"`mailer campaigns resume {SLUG}`" in ran.out
    assert sorted(desk.states) == ["accepted"] * 2 + ["pending"] * 3


# -- connections that end -------------------------------------------------------------------


@both
@pytest.mark.parametrize("action", ["close", "reset", "hang"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_lost_before_the_dot_is_deferred_never_uncertain(
    desk: Desk, start: Start, stage: Any, action: Any, pipelining: bool
) -> None:
    server = start(pipelining=pipelining)
    server.fail(stage, action, times=2)  # and once more on another connection
    ran = desk.send()
    why = "no answer came in time" if action == "hang" else "the connection was closed"
    assert ran.status == 1
    assert desk.states == ["deferred", "accepted", "accepted", "accepted"]
    assert f"1 deferred: the connection was lost: {why}" in ran.out
    assert GO_ON in ran.out
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize(
    ("stage", "action"), [("BODY", "close"), ("BODY", "reset"), ("DATA", "answer and close")]
)
def test_lost_in_the_middle_of_the_message_is_deferred_never_uncertain(
    desk: Desk, start: Start, stage: Any, action: Any, close_is_seen: pytest.MonkeyPatch
) -> None:
    server = start()
    server.fail(stage, action, times=8)  # each of four readers on two connections
    ran = desk.send()
    close_is_seen.undo()
    assert ran.status == 1
    assert desk.states == ["deferred"] * 4
    assert "4 deferred: the connection was lost: the connection was closed" in ran.out
    assert GO_ON in ran.out
    assert server.received == []
    desk.finishes(lambda: server.recipients)


@both
@pytest.mark.parametrize(
    ("action", "words", "why"),
    [
        ("close", "", "the connection was closed"),
        ("reset", "", "the connection was closed"),
        ("hang", "", "no answer came in time"),
        ("reply", "gibberish", "the server answered -1 gibberish"),
    ],
)
def test_lost_between_the_dot_and_its_answer_is_uncertain_and_held(
    desk: Desk, start: Start, action: Any, words: str, why: str, pipelining: bool
) -> None:
    server = start(pipelining=pipelining)
    server.fail("DOT", action, words)
    ran = desk.send()
    assert ran.status == 1
    assert desk.states == ["uncertain", "accepted", "accepted", "accepted"]
    assert f"1 uncertain: no answer after the message: {why}" in ran.out
    assert "1 message may or may not have arrived, and is held." in ran.out
    assert f"`mailer campaigns resolve {SLUG} --assume-sent` (or --resend) settles it." in ran.out
    desk.finishes(lambda: server.recipients, uncertain=1)


def test_an_outage_after_the_dot_stops_before_everybody_is_uncertain(desk: Desk, start: Start) -> None:
    server = start()
    desk.people(60)
    server.fail("DOT", "close", times=1000)
    ran = desk.send()
    assert ran.status == 1
    assert "20 messages in a row were uncertain, so the campaign stopped itself" in ran.err
    assert "the last answer was: no answer after the message: the connection was closed" in ran.err
    assert f"20 are uncertain; {GO_ON} sends the 40 that are left" in ran.err
    assert desk.counts == {"uncertain": 20, "pending": 40}
    server._faults.clear()
    desk.finishes(lambda: server.recipients, uncertain=20)


@pytest.mark.parametrize("action", ["close", "reset", "hang"])
def test_a_server_that_ends_it_before_any_mail_is_one_sentence(desk: Desk, start: Start, action: Any) -> None:
    server = start()
    server.fail("CONNECT", action)
    ran = desk.send()
    assert ran.status == 1
    why = {"close": "broke off: ", "reset": "", "hang": "did not answer in time; "}[action]
    assert f"127.0.0.1:{server.port} {why}" in ran.err
    assert "check that the server runs and that the transport's URL is right" in ran.err
    assert desk.states == ["pending"] * 4
    desk.finishes(lambda: server.recipients)


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("words", ["HTTP/1.1 400 Bad Request", "250-" + "x" * 9000])
def test_gibberish_before_the_dot_costs_nobody_their_copy(
    desk: Desk, start: Start, stage: Any, words: str
) -> None:
    server = start()
    server.fail(stage, "reply", words, times=2)
    ran = desk.send()
    if stage == "EHLO" and words.startswith("HTTP"):
        assert ran.status == 0  # HELO is understood
    elif stage in ("CONNECT", "EHLO"):
        assert ran.status == 1
        advice = r"(broke off|refused us|did not answer).*; (check that|ask its operator)"
        assert re.search(advice, ran.err), ran.err
        assert desk.states == ["pending"] * 4
        server._faults.clear()
    else:
        assert desk.states == ["deferred", "accepted", "accepted", "accepted"]
        assert "1 deferred: the connection was lost: " in ran.out
        assert GO_ON in ran.out
    desk.finishes(lambda: server.recipients)


def test_a_server_that_is_gone_in_the_middle_of_a_campaign(desk: Desk, start: Start) -> None:
    server = start()
    server.fail("MAIL", "close", after=2)
    server.fail("CONNECT", "close", after=1, times=100)
    ran = desk.send()
    assert ran.status == 1
    assert "broke off: the connection was closed; check that the server runs" in ran.err
    assert f"2 readers have the issue; {GO_ON} sends the 2 that are left" in ran.err
    assert desk.states == ["accepted", "accepted", "pending", "pending"]
    server._faults.clear()
    desk.finishes(lambda: server.recipients)


# -- TLS and logging in ---------------------------------------------------------------------


@pytest.mark.usefixtures("_far")
@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_certificate_of_an_unknown_authority(
    desk: Desk, start: Start, implicit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(tls=server_tls(), implicit=implicit)
    ran = desk.send()
    assert ran.status == 1
    assert f"the certificate of 127.0.0.1:{server.port} cannot be trusted: " in ran.err
    assert "set MAILER_SMTP_CA_FILE to a private authority's certificate file" in ran.err
    assert desk.states == ["pending"] * 4
    assert server.commands.count("MAIL") == 0
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(desk.root)))
    desk.finishes(lambda: server.recipients)


@pytest.mark.usefixtures("_far")
def test_a_certificate_for_another_host(desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(desk.root)))
    start(tls=server_tls("mail.example.org"))
    ran = desk.send()
    assert ran.status == 1
    assert "use the host name that the certificate names" in ran.err
    assert desk.states == ["pending"] * 4


@pytest.mark.usefixtures("_far")
def test_without_starttls_a_password_stays_here(
    desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "s3cret")
    server = start(login=("desk", "s3cret"))
    ran = desk.send()
    assert ran.status == 1
    assert "offers no STARTTLS, and a password is never sent in the clear; use smtps://" in ran.err
    assert "s3cret" not in ran.err
    assert not [command for command in server.commands if command.startswith("AUTH")]
    assert desk.states == ["pending"] * 4


@pytest.mark.parametrize(
    ("action", "words", "sentence"),
    [
        (
            "reply",
            "454 4.7.0 TLS not available",
            "accepts no mail at the moment: 454 4.7.0 TLS not available",
        ),
        ("reply", "554 5.7.3 no TLS for you", "refused us: 554 5.7.3 no TLS for you"),
        ("answer and close", "", "TLS with"),
        ("reset", "", "broke off: the connection was closed"),
        ("hang", "", "did not answer in time"),
    ],
)
def test_starttls_that_fails_sends_nothing_in_the_clear(
    desk: Desk, start: Start, action: Any, words: str, sentence: str
) -> None:
    server = start(tls=server_tls())
    server.fail("STARTTLS", action, words)
    ran = desk.send()
    assert ran.status == 1
    assert f"127.0.0.1:{server.port}" in ran.err
    assert sentence in ran.err or "cannot be reached" in ran.err, ran.err
    assert re.search(r"; (check|run this again|ask its operator|use smtps:// for)", ran.err), ran.err
    assert desk.states == ["pending"] * 4
    assert not [command for command in server.commands if command.startswith("MAIL")]
    desk.finishes(lambda: server.recipients)
    assert all(message.tls for message in server.received)


def test_a_tls_handshake_that_is_cut(desk: Desk, start: Start) -> None:
    server = start()
    desk.transport = server.url.replace("smtp:", "smtps:")
    server.fail("CONNECT", "close")
    ran = desk.send()
    assert ran.status == 1
    assert f"127.0.0.1:{server.port}" in ran.err
    assert re.search(r"use smtps:// for a port that begins with TLS|check that the server runs", ran.err)
    assert desk.states == ["pending"] * 4
    desk.transport = server.url
    desk.finishes(lambda: server.recipients)


def test_a_wrong_password_is_told_and_never_shown(
    desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(tls=server_tls(), login=("desk", "s3cret"))
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "hunter2")
    ran = desk.send()
    assert ran.status == 1
    assert "refused the user desk: 535 5.7.8 Authentication credentials invalid" in ran.err
    assert "check the user in the transport's URL and MAILER_SMTP_PASSWORD" in ran.err
    assert "hunter2" not in ran.err + ran.out
    assert desk.states == ["pending"] * 4
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "s3cret")
    desk.finishes(lambda: server.recipients)


def test_a_login_that_is_refused_for_now(desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "s3cret")
    server = start(tls=server_tls(), login=("desk", "s3cret"))
    server.fail("AUTH", "reply", "454 4.7.0 Temporary authentication failure")
    ran = desk.send()
    assert ran.status == 1
    assert "454 4.7.0 Temporary authentication failure; run this again later" in ran.err
    assert desk.states == ["pending"] * 4
    desk.finishes(lambda: server.recipients)


# -- two things at once ---------------------------------------------------------------------


def when(condition: Callable[[], object], then: Callable[[], object]) -> threading.Thread:
    """Does something in another thread as soon as `condition` holds."""

    def watch() -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("verb", ["pause", "cancel"])
@pytest.mark.parametrize(
    ("stage", "doubt"), [("MAIL", False), ("RCPT", False), ("DATA", False), ("DOT", True)]
)
def test_a_pause_while_the_server_hangs_does_not_wait_for_it(
    desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch, stage: Any, doubt: bool, verb: str
) -> None:
    import functools

    from mailer.transports.smtp import transport as smtp
    from mailer.transports.smtp.server import ServerSettings

    monkeypatch.setattr(smtp, "ServerSettings", functools.partial(ServerSettings, answer_seconds=600))
    server = start()
    server.fail(stage, "hang", after=1)
    told: list[int] = []
    status = {"pause": "paused", "cancel": "cancelled"}[verb]

    def ask() -> None:
        import sqlite3

        database = sqlite3.connect(desk.root / "subscribers.db")
        with database:
            told.append(database.execute("UPDATE campaigns SET status = ?", [status]).rowcount)
        database.close()

    begun = time.monotonic()
    hangs = (
        (lambda: len(server.received) == 2)
        if stage == "DOT"
        else (lambda: sum(command.startswith(stage) for command in server.commands) == 2)
    )
    thread = when(hangs, ask)
    ran = desk.send()
    thread.join(20)
    assert told == [1]
    assert time.monotonic() - begun < 20
    assert ran.status == 1
    assert desk.states[0] == "accepted"
    assert desk.states[2:] == ["pending", "pending"]
    assert desk.states[1] == ("uncertain" if doubt else "pending"), desk.reasons
    if verb == "cancel":
        assert "The campaign was cancelled; what it has not sent stays unsent." in ran.out
        return
    assert f"The campaign is paused. `mailer campaigns resume {SLUG}` continues it." in ran.out
    paused = desk.send()
    assert paused.status == 2
    assert f"campaign {SLUG} is paused; `mailer campaigns resume {SLUG}` continues it" in paused.err
    assert desk.run("campaigns", "resume", SLUG).status == (1 if doubt else 0)
    desk.finishes(lambda: server.recipients, uncertain=int(doubt))


def test_an_authority_file_that_is_gone(
    desk: Desk, start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = start(tls=server_tls())
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(tmp_path / "gone.pem"))
    ran = desk.send()
    assert ran.status in (1, 2)
    assert "MAILER_SMTP_CA_FILE" in ran.err
    monkeypatch.delenv("MAILER_SMTP_CA_FILE")
    assert desk.send().status == 0
    assert len(server.received) == 4

"""Servers that keep RFC 2920 in ways of their own, or take so many messages a session and no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mailer.errors import TransportError
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.session.session import SmtpSession
from mailer.transports.smtp.transport import Smtp, SmtpChannel
from tests.servers.odd import OddServer
from tests.transports import outgoing
from tests.transports.outgoing import FakeMessage, messages

Start = Callable[..., tuple[OddServer, Smtp]]


class Pauses(list[float]):
    """Waits for nothing and remembers for how long."""

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        return False


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def start(pauses: Pauses) -> Iterator[Start]:
    with ExitStack() as stack:

        def make(**options: Any) -> tuple[OddServer, Smtp]:
            server = stack.enter_context(OddServer(**options))
            place = ServerSettings(
                "127.0.0.1", server.port, connect_seconds=5, answer_seconds=60, early_answer_seconds=0.5
            )
            return server, Smtp(place, sleep=pauses)

        yield make


def send_all(channel: SmtpChannel, batch: list[FakeMessage]) -> list[Outcome]:
    """All of them, and the channel is closed."""
    outcomes = outgoing.send_all(channel, batch)
    channel.close()
    return outcomes


@pytest.mark.parametrize("behind", ["503", "sync", "discard", "close", "refuse"])
def test_what_a_server_does_to_an_announcement_harms_no_message(
    start: Start, behind: str, pauses: Pauses
) -> None:
    """503 is Haraka 3.3."""
    server, smtp = start(behind_the_dot=behind)
    batch = messages(20)
    outcomes = send_all(smtp.channel(), batch)
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert server.recipients == [message.address for message in batch]
    assert server.announced <= 3  # then it is known, and nothing is announced any more
    assert pauses == []


@pytest.mark.parametrize("behind", ["503", "sync", "discard", "close", "refuse"])
def test_one_of_several_servers_behind_a_port_may_take_no_announcement(start: Start, behind: str) -> None:
    """That the others answer announcements is no reason to wait for minutes for this one's answer."""
    server, smtp = start(behind_the_dot=behind, backends=2)
    began = time.monotonic()
    for _ in range(8):
        assert {o.result for o in send_all(smtp.channel(), messages(4))} == {OutcomeKind.ACCEPTED}
    assert len(server.recipients) == 32
    assert time.monotonic() - began < 10


def test_one_connection_learns_for_all(start: Start) -> None:
    server, smtp = start(behind_the_dot="503")
    send_all(smtp.channel(), messages(5))
    send_all(smtp.channel(), messages(5))
    assert server.announced == 1
    assert len(server.recipients) == 10


def test_until_one_is_answered_an_announcement_is_waited_for_shortly(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, smtp = start()
    waits: list[float] = []
    patience = SmtpSession.set_time_limit

    def noted(session: SmtpSession, seconds: float) -> None:
        waits.append(seconds)
        patience(session, seconds)

    monkeypatch.setattr(SmtpSession, "set_time_limit", noted)
    channel = smtp.channel()
    batch = messages(4)
    for place, message in enumerate(batch[:3]):
        channel.set_next_message(batch[place + 1])
        channel.send([message])
    assert waits == [60, 0.5, 60]  # of the connection, and for the answer to the second message's MAIL
    channel.close()


@pytest.mark.parametrize(
    "words",
    [
        "503 5.5.1 Bad sequence of commands",
        "503 Must have sender before recipient",
        "554 5.5.0 Error: SMTP protocol synchronization",
        "503 5.5.0 Improper use of SMTP command pipelining",
        "451 4.5.0 Commands out of order",
        "500 5.5.1 unexpected input",
        "550 5.7.1 early talker",
    ],
)
def test_a_refused_announcement_is_sent_again_and_nothing_is_announced_after_it(
    start: Start, words: str
) -> None:
    server, smtp = start()
    answered = []

    def answer(verb: str, line: str) -> str:
        # Until the next RSET everything is refused, as after a MAIL that was not taken.
        if verb == "RSET":
            answered.append(verb)
        early = len(server.recipients) == 1 and not answered
        return words if early and verb in ("MAIL", "RCPT", "DATA") else ""

    server.answer = answer
    outcomes = send_all(smtp.channel(), messages(5))
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert server.announced == 1
    assert len(server.sessions) == 1


def test_a_refusal_of_a_reader_who_was_announced_is_the_readers(start: Start) -> None:
    server, smtp = start(answer=lambda verb, line: "550 5.1.1 No such user" if "<reader2@" in line else "")
    outcomes = send_all(smtp.channel(), messages(4))
    assert [o.result for o in outcomes] == ["accepted", "rejected", "accepted", "accepted"]
    assert sum("<reader2@" in command for command in server.commands) == 1
    assert server.announced == 2  # reader2 and reader4: after a refusal the session begins anew


def test_a_refusal_of_us_that_stays_is_told(start: Start) -> None:
    server, smtp = start()
    server.answer = lambda verb, line: (
        "550 5.7.1 we do not know you" if verb == "MAIL" and server.recipients else ""
    )
    outcomes = send_all(smtp.channel(), messages(3))
    assert [o.result for o in outcomes] == ["accepted", "rejected", "rejected"]
    assert outcomes[1].reason == "550 5.7.1 we do not know you"


LIMITS = [
    "452 4.5.3 Error: too many messages in this session",
    "452 4.4.5 Maximum number of messages per session exceeded",
    "421 4.7.0 too many messages in this connection",
    "421 mx.example.org lost input connection",
    "451 4.7.1 Please open a new connection",
    "450 4.7.1 Error: too much mail",
    "554 5.7.1 Too many messages per session, reconnect",
    "554 5.5.1 Error: no more messages",
]


@pytest.mark.parametrize("words", LIMITS)
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one by one"])
def test_a_session_that_is_spent_is_left_at_once(
    start: Start, words: str, pipelining: bool, pauses: Pauses
) -> None:
    server, smtp = start(most_messages=10, too_many_messages=words, pipelining=pipelining)
    batch = messages(95)
    outcomes = send_all(smtp.channel(), batch)
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert server.recipients == [message.address for message in batch]
    assert server.sessions == [10] * 9 + [5]
    assert pauses == []


@pytest.mark.parametrize("words", LIMITS)
def test_the_number_is_learned(start: Start, words: str) -> None:
    server, smtp = start(most_messages=7, too_many_messages=words)
    said = []
    server.answer = lambda verb, line: said.append(verb) or ""  # type: ignore[func-returns-value]
    send_all(smtp.channel(), messages(70))
    refused = said.count("MAIL") - 70
    assert refused <= 2, refused
    send_all(smtp.channel(), messages(70))
    assert said.count("MAIL") - 140 == refused
    assert max(server.sessions) == 7


def test_a_server_that_goes_on_after_it_has_refused_mail_gets_no_empty_message(start: Start) -> None:
    """It answers 452 to MAIL, and 250 and 354 to the RCPT and DATA that came with it."""
    server, smtp = start(most_messages=10, goes_on=True)
    batch = messages(45)
    outcomes = send_all(smtp.channel(), batch)
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert server.recipients == [message.address for message in batch]


@pytest.mark.parametrize("at", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    "words",
    [
        "452 4.5.3 Too many recipients in this session",
        "421 4.7.0 too many messages",
        "554 5.5.0 Too many messages in this session",
        "550 Maximum messages per connection exceeded",
        "452 4.3.1 Message count exceeded",
        "450 超过单次连接最大邮件数",
    ],
)
def test_a_limit_may_be_told_later_than_at_mail(start: Start, at: str, words: str, pauses: Pauses) -> None:
    server, smtp = start(most_messages=10, too_many_messages=words, at=at)
    outcomes = send_all(smtp.channel(), messages(45))
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert len(set(server.recipients)) == len(server.recipients) == 45
    assert pauses == []


def test_readers_who_are_deferred_cost_three_connections_at_most(start: Start) -> None:
    """Greylisting is no limit of the session, which three vain tries over a fresh one show."""
    server, smtp = start(
        answer=lambda verb, line: "450 4.7.1 Greylisted, try again" if verb == "RCPT" and "5@" in line else ""
    )
    outcomes = send_all(smtp.channel(), messages(95))
    assert [o.result for o in outcomes].count(OutcomeKind.DEFERRED) == 10
    assert len(server.sessions) == 1 + 3
    assert sum("RCPT" in command and "5@" in command for command in server.commands) == 10 + 3


@pytest.mark.parametrize("at", ["RCPT", "DATA", "DOT"])
def test_a_limit_that_is_told_without_a_word_of_it(start: Start, at: str, pauses: Pauses) -> None:
    server, smtp = start(most_messages=8, too_many_messages="451 4.3.0 Enough", at=at)
    batch = messages(60)
    outcomes = send_all(smtp.channel(), batch)
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}, outcomes
    assert server.recipients == [message.address for message in batch]
    assert server.sessions == [8] * 7 + [4]
    assert len([command for command in server.commands if "RCPT" in command]) <= 60 + 4  # then it is known
    assert pauses == []


def test_a_server_that_takes_nothing_more_is_not_asked_twice_for_each(start: Start) -> None:
    """A fresh session did not help: until something is taken again, none is opened for a refusal."""
    server, smtp = start()
    server.answer = lambda verb, line: (
        "452 4.3.1 Insufficient system storage" if verb == "MAIL" and len(server.recipients) >= 5 else ""
    )
    outcomes = send_all(smtp.channel(), messages(30))
    assert [o.result for o in outcomes].count(OutcomeKind.DEFERRED) == 25
    assert len(server.sessions) == 2
    assert len([command for command in server.commands if command.startswith("MAIL")]) <= 5 + 25 + 3


def test_a_limit_that_was_met_by_chance_is_not_kept(start: Start) -> None:
    """One 451 at MAIL that says nothing of a limit is no reason for sessions of three messages."""
    server, smtp = start(pipelining=False)
    once: list[str] = []

    def answer(verb: str, line: str) -> str:
        if verb == "MAIL" and len(server.recipients) == 3 and not once:
            once.append(line)
            return "451 4.3.0 Temporary lookup failure"
        return ""

    server.answer = answer
    outcomes = send_all(smtp.channel(), messages(40))
    assert {o.result for o in outcomes} == {OutcomeKind.ACCEPTED}
    assert server.sessions == [3, 37]


def test_after_a_refused_recipient_the_session_is_used_on(start: Start) -> None:
    server, smtp = start(
        answer=lambda verb, line: "550 5.1.1 gone" if verb == "RCPT" and "<reader2@" in line else ""
    )
    outcomes = send_all(smtp.channel(), messages(3))
    assert [o.result for o in outcomes] == ["accepted", "rejected", "accepted"]
    assert len(server.sessions) == 1
    assert "RSET" in server.commands


@pytest.mark.parametrize(
    "words",
    [
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        "550 5.7.1 <[127.0.0.1]>: Helo command rejected: Host not found",
        "450 4.7.1 <desk>: Helo command rejected: Host not found",
    ],
)
@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
def test_a_name_that_is_refused_late_stops_the_run_and_names_the_setting(
    start: Start, words: str, at: str
) -> None:
    """Postfix refuses the name of EHLO at RCPT (smtpd_delay_reject)."""
    server, smtp = start(answer=lambda verb, line: words if verb == at else "")
    channel = smtp.channel()
    with pytest.raises(TransportError, match=r"accepts no mail from us: \d+ .*set \[delivery\] helo"):
        channel.send(messages(1))
    channel.close()
    assert server.recipients == []


def test_a_host_name_that_is_the_readers_stops_nothing(start: Start) -> None:
    _, smtp = start(
        answer=lambda verb, line: "550 5.1.2 Invalid domain name: need FQDN" if "<reader2@" in line else ""
    )
    outcomes = send_all(smtp.channel(), messages(3))
    assert [o.result for o in outcomes] == ["accepted", "rejected", "accepted"]

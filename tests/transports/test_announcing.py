"""SMTP with the next message announced together with the end of the one before (RFC 2920)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mailer.transports.base import GateAnswer, LookaheadChannel, Outcome, OutcomeKind
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.transport import MESSAGES_PER_CONNECTION, Smtp, SmtpChannel
from tests.servers.certificates import authority_file, server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.outgoing import FakeMessage, messages, send_all

Start = Callable[..., tuple[SmtpServer, SmtpChannel]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def make(**options: Any) -> tuple[SmtpServer, SmtpChannel]:
            server = stack.enter_context(SmtpServer(**options))
            place = ServerSettings("127.0.0.1", server.port, connect_seconds=2, answer_seconds=5)
            channel = Smtp(place, sleep=lambda _: False).channel()
            stack.callback(channel.close)
            return server, channel

        yield make


def announced(channel: SmtpChannel) -> str:
    """Whose message is announced on the connection, if anybody's."""
    session = channel._connection.session
    return session.sent_early.recipient if session is not None and session.sent_early else ""


def test_a_channel_says_that_it_likes_to_know(start: Start) -> None:
    assert isinstance(start()[1], LookaheadChannel)


def test_each_gets_their_own_once_over_one_connection(start: Start) -> None:
    server, channel = start()
    batch = messages(5)
    assert [o.result for o in send_all(channel, batch)] == [OutcomeKind.ACCEPTED] * 5
    assert server.recipients == [m.address for m in batch]
    assert [m.data for m in server.received] == [m.raw() for m in batch]
    assert server.connections == 1


def test_the_next_is_announced_with_the_dot_and_not_before_it_is_known(start: Start) -> None:
    server, channel = start()
    first, second, third = messages(3)
    channel.set_next_message(second)
    channel.send([first])
    assert announced(channel) == second.address
    channel.send([second])
    assert announced(channel) == ""
    channel.send([third])
    assert server.connections == 1
    assert server.recipients == [first.address, second.address, third.address]


def test_nothing_is_announced_where_the_server_does_not_pipeline(start: Start) -> None:
    server, channel = start(pipelining=False)
    first, second = messages(2)
    channel.set_next_message(second)
    channel.send([first])
    assert announced(channel) == ""
    assert channel.send([second])[0].result is OutcomeKind.ACCEPTED
    assert server.connections == 1


def test_who_was_announced_and_does_not_come_gets_nothing(start: Start) -> None:
    server, channel = start()
    first, second, third = messages(3)
    channel.set_next_message(second)
    channel.send([first])
    assert channel.send([third])[0].result is OutcomeKind.ACCEPTED
    assert server.recipients == [first.address, third.address]
    assert server.connections == 2


def test_an_end_after_an_announcement_hands_nothing_over(start: Start) -> None:
    server, channel = start()
    first, second = messages(2)
    channel.set_next_message(second)
    channel.send([first])
    channel.close()
    assert server.recipients == [first.address]
    assert "QUIT" not in server.commands  # the server waits for a message, and would take it for one


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("words", "result"),
    [("450 4.2.1 try again later", OutcomeKind.DEFERRED), ("550 5.1.1 no such user", OutcomeKind.REJECTED)],
)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_refusal_is_of_the_right_message(
    start: Start, stage: Any, words: str, result: OutcomeKind, which: int
) -> None:
    server, channel = start()
    # Where MAIL or RCPT is refused, a pipelining server is asked for the rest all the same. An announced
    # MAIL is sent again unannounced, and after a 4xx on a used session it is tried over a fresh one.
    later = result is OutcomeKind.DEFERRED
    times = 1 if which == 0 else 1 + later + (stage == "MAIL")
    server.fail(stage, "reply", words, after=which, times=times)
    batch = messages(4)
    outcomes = send_all(channel, batch)
    assert [o.result for o in outcomes] == [
        result if place == which else OutcomeKind.ACCEPTED for place in range(4)
    ]
    assert outcomes[which].reason == words
    assert server.recipients == [m.address for place, m in enumerate(batch) if place != which]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("action", ["close", "reset"])
def test_an_announcement_that_is_lost_loses_nobody(start: Start, stage: Any, action: Any) -> None:
    server, channel = start()
    server.fail(stage, action, after=1)
    batch = messages(3)
    outcomes = send_all(channel, batch)
    # A reset may take the answer to the first dot with it, and then nobody can know.
    assert outcomes[0].result in (OutcomeKind.ACCEPTED, OutcomeKind.UNCERTAIN)
    assert [o.result for o in outcomes[1:]] == [OutcomeKind.ACCEPTED] * 2
    assert server.recipients == [m.address for m in batch]
    assert server.connections == 2


def test_a_busy_answer_to_the_dot_ends_the_connection_and_the_announcement(start: Start) -> None:
    server, channel = start()
    server.fail("DOT", "reply", "421 4.3.2 closing", after=1)
    batch = messages(3)
    assert [o.result for o in send_all(channel, batch)] == [OutcomeKind.ACCEPTED] * 3
    assert server.recipients == [m.address for m in batch]
    assert server.connections == 2


@pytest.mark.parametrize("action", ["close", "reset"])
def test_a_lost_answer_to_the_dot_is_a_doubt_of_one(start: Start, action: Any) -> None:
    server, channel = start()
    server.fail("DOT", action, after=1)
    batch = messages(4)
    results = [o.result for o in send_all(channel, batch)]
    assert results == [
        OutcomeKind.ACCEPTED,
        OutcomeKind.UNCERTAIN,
        OutcomeKind.ACCEPTED,
        OutcomeKind.ACCEPTED,
    ]
    assert max(server.recipients.count(m.address) for m in batch) == 1


def test_what_cannot_be_announced_takes_the_usual_way(start: Start) -> None:
    server, channel = start(size=2_000)
    first, odd, large, foreign, last = (
        FakeMessage(address="a@example.org"),
        FakeMessage(address="b c@example.org"),
        FakeMessage(address="c@example.org", body=b"x" * 70 + b"\r\n" + b"y" * 3_000),
        FakeMessage(address="李@example.org"),
        FakeMessage(address="d@example.org"),
    )
    outcomes = send_all(channel, [first, odd, large, foreign, last])
    assert [o.result.value for o in outcomes] == ["accepted", "rejected", "rejected", "rejected", "accepted"]
    assert server.recipients == ["a@example.org", "d@example.org"]


def test_a_connection_is_replaced_without_announcing_on_the_old_one(start: Start) -> None:
    server, channel = start()
    batch = messages(2 * MESSAGES_PER_CONNECTION + 1)
    assert {o.result for o in send_all(channel, batch)} == {OutcomeKind.ACCEPTED}
    assert server.connections == 3
    assert [m.connection for m in server.received].count(1) == MESSAGES_PER_CONNECTION
    assert server.commands.count("QUIT") >= 2


def test_over_tls_too(tmp_path: Path) -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "secret")) as server:
        place = ServerSettings(
            "127.0.0.1",
            server.port,
            user="desk",
            password="secret",
            ca_file=authority_file(tmp_path),
            answer_seconds=5,
        )
        channel = Smtp(place).channel()
        batch = messages(4)
        assert {o.result for o in send_all(channel, batch)} == {OutcomeKind.ACCEPTED}
        channel.close()
        assert server.recipients == [m.address for m in batch]
        assert all(m.tls for m in server.received)


def test_patience_ends_also_with_the_systems_own_time_out(start: Start) -> None:
    server, channel = start()
    channel._server = ServerSettings("127.0.0.1", server.port, connect_seconds=2, answer_seconds=0.2)
    server.fail("DOT", "hang")
    (outcome,) = channel.send(messages(1))
    assert outcome.result is OutcomeKind.UNCERTAIN
    assert "no answer came in time" in outcome.reason


def test_a_message_that_the_run_does_not_let_through_gets_no_dot(start: Start) -> None:
    server, channel = start()
    first, second = messages(2)
    assert channel.send([first])[0].result is OutcomeKind.ACCEPTED
    channel.gate = lambda _: GateAnswer(is_open=False)
    assert channel.send([second]) == [
        Outcome(OutcomeKind.DEFERRED, reason="the run ended before the message was handed over")
    ]
    assert server.recipients == [first.address]


def test_a_reader_who_left_before_the_final_dot_gets_no_dot(start: Start) -> None:
    server, channel = start()
    first, second, third = messages(3)
    channel.gate = lambda asked: GateAnswer(
        leavers={2: "unsubscribed"} if any(m.subscriber_id == 2 for m in asked) else {}
    )
    outcomes = send_all(channel, [first, second, third])
    assert outcomes[1] == Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")
    assert [o.result for o in (outcomes[0], outcomes[2])] == [OutcomeKind.ACCEPTED] * 2
    assert server.recipients == [first.address, third.address]


def test_a_reader_who_left_after_the_announcement_is_passed_over(start: Start) -> None:
    server, channel = start()
    first, second, third = messages(3)
    channel.set_next_message(second)
    assert channel.send([first])[0].result is OutcomeKind.ACCEPTED
    assert announced(channel) == second.address
    assert channel.send([third])[0].result is OutcomeKind.ACCEPTED
    assert server.recipients == [first.address, third.address]


def test_a_message_that_was_announced_long_ago_is_composed_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Date would be old. Where it has another size by now, it arrives as it was announced."""
    monkeypatch.setattr("mailer.transports.smtp.channel._FRESH_SECONDS", -1.0)
    server, channel = start()
    first, second, third = messages(3)
    bodies = {2: iter((b"one\r\n", b"two\r\n")), 3: iter((b"as announced\r\n", b"longer than announced\r\n"))}

    class Dated(FakeMessage):
        def raw(self) -> bytes:
            head = f"To: {self.address}\r\nMessage-ID: {self.message_id}\r\n\r\n".encode()
            return head + next(bodies[self.subscriber_id])

    dated = [Dated(subscriber_id=m.subscriber_id, address=m.address) for m in (second, third)]
    outcomes = send_all(channel, [first, *dated])
    assert [o.result for o in outcomes] == [OutcomeKind.ACCEPTED] * 3
    assert [m.data.splitlines()[-1] for m in server.received[1:]] == [b"two", b"as announced"]

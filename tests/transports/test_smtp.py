"""SMTP: what becomes of a message, whatever the server does, against a real server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from mailer.errors import TransportError
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.transport import MESSAGES_PER_CONNECTION, Smtp, SmtpChannel
from tests.servers.certificates import server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.outgoing import FakeMessage, messages

BIG = b"x" * 998 + b"\r\n"


@dataclass
class Bench:
    """A server, a channel to it, and the pauses that the channel asked for."""

    server: SmtpServer
    channel: SmtpChannel
    pauses: list[float] = field(default_factory=list)
    ending: bool = False

    def send(self, *batch: FakeMessage) -> list[Outcome]:
        return self.channel.send(batch or messages(1))

    def results(self, count: int) -> list[str]:
        return [self.send(message)[0].result.value for message in messages(count)]


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:

        def make(patience: float = 5, **options: Any) -> Bench:
            server = stack.enter_context(SmtpServer(**options))
            place = ServerSettings("127.0.0.1", server.port, connect_seconds=2, answer_seconds=patience)
            made = Bench(server, None)  # type: ignore[arg-type]

            def pause(seconds: float) -> bool:
                made.pauses.append(seconds)
                return made.ending

            made.channel = Smtp(place, sleep=pause).channel()
            stack.callback(made.channel.close)
            return made

        yield make


both = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one by one"])


@both
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("words", "result"),
    [("450 4.2.1 try again later", OutcomeKind.DEFERRED), ("550 5.1.1 no such user", OutcomeKind.REJECTED)],
)
def test_a_refusal_is_recorded_in_the_servers_words_and_the_next_message_goes(
    bench: Callable[..., Bench], pipelining: bool, stage: Any, words: str, result: OutcomeKind
) -> None:
    desk = bench(pipelining=pipelining)
    desk.server.fail(stage, "reply", words)
    first, second = messages(2)
    cause = Cause.THEM if result is OutcomeKind.DEFERRED else Cause.US if stage == "MAIL" else Cause.ADDRESS
    assert desk.send(first) == [Outcome(result, reason=words, cause=cause)]
    assert desk.send(second)[0].result is OutcomeKind.ACCEPTED
    assert desk.server.recipients == [second.address]
    assert desk.server.connections == 1
    assert "RSET" in desk.server.commands
    assert desk.pauses == []


@both
@pytest.mark.parametrize(
    ("stage", "cause"), [("MAIL", Cause.US), ("RCPT", Cause.ADDRESS), ("DATA", Cause.US), ("DOT", Cause.US)]
)
def test_what_a_refusal_means_depends_on_its_stage(
    bench: Callable[..., Bench], pipelining: bool, stage: Any, cause: Cause
) -> None:
    desk = bench(pipelining=pipelining)
    desk.server.fail(stage, "reply", "550 5.5.0 mailbox unavailable")
    first, second = desk.send(*messages(2))
    assert first.cause is cause
    assert second == Outcome(OutcomeKind.ACCEPTED, second.provider_id)


@both
def test_a_reply_of_many_lines_becomes_one(bench: Callable[..., Bench], pipelining: bool) -> None:
    desk = bench(pipelining=pipelining)
    desk.server.fail("DOT", "reply", "554-5.7.1 we do not want this\r\n554 5.7.1 see\tour page")
    assert desk.send()[0].reason == "554 5.7.1 we do not want this 5.7.1 see our page"


@both
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("action", ["close", "reset"])
def test_a_connection_lost_before_the_dot_is_replaced_and_the_message_goes_once(
    bench: Callable[..., Bench], pipelining: bool, stage: Any, action: Any
) -> None:
    desk = bench(pipelining=pipelining)
    desk.server.fail(stage, action, after=1)
    assert desk.results(3) == ["accepted"] * 3
    assert desk.server.recipients == [message.address for message in messages(3)]
    assert desk.server.connections == 2
    assert desk.pauses == []


@pytest.mark.parametrize("stage", ["MAIL", "DATA"])
def test_a_connection_lost_before_the_dot_twice_defers_the_message(
    bench: Callable[..., Bench], stage: Any
) -> None:
    desk = bench()
    desk.server.fail(stage, "close", times=2)
    assert desk.send() == [
        Outcome(OutcomeKind.DEFERRED, reason="the connection was lost: the connection was closed")
    ]
    assert desk.server.received == []
    assert desk.pauses == [1.0]  # the first connection was new, so the server is not well
    assert desk.send()[0].result is OutcomeKind.ACCEPTED
    assert desk.pauses == [1.0, 2.0]


def test_a_connection_lost_within_the_message_is_replaced(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("DATA", "answer and close")
    outcome = desk.send(FakeMessage(body=BIG * 8000))
    assert outcome[0].result is OutcomeKind.ACCEPTED
    assert len(desk.server.received) == 1
    assert desk.server.connections == 2


@both
@pytest.mark.parametrize("action", ["close", "reset", "hang"])
def test_a_connection_lost_between_the_dot_and_its_reply_is_uncertain_and_never_repeated(
    bench: Callable[..., Bench], pipelining: bool, action: Any
) -> None:
    desk = bench(pipelining=pipelining, patience=0.2)
    desk.server.fail("DOT", action)
    (outcome,) = desk.send()
    assert outcome.result is OutcomeKind.UNCERTAIN
    why = "no answer came in time" if action == "hang" else "the connection was closed"
    assert outcome.reason == f"no answer after the message: {why}"
    assert len(desk.server.received) == 1  # the server has it, and only once
    assert desk.send(messages(2)[1])[0].result is OutcomeKind.ACCEPTED
    assert desk.server.recipients == ["reader1@example.org", "reader2@example.org"]


def test_an_answer_to_the_dot_that_nobody_understands_is_uncertain(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("DOT", "reply", "Okay, I suppose")
    (outcome,) = desk.send()
    assert outcome.result is OutcomeKind.UNCERTAIN
    assert "Okay, I suppose" in outcome.reason


def test_a_server_that_never_answers_before_the_dot_defers_the_message(bench: Callable[..., Bench]) -> None:
    desk = bench(patience=0.1)
    desk.server.fail("RCPT", "hang", times=2)
    (outcome,) = desk.send()
    assert outcome == Outcome(OutcomeKind.DEFERRED, reason="the connection was lost: no answer came in time")


def test_words_in_the_middle_of_a_message_are_its_answer(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("DATA", "add", "552 5.3.4 too much for me")
    assert desk.send() == [Outcome(OutcomeKind.REJECTED, reason="552 5.3.4 too much for me", cause=Cause.US)]
    assert desk.server.received == []
    assert desk.send()[0].result is OutcomeKind.ACCEPTED


@both
@pytest.mark.parametrize("words", ["what?", "250", "299 fine", "199 odd", "\xff\xfe"])
def test_an_answer_out_of_turn_before_the_dot_ends_the_connection_not_the_message(
    bench: Callable[..., Bench], pipelining: bool, words: str
) -> None:
    desk = bench(pipelining=pipelining, smtputf8=True)
    desk.server.fail("DATA", "reply", words)
    assert desk.send()[0].result is OutcomeKind.ACCEPTED
    assert desk.server.connections == 2
    assert len(desk.server.received) == 1


@both
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
def test_421_defers_the_message_and_backs_off_before_the_next_connection(
    bench: Callable[..., Bench], pipelining: bool, stage: Any
) -> None:
    desk = bench(pipelining=pipelining)
    desk.server.fail(stage, "reply", "421 4.7.0 too many")
    assert desk.send() == [Outcome(OutcomeKind.DEFERRED, reason="421 4.7.0 too many", cause=Cause.THEM)]
    assert desk.pauses == []
    assert desk.send()[0].result is OutcomeKind.ACCEPTED
    assert desk.pauses == [1.0]
    assert desk.server.connections == 2


def test_421_on_a_kept_connection_is_tried_once_more(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("MAIL", "reply", "421 4.4.2 idle for too long", after=1)
    assert desk.results(2) == ["accepted", "accepted"]
    assert desk.pauses == []


def test_back_off_grows_and_ends_with_success(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("MAIL", "reply", "421 busy", times=6)
    assert desk.results(7) == ["deferred"] * 6 + ["accepted"]
    assert desk.pauses == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert desk.results(1) == ["accepted"]
    assert len(desk.pauses) == 6


def test_a_run_that_ends_does_not_wait_for_a_busy_server(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("MAIL", "reply", "421 busy")
    desk.send()
    desk.ending = True
    assert desk.send() == [Outcome(OutcomeKind.DEFERRED, reason="the run ended before the message was sent")]
    assert desk.server.received == []


def test_a_server_that_hung_up_between_two_messages_is_called_again(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("DOT", "answer and close")
    assert desk.results(2) == ["accepted", "accepted"]
    assert desk.server.connections == 2
    assert desk.server.recipients == ["reader1@example.org", "reader2@example.org"]


def test_a_failed_reset_ends_the_connection_not_the_run(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("RCPT", "reply", "550 no", times=2)
    desk.server.fail("RSET", "close")
    desk.server.fail("RSET", "reply", "500 what is that?")
    assert desk.results(3) == ["rejected", "rejected", "accepted"]
    assert desk.server.connections == 3


def test_a_connection_is_replaced_after_its_share(bench: Callable[..., Bench]) -> None:
    desk = bench()
    outcomes = desk.channel.send(messages(MESSAGES_PER_CONNECTION + 1))
    assert {outcome.result for outcome in outcomes} == {OutcomeKind.ACCEPTED}
    assert desk.server.connections == 2
    assert desk.server.received[-2].connection == 1
    assert "QUIT" in desk.server.commands


def test_pipelining_is_used_only_where_it_is_offered(bench: Callable[..., Bench]) -> None:
    for offered in (True, False):
        desk = bench(pipelining=offered)
        assert desk.results(2) == ["accepted", "accepted"]
        assert desk.server.pipelined == (2 if offered else 0)


def test_a_server_that_wants_a_message_for_nobody_gets_an_empty_one(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("RCPT", "reply", "550 5.1.1 no such user")
    desk.server.fail("DATA", "reply", "354 go on then")
    assert desk.send() == [
        Outcome(OutcomeKind.REJECTED, reason="550 5.1.1 no such user", cause=Cause.ADDRESS)
    ]
    assert desk.send(messages(2)[1])[0].result is OutcomeKind.ACCEPTED
    assert desk.server.recipients == ["reader2@example.org"]


def test_the_envelope_carries_return_path_and_size(bench: Callable[..., Bench]) -> None:
    desk = bench()
    (message,) = messages(1, return_path="bounce+abc@news.example.org")
    desk.send(message)
    assert desk.server.received[0].sender == "bounce+abc@news.example.org"
    assert f"MAIL FROM:<bounce+abc@news.example.org> SIZE={len(message.raw())}" in desk.server.commands


def test_the_message_arrives_byte_by_byte(bench: Callable[..., Bench]) -> None:
    desk = bench()
    body = b"one\r\n.\r\n..two\r\n.three\r\n\r\n"
    (message,) = messages(1, body=body)
    desk.send(message)
    assert desk.server.received[0].data == message.raw()


def test_a_message_without_a_line_end_gets_one(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.send(*messages(1, body=b"no end"))
    assert desk.server.received[0].data.endswith(b"no end\r\n")


def test_no_message_can_end_early_and_smuggle_another(bench: Callable[..., Bench]) -> None:
    desk = bench()
    smuggled = b"hi\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nx\r\n.\r\n"
    desk.send(*messages(1, body=smuggled))
    assert desk.server.recipients == ["reader1@example.org"]


def test_a_message_too_large_for_the_server_is_rejected_without_being_sent(
    bench: Callable[..., Bench],
) -> None:
    desk = bench(size=2000)
    (outcome,) = desk.send(FakeMessage(body=BIG * 3))
    assert outcome.result is OutcomeKind.REJECTED
    assert outcome.reason.endswith("bytes, and the server accepts 2,000 at most")
    assert not [command for command in desk.server.commands if command.startswith("MAIL")]


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@example.org> SIZE=1",
        "a b@example.org",
        "",
        "a\0@example.org",
        "<a@example.org>",
        "a\u2028@example.org",
    ],
)
def test_an_address_that_could_say_more_than_an_address_is_rejected_unsent(
    bench: Callable[..., Bench], address: str
) -> None:
    desk = bench()
    (outcome,) = desk.send(FakeMessage(address=address))
    assert outcome.result is OutcomeKind.REJECTED
    assert "cannot be used in SMTP" in outcome.reason
    assert "\n" not in outcome.reason
    (outcome,) = desk.send(FakeMessage(return_path=address))
    assert outcome.result is OutcomeKind.REJECTED
    assert desk.server.connections == 0


def test_letters_beyond_ascii_go_where_smtputf8_is_offered(bench: Callable[..., Bench]) -> None:
    desk = bench(smtputf8=True)
    desk.send(FakeMessage(address="用户@example.org"))
    assert desk.server.recipients == ["用户@example.org"]
    assert any(command.endswith(" SMTPUTF8") for command in desk.server.commands)
    desk.send(*messages(1))
    assert not desk.server.commands[-3].endswith(" SMTPUTF8")


def test_letters_beyond_ascii_are_rejected_where_it_is_not(bench: Callable[..., Bench]) -> None:
    desk = bench()
    assert desk.send(FakeMessage(address="用户@example.org")) == [
        Outcome(
            OutcomeKind.REJECTED,
            reason="the server offers no SMTPUTF8, so it cannot write to 用户@example.org",
            cause=Cause.US,
        )
    ]
    assert desk.send()[0].result is OutcomeKind.ACCEPTED


def test_a_server_that_wants_a_login_stops_the_run_instead_of_rejecting_everybody(
    bench: Callable[..., Bench],
) -> None:
    desk = bench(tls=server_tls(), login=("desk", "s3cret"))
    with pytest.raises(TransportError) as caught:
        desk.send()
    assert "accepts no mail from us: 530 5.7.0 Authentication required" in str(caught.value)
    assert "MAILER_SMTP_PASSWORD" in str(caught.value)


def test_when_the_server_goes_away_in_a_batch_what_it_took_stays_taken(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("MAIL", "reply", "530 5.7.0 who are you?", after=2)
    outcomes = desk.send(*messages(4))
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted", "deferred", "deferred"]
    assert "who are you?" in outcomes[2].reason
    assert desk.server.recipients == ["reader1@example.org", "reader2@example.org"]


def test_a_server_that_was_there_is_called_again_after_a_pause(bench: Callable[..., Bench]) -> None:
    desk = bench()
    assert desk.results(1) == ["accepted"]
    desk.server.fail("MAIL", "close")
    desk.server.fail("CONNECT", "reply", "421 4.3.2 restarting")
    desk.server.fail("CONNECT", "close")
    assert desk.send()[0].result is OutcomeKind.ACCEPTED
    assert desk.pauses == [0.1, 1.0]


def test_a_server_that_was_there_and_stays_away_is_one_sentence(bench: Callable[..., Bench]) -> None:
    desk = bench()
    assert desk.results(1) == ["accepted"]
    desk.server.fail("MAIL", "close")
    desk.server.fail("CONNECT", "close", times=9)
    with pytest.raises(TransportError, match=r"broke off: the connection was closed; check that the server"):
        desk.send()
    assert desk.pauses == [1.0, 1.0]


def test_words_from_the_server_are_cut_and_made_harmless(bench: Callable[..., Bench]) -> None:
    desk = bench()
    desk.server.fail("RCPT", "reply", "550 \x1b[31mred\x07 " + "x" * 1000)
    (outcome,) = desk.send()
    assert outcome.reason.startswith("550 [31mred x")
    assert len(outcome.reason) == 500


@pytest.mark.parametrize("words", ["250-" + "x" * 30_000, "\r\n".join(["250-more"] * 300)])
def test_an_answer_without_an_end_is_uncertain_not_endless(bench: Callable[..., Bench], words: str) -> None:
    desk = bench()
    desk.server.fail("DOT", "reply", words)
    assert desk.send()[0].result is OutcomeKind.UNCERTAIN

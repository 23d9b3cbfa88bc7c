"""What connections find out about a server for one another."""

from __future__ import annotations

import socket

import pytest

from mailer.errors import TransportError
from mailer.transports.base import Outcome
from mailer.transports.refusal.refusal import SmtpStage
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.smtp.server_profile import MESSAGES_PER_CONNECTION, ServerProfile
from mailer.transports.smtp.session.replies import ReplyReader
from mailer.transports.smtp.session_refusals import may_be_about_session_alone, may_be_due_to_early_commands
from mailer.transports.smtp.transport import Smtp
from tests.servers.certificates import server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.outgoing import messages


def test_connections_that_end_after_announcements_stop_them_only_where_none_was_answered() -> None:
    profile = ServerProfile()
    for _ in range(2):
        profile.note_connection_lost_after_early_commands()
    assert profile.may_send_commands_early()
    profile.note_connection_lost_after_early_commands()
    assert not profile.may_send_commands_early()
    profile = ServerProfile()
    profile.note_early_commands_answered()
    for _ in range(50):
        profile.note_connection_lost_after_early_commands()
    assert profile.may_send_commands_early()


def test_a_number_is_kept_where_the_words_speak_of_a_limit_or_it_comes_twice() -> None:
    profile = ServerProfile()
    profile.note_session_limit(3, "4.3.0 Temporary lookup failure")
    assert profile.max_messages == MESSAGES_PER_CONNECTION
    profile.note_session_limit(7, "4.3.0 Temporary lookup failure")
    assert profile.max_messages == MESSAGES_PER_CONNECTION
    profile.note_session_limit(7, "4.3.0 Temporary lookup failure")
    assert profile.max_messages == 7
    profile.note_session_limit(5, "4.5.3 too many messages in this session")
    assert profile.max_messages == 5
    profile.note_session_limit(9, "4.5.3 too many messages in this session")
    assert profile.max_messages == 5
    profile.note_session_limit(0, "4.5.3 too many messages in this session")
    assert profile.max_messages == 5


@pytest.mark.parametrize(
    ("stage", "code", "words", "expected"),
    [
        (SmtpStage.MAIL, 452, "4.3.1 Insufficient system storage", True),
        (SmtpStage.MAIL, 554, "5.7.1 Too many messages per session", True),
        (SmtpStage.MAIL, 550, "5.7.1 We do not know you", False),
        (SmtpStage.RCPT, 421, "4.7.0 Later", True),
        (SmtpStage.RCPT, 450, "4.7.1 Greylisted", False),
        (SmtpStage.RCPT, 452, "4.5.3 Too many recipients", True),
        (SmtpStage.RCPT, 452, "4.2.2 The mailbox has too many messages", False),
        (SmtpStage.RCPT, 550, "5.7.1 Too many messages in this session", True),
        (SmtpStage.MESSAGE, 451, "4.7.1 Please open a new connection", True),
        (SmtpStage.MESSAGE, 552, "5.3.4 Message size exceeds the maximum message size", False),
    ],
)
def test_which_refusals_may_be_of_the_session_alone(
    stage: SmtpStage, code: int, words: str, expected: bool
) -> None:
    assert may_be_about_session_alone(stage, code, words) is expected


@pytest.mark.parametrize(
    ("stage", "code", "words", "announced", "announces", "expected"),
    [
        (SmtpStage.MAIL, 503, "Bad sequence", True, False, True),
        (SmtpStage.MAIL, 503, "Bad sequence", False, False, False),
        (SmtpStage.MAIL, 421, "Bad sequence", True, False, False),
        (SmtpStage.MAIL, 452, "4.5.3 too many messages in this session", True, False, False),
        (SmtpStage.MAIL, 550, "5.7.1 We do not know you", True, False, True),
        (SmtpStage.RCPT, 550, "5.1.1 No such user", True, True, False),
        (SmtpStage.RCPT, 503, "Need MAIL first", True, True, True),
        (SmtpStage.MESSAGE, 554, "5.5.0 Improper pipelining", True, True, True),
        (SmtpStage.MESSAGE, 554, "5.5.0 Improper pipelining", True, False, False),
        (SmtpStage.MESSAGE, 554, "5.7.1 Spam", True, True, False),
    ],
)
def test_which_refusals_may_be_of_the_announcement(
    stage: SmtpStage, code: int, words: str, announced: bool, announces: bool, expected: bool
) -> None:
    found = may_be_due_to_early_commands(
        stage, code, words, was_sent_early=announced, next_was_sent_early=announces
    )
    assert found is expected


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux alone has it")
@pytest.mark.parametrize("hurries", [True, False])
def test_what_arrives_is_acknowledged_at_once_where_more_answers_are_to_come(hurries: bool) -> None:
    class Connection:
        def __init__(self) -> None:
            self.options: list[tuple[int, int, int]] = []

        def setsockopt(self, *option: int) -> None:
            self.options.append(option)  # type: ignore[arg-type]

        def recv(self, size: int, flags: int) -> bytes:
            return b"250 Ok\r\n"

        def close(self) -> None: ...

    replies = ReplyReader.__new__(ReplyReader)
    connection = Connection()
    replies.sock = connection  # type: ignore[assignment]
    replies.acknowledges_at_once = hurries
    assert replies.getreply() == (250, b"Ok")
    assert connection.options == ([(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)] if hurries else [])


def test_a_wrong_password_is_sent_by_one_connection_alone() -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "right")) as server:
        smtp = Smtp(ServerSettings("127.0.0.1", server.port, user="desk", password="wrong"), concurrency=4)
        said = []
        for _ in range(4):
            channel = smtp.channel()
            with pytest.raises(TransportError) as error:
                channel.send(messages(1))
            said.append(str(error.value))
            channel.close()
        assert len(set(said)) == 1
        assert sum(command.startswith("AUTH") for command in server.commands) == 1
        assert server.connections == 1


def test_after_the_first_login_connections_log_in_side_by_side() -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "right")) as server:
        smtp = Smtp(ServerSettings("127.0.0.1", server.port, user="desk", password="right"), concurrency=2)
        first, second = smtp.channel(), smtp.channel()
        outcomes: list[Outcome] = [*first.send(messages(1)), *second.send(messages(2)[1:])]
        assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]
        first.close()
        second.close()

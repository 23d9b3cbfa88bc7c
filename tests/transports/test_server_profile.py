"""What connections find out about a server for one another."""

from __future__ import annotations

import socket

import pytest

from mailer.errors import TransportError
from mailer.transports.base import Outcome
from mailer.transports.refusal.refusal import Stage
from mailer.transports.smtp.server import Server
from mailer.transports.smtp.server_profile import MESSAGES_PER_CONNECTION, ServerProfile
from mailer.transports.smtp.session.replies import Replies
from mailer.transports.smtp.session_refusals import is_about_the_announcement, is_about_the_session
from mailer.transports.smtp.transport import Smtp
from tests.servers.certificates import server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.outgoing import messages


def test_connections_that_end_after_announcements_stop_them_only_where_none_was_answered() -> None:
    profile = ServerProfile()
    for _ in range(2):
        profile.note_announcement_lost()
    assert profile.may_announce()
    profile.note_announcement_lost()
    assert not profile.may_announce()
    profile = ServerProfile()
    profile.note_announcement_taken()
    for _ in range(50):
        profile.note_announcement_lost()
    assert profile.may_announce()


def test_a_number_is_kept_where_the_words_speak_of_a_limit_or_it_comes_twice() -> None:
    profile = ServerProfile()
    profile.note_session_limit(3, "4.3.0 Temporary lookup failure")
    assert profile.most_messages == MESSAGES_PER_CONNECTION
    profile.note_session_limit(7, "4.3.0 Temporary lookup failure")
    assert profile.most_messages == MESSAGES_PER_CONNECTION
    profile.note_session_limit(7, "4.3.0 Temporary lookup failure")
    assert profile.most_messages == 7
    profile.note_session_limit(5, "4.5.3 too many messages in this session")
    assert profile.most_messages == 5
    profile.note_session_limit(9, "4.5.3 too many messages in this session")
    assert profile.most_messages == 5
    profile.note_session_limit(0, "4.5.3 too many messages in this session")
    assert profile.most_messages == 5


@pytest.mark.parametrize(
    ("stage", "code", "words", "expected"),
    [
        (Stage.MAIL, 452, "4.3.1 Insufficient system storage", True),
        (Stage.MAIL, 554, "5.7.1 Too many messages per session", True),
        (Stage.MAIL, 550, "5.7.1 We do not know you", False),
        (Stage.RCPT, 421, "4.7.0 Later", True),
        (Stage.RCPT, 450, "4.7.1 Greylisted", False),
        (Stage.RCPT, 452, "4.5.3 Too many recipients", True),
        (Stage.RCPT, 452, "4.2.2 The mailbox has too many messages", False),
        (Stage.RCPT, 550, "5.7.1 Too many messages in this session", True),
        (Stage.MESSAGE, 451, "4.7.1 Please open a new connection", True),
        (Stage.MESSAGE, 552, "5.3.4 Message size exceeds the maximum message size", False),
    ],
)
def test_which_refusals_may_be_of_the_session_alone(
    stage: Stage, code: int, words: str, expected: bool
) -> None:
    assert is_about_the_session(stage, code, words) is expected


@pytest.mark.parametrize(
    ("stage", "code", "words", "announced", "announces", "expected"),
    [
        (Stage.MAIL, 503, "Bad sequence", True, False, True),
        (Stage.MAIL, 503, "Bad sequence", False, False, False),
        (Stage.MAIL, 421, "Bad sequence", True, False, False),
        (Stage.MAIL, 452, "4.5.3 too many messages in this session", True, False, False),
        (Stage.MAIL, 550, "5.7.1 We do not know you", True, False, True),
        (Stage.RCPT, 550, "5.1.1 No such user", True, True, False),
        (Stage.RCPT, 503, "Need MAIL first", True, True, True),
        (Stage.MESSAGE, 554, "5.5.0 Improper pipelining", True, True, True),
        (Stage.MESSAGE, 554, "5.5.0 Improper pipelining", True, False, False),
        (Stage.MESSAGE, 554, "5.7.1 Spam", True, True, False),
    ],
)
def test_which_refusals_may_be_of_the_announcement(
    stage: Stage, code: int, words: str, announced: bool, announces: bool, expected: bool
) -> None:
    found = is_about_the_announcement(stage, code, words, announced=announced, announces=announces)
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

    replies = Replies.__new__(Replies)
    connection = Connection()
    replies.sock = connection  # type: ignore[assignment]
    replies.hurries = hurries
    assert replies.getreply() == (250, b"Ok")
    assert connection.options == ([(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)] if hurries else [])


def test_a_wrong_password_is_sent_by_one_connection_alone() -> None:
    with SmtpServer(tls=server_tls(), login=("desk", "right")) as server:
        smtp = Smtp(Server("127.0.0.1", server.port, user="desk", password="wrong"), concurrency=4)
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
        smtp = Smtp(Server("127.0.0.1", server.port, user="desk", password="right"), concurrency=2)
        first, second = smtp.channel(), smtp.channel()
        outcomes: list[Outcome] = [*first.send(messages(1)), *second.send(messages(2)[1:])]
        assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]
        first.close()
        second.close()

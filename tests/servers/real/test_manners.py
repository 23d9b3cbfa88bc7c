"""The servers do what the contract asks of them: else it would prove nothing."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.servers.real.base import Manners, RealServer
from tests.servers.real.kinds import KINDS, Kind

MESSAGE = b"From: a@news.example.org\r\nSubject: x\r\n\r\nHello\r\n"


def every(kinds: Iterable[Kind] = KINDS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in kinds])


@contextmanager
def session(server: RealServer) -> Iterator[smtplib.SMTP]:
    """A session of the standard library's, dropped without a word at its end."""
    client = smtplib.SMTP("127.0.0.1", server.port, local_hostname="mail.example.org", timeout=10)
    try:
        client.ehlo()
        yield client
    finally:
        client.close()


def send(client: smtplib.SMTP, recipient: str) -> int:
    """The code of the first refusal, or 250."""
    try:
        client.sendmail("a@news.example.org", [recipient], MESSAGE)
    except smtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[recipient][0]
    except smtplib.SMTPResponseException as refused:
        return refused.smtp_code
    return 250


@every()
def test_refused_greylisted_and_others(kind: Kind) -> None:
    with kind(Manners(greylisting=True)) as server, session(server) as client:
        assert send(client, "refused1@example.org") == 550
        assert send(client, "greylisted1@example.org") == 450
        assert send(client, "reader1@example.org") == 250
        assert [one.recipient for one in server.taken()] == ["reader1@example.org"]
        assert server.count() == 1


@every()
def test_size_and_smtputf8_are_offered_as_asked(kind: Kind) -> None:
    with kind(Manners(size=5000, smtputf8=False)) as server, session(server) as client:
        assert client.esmtp_features["size"] == "5000"
        assert "smtputf8" not in client.esmtp_features
    if kind.speaks_smtputf8:
        with kind() as server, session(server) as client:
            assert "smtputf8" in client.esmtp_features


@pytest.mark.parametrize(
    ("kind", "then"),
    [pytest.param(kind, then, id=f"{kind.name}-{then}") for kind in KINDS for then in kind.limits_messages],
)
def test_a_session_brings_only_so_many_messages(kind: Kind, then: int) -> None:
    with kind(Manners(messages=3, then=then)) as server:
        with session(server) as client:
            assert [send(client, f"reader{number}@example.org") for number in range(4)] == [250] * 3 + [then]
        with session(server) as client:
            assert send(client, "reader4@example.org") == 250


@every(kind for kind in KINDS if kind.limits_connections)
def test_a_connection_too_many_is_sent_away(kind: Kind) -> None:
    with kind(Manners(connections=3)) as server, ExitStack() as open_ones:
        for _ in range(3):
            assert open_ones.enter_context(session(server)).noop()[0] == 250
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one_more:
            said = one_more.recv(1000)
            if said.startswith(b"220"):  # it says so later
                one_more.sendall(b"EHLO mail.example.org\r\n")
                said = one_more.recv(1000)
            assert said.startswith(b"421")

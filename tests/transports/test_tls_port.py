"""A port that begins with TLS is told from a server that is slow to greet."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from mailer.errors import TransportError
from mailer.transports.smtp import connection
from mailer.transports.smtp.server import ServerSettings, open_session
from mailer.transports.smtp.session import tls_port
from mailer.transports.smtp.session.tls_port import port_begins_with_tls
from mailer.transports.smtp.transport import Smtp
from tests.servers.certificates import server_tls
from tests.servers.login import LoginServer
from tests.transports.outgoing import messages


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_port, "_SILENCE_SECONDS", (0.02, 0.05))
    monkeypatch.setattr(tls_port, "_HANDSHAKE_SECONDS", 5.0)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_smtp_on_a_port_that_begins_with_tls_is_told() -> None:
    with LoginServer(tls=server_tls()) as server, pytest.raises(TransportError) as caught:
        open_session(ServerSettings("127.0.0.1", server.port, connect_seconds=20))
    assert str(caught.value) == (
        f"127.0.0.1:{server.port} sends no greeting and waits for TLS; write smtps:// instead of smtp:// in "
        "the transport's URL"
    )


@pytest.mark.parametrize("user", ["", "desk"])
def test_one_connection_finds_it_out_for_all(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    """Else a run with eight connections says after a minute what is known after seven seconds."""
    monkeypatch.setattr(connection, "_LONG_SECONDS", 0.04)
    with LoginServer(tls=server_tls()) as server:
        smtp = Smtp(ServerSettings("127.0.0.1", server.port, connect_seconds=20, user=user), concurrency=8)
        for _ in range(8):
            channel = smtp.channel()
            with pytest.raises(TransportError, match="write smtps:// instead of smtp://"):
                channel.send(messages(1))
            channel.close()
        assert server.connections <= 2


def test_a_tls_server_that_refuses_the_handshake_speaks_tls_all_the_same() -> None:
    tls = server_tls()
    tls.set_alpn_protocols(["smtp"])
    tls.sni_callback = lambda *rest: 40  # an alert: handshake_failure
    with LoginServer(tls=tls) as server:
        assert port_begins_with_tls("localhost", server.port)


def test_a_server_that_is_slow_to_greet_is_waited_for() -> None:
    greet = threading.Event()
    with LoginServer(greet=greet) as server:
        sessions = []
        thread = threading.Thread(
            target=lambda: sessions.append(
                open_session(ServerSettings("127.0.0.1", server.port, connect_seconds=20))
            )
        )
        thread.start()
        while server.connections < 2:  # the second one tries TLS
            thread.join(0.01)
        greet.set()
        thread.join(20)
        assert sessions[0].run_mail_transaction("a@example.org", "b@example.org", b"Hi\r\n")[0] == 250
        sessions[0].end_session()


def test_a_server_that_greets_at_once_is_not_tried() -> None:
    with LoginServer() as server:
        open_session(ServerSettings("127.0.0.1", server.port, connect_seconds=5)).end_session()
        assert server.connections == 1


def test_a_server_that_never_speaks_is_left_in_time(silent: int) -> None:
    with pytest.raises(TransportError, match="did not answer in time; check that the server runs"):
        open_session(ServerSettings("127.0.0.1", silent, connect_seconds=0.3))


def test_nobody_there_begins_with_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not port_begins_with_tls("127.0.0.1", port)


def test_tls_on_a_plain_port_is_told() -> None:
    with (
        LoginServer() as server,
        pytest.raises(TransportError, match=r"use smtps:// for a port that begins with TLS"),
    ):
        open_session(ServerSettings("127.0.0.1", server.port, implicit_tls=True, connect_seconds=5))

"""How far a request got: the connection below the package's client, against sockets that misbehave."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.http.connection import (
    ApiUnreachable,
    HttpConnection,
    RequestNotSent,
    RequestUnanswered,
)
from mailer.transports.sendgrid.client import JsonBody, api_client, api_connection
from mailer.transports.sendgrid.transport import SendGrid
from tests.servers.certificates import authority_file, server_tls
from tests.transports.outgoing import FakeMessage, fake_rendition, messages

YES = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX-Message-Id: x\r\n\r\n"
BIG = {"padding": "x" * 20_000_000}

Script = Callable[[socket.socket], None]


def receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError
    return data


def read_request(connection: socket.socket) -> bytes:
    """A whole request: its head and as much body as it promises."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += receive(connection)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A server with one script for each connection, in order; gives its address."""
    with ExitStack() as stack:

        def start(*scripts: Script, tls: ssl.SSLContext | None = None) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run() -> None:
                for script in scripts:
                    connection, _ = listener.accept()
                    with suppress(OSError):
                        if tls is not None:
                            connection = tls.wrap_socket(connection, server_side=True)
                        script(connection)
                    connection.close()

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            return f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"

        yield start


def post(url: str, body: object, connection: HttpConnection | None = None) -> int:
    connection = connection or api_connection(url, "key", 2.0)
    try:
        status: int = (
            api_client(url, connection).mail.send.post(request_body=JsonBody(json.dumps(body))).status_code
        )
        return status
    finally:
        connection.close()


def test_a_refusal_that_comes_before_the_request_is_complete_is_read(serve: Callable[..., str]) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        while connection.recv(1 << 20):  # a polite server lets the client finish
            pass

    assert post(serve(refuse), BIG) == 413


def test_a_connection_that_ends_within_the_request_has_not_carried_it_out(serve: Callable[..., str]) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(100)

    with pytest.raises(RequestNotSent):
        post(serve(hang_up), BIG)


def large_messages() -> list[FakeMessage]:
    return messages(2, rendition=fake_rendition(0, "x" * 8_000_000))


def test_what_was_cut_off_on_its_way_is_sent_once_more(serve: Callable[..., str]) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(100)

    def take(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(YES)

    channel = SendGrid(serve(hang_up, take), "key").channel()
    assert channel.send(large_messages()) == [Outcome(OutcomeKind.ACCEPTED, provider_id="x")] * 2
    channel.close()


def test_what_was_cut_off_twice_is_left_for_later(serve: Callable[..., str]) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(100)

    channel = SendGrid(serve(hang_up, hang_up), "key").channel()
    (first, _) = channel.send(large_messages())
    assert first.result is OutcomeKind.DEFERRED
    assert first.reason == "the request did not reach SendGrid: the connection was closed"
    channel.close()


def test_a_server_that_stops_reading_has_not_carried_it_out(serve: Callable[..., str]) -> None:
    done = threading.Event()

    def stop_reading(connection: socket.socket) -> None:
        done.wait(5)

    url = serve(stop_reading)
    with pytest.raises(RequestNotSent, match="no answer came in time"):
        post(url, BIG, api_connection(url, "key", 0.2))
    done.set()


def test_an_answer_is_not_waited_for_where_the_request_could_not_be_sent_in_time(
    serve: Callable[..., str],
) -> None:
    done = threading.Event()

    def answer_and_stop_reading(connection: socket.socket) -> None:
        connection.sendall(YES)  # no such answer is about a request that lacks most of its bytes
        done.wait(5)

    url = serve(answer_and_stop_reading)
    with pytest.raises(RequestNotSent, match="no answer came in time"):
        post(url, BIG, api_connection(url, "key", 0.2))
    done.set()


def test_an_answer_that_is_not_http_is_no_answer(serve: Callable[..., str]) -> None:
    def mumble(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"SSH-2.0-hello\r\n\r\n")

    with pytest.raises(RequestUnanswered, match="the answer cannot be read"):
        post(serve(mumble), {})


@pytest.mark.parametrize("status", ["102 Processing", "103 Early Hints"])
def test_what_is_said_before_the_answer_is_not_taken_for_it(serve: Callable[..., str], status: str) -> None:
    def hint(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 {status}\r\nLink: <x>\r\n\r\n".encode() * 2 + YES)

    assert post(serve(hint), {}) == 202


def test_a_connection_that_was_closed_meanwhile_is_replaced(serve: Callable[..., str]) -> None:
    closed = threading.Event()

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(YES)
        connection.close()
        closed.set()

    url = serve(once, once)
    connection = api_connection(url, "key", 2.0)
    api = api_client(url, connection)
    for _ in range(2):
        assert api.mail.send.post(request_body=JsonBody("{}")).status_code == 202
        assert closed.wait(2)
        closed.clear()
    connection.close()


def test_an_answer_larger_than_any_of_theirs_is_cut(serve: Callable[..., str]) -> None:
    def babble(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 100_000)

    url = serve(babble)
    connection = api_connection(url, "key", 2.0)
    assert len(api_client(url, connection).mail.send.post(request_body=JsonBody("{}")).body) == 1_000_000
    connection.close()


def test_https_is_verified(serve: Callable[..., str]) -> None:
    def never(connection: socket.socket) -> None:
        raise AssertionError("no request may come")

    with pytest.raises(ApiUnreachable, match="the certificate cannot be trusted"):
        post(serve(never, tls=server_tls()), {})


def test_https_keeps_its_connection(
    serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file(tmp_path)))

    def twice(connection: socket.socket) -> None:
        for _ in range(2):
            read_request(connection)
            connection.sendall(YES)

    url = serve(twice, tls=server_tls())
    connection = api_connection(url, "key", 2.0)
    for _ in range(2):
        assert api_client(url, connection).mail.send.post(request_body=JsonBody("{}")).status_code == 202
    connection.close()


def test_https_that_answers_early_is_not_waited_for(
    serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file(tmp_path)))

    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        read_request(connection)

    with pytest.raises(RequestNotSent):
        post(serve(refuse, tls=server_tls()), BIG)


def test_https_that_was_reset_meanwhile_is_replaced(
    serve: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file(tmp_path)))
    answered, closed = threading.Event(), threading.Event()

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(YES)
        if not closed.is_set():
            assert answered.wait(2)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            closed.set()

    url = serve(once, once, tls=server_tls())
    connection = api_connection(url, "key", 2.0)
    real = HttpConnection._read_answer

    def answer_then_wait(self: HttpConnection, connection: http.client.HTTPConnection) -> object:
        answer = real(self, connection)
        answered.set()
        assert closed.wait(2)
        return answer

    monkeypatch.setattr(HttpConnection, "_read_answer", answer_then_wait)
    api = api_client(url, connection)
    for _ in range(2):
        assert api.mail.send.post(request_body=JsonBody("{}")).status_code == 202
    connection.close()


def test_the_key_is_sent_and_is_not_among_the_clients_headers(serve: Callable[..., str]) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(read_request(connection))
        connection.sendall(YES)

    url = serve(listen)
    connection = api_connection(url, "SG.key", 2.0)
    api = api_client(url, connection)
    api.mail.send.post(request_body=JsonBody("{}"))
    assert b"\r\nAuthorization: Bearer SG.key\r\n" in heard[0]
    assert heard[0].startswith(b"POST /v3/mail/send HTTP/1.1\r\n")
    assert "Authorization" not in api.request_headers
    connection.close()


def test_a_request_that_the_run_does_not_let_through_lacks_its_last_byte(
    serve: Callable[..., str],
) -> None:
    heard: list[bytes] = []
    ended = threading.Event()

    def listen(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            heard.append(data)
        ended.set()

    url = serve(listen)
    connection = api_connection(url, "key", 2.0)
    connection.gate = lambda: False
    with pytest.raises(RequestNotSent, match="the run ended before the message was handed over"):
        api_client(url, connection).mail.send.post(request_body=JsonBody('{"a":1}'))
    assert ended.wait(5)
    assert b"".join(heard).endswith(b'{"a":1')

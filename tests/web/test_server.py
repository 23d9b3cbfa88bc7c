"""The real server on a real socket: limits in time, and nothing told that should not be."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailer.audience.subscribers import Subscriber
from mailer.web import server as web_server
from mailer.web.app import create_app
from mailer.web.server import listen, make_server
from tests.web.conftest import Site, a_reader


@pytest.fixture
def port(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 0.3)
    server = make_server(create_app(site.settings))
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def ask(port: int, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_many_readers_leave_at_the_same_time(site: Site, port: int) -> None:
    people = [a_reader(site, f"reader{n}@example.org") for n in range(20)]
    with ThreadPoolExecutor(10) as pool:
        posts = [
            pool.submit(ask, port, "POST", site.link(person), b"List-Unsubscribe=One-Click")
            for person in people * 2
        ]
        assert {post.result().status for post in posts} == {200}
    assert {site.now(person).status for person in people} == {"unsubscribed"}
    assert len(site.events()) == len(people)


def test_an_answer_does_not_say_what_answers(port: int) -> None:
    answer = ask(port, "GET", "/healthz")
    assert answer.status == 200
    assert answer.getheader("server") is None
    assert answer.getheader("set-cookie") is None


def test_a_head_has_no_body(site: Site, reader: Subscriber, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(
            f"HEAD {site.link(reader)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: y"])
def test_a_request_that_never_becomes_complete_is_given_up(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(sent)
        started = time.monotonic()
        assert connection.recv(1000) == b""
        assert time.monotonic() - started < 10


def test_a_second_request_that_never_becomes_complete_is_given_up_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /healthz HT")
        rest = b"".join(iter(lambda: connection.recv(65536), b""))
    assert rest.removeprefix(b"ok\n") == b""


def test_a_connection_that_is_kept_answers_again(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()


def test_nonsense_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_port_that_is_taken_is_refused_at_once() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])

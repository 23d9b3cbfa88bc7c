"""The real server on a real socket: limits in time, and nothing told that should not be."""

from __future__ import annotations

import http.client
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn

from mailer.audience.subscribers import Subscriber
from mailer.web import server as web_server
from mailer.web.app import create_app
from mailer.web.server import listen, make_server
from tests.web.conftest import Site, a_reader


@pytest.fixture
def port(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 0.3)
    with serving(create_app(site.settings)) as (port, _):
        yield port


@contextmanager
def serving(app: Any) -> Iterator[tuple[int, uvicorn.Server]]:
    """The server in a thread of its own, and its port."""
    server = make_server(app)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1], server
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def ask(
    port: int, method: str, path: str, body: bytes | None = None, source: str = "127.0.0.1"
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=(source, 0))
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


def test_a_body_that_is_no_form_fills_no_log(
    site: Site, reader: Subscriber, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"nonsense", b"--b\r\nX: \xff\r\n", b"--b\r\n\x00: x\r\n\r\n", b"--b--\r\nmore"):
        connection.request("POST", site.link(reader), body, kind)
        answer = connection.getresponse()
        assert b"You are unsubscribed" in answer.read()
    connection.close()
    assert [record.getMessage() for record in caplog.records] == []


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


def test_a_body_that_nobody_asked_for_does_not_hold_the_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        received = b""
        while not received.endswith(b"ok\n"):
            received += connection.recv(65536)
        connection.sendall(b"x")
        try:
            rest = connection.recv(1000)
        except ConnectionResetError:
            rest = b""
    assert rest == b""


def test_after_a_body_that_nobody_asked_for_comes_the_next_request(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        for _ in range(2):
            connection.sendall(request)
            received = b""
            while not received.endswith(b"ok\n"):
                received += connection.recv(65536)
            connection.sendall(b"x" * 1000)


def test_connections_are_not_accepted_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 600.0)
    monkeypatch.setattr(web_server, "_CONNECTIONS", 10)
    with serving(create_app(site.settings)) as (port, server), ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(40)]
        refused = 0
        for connection in reversed(idle):
            try:
                refused += connection.recv(1) == b""
            except ConnectionResetError:
                refused += 1
            if refused == 29:
                break
        assert len(server.server_state.connections) == 11
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    ("limits", "room", "asked"),
    [
        ((1024, 524_288), 1000, (3000, 524_288)),
        ((1024, -1), 1000, (3000, -1)),
        ((1024, 1024), 512, (1024, 1024)),
        ((64, 256), 128, (256, 256)),
        ((-1, -1), 1000, None),
        ((1_000_000, 1_000_000), 1000, None),
    ],
)
def test_the_schedule_and_the_database_keep_half_of_the_files(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    room: int,
    asked: tuple[int, int] | None,
) -> None:
    wanted: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: wanted.append(both))
    assert web_server._max_connections() == room
    assert wanted == ([asked] if asked else [])


@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
def test_an_answer_that_is_not_taken_is_given_up(closing: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def large(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 30_000_000})

    monkeypatch.setattr(web_server, "STALL_SECONDS", 0.2)
    with serving(large) as (port, server), socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + closing + b"\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        until = time.monotonic() + 15
        while server.server_state.connections and time.monotonic() < until:
            time.sleep(0.01)
        assert not server.server_state.connections


@pytest.mark.parametrize(
    ("waiting", "given_up"),
    [((90_000, 80_000, 70_000), False), ((90_000, 0, 90_000), False), ((90_000, 89_999), True)],
)
def test_who_takes_something_is_waited_for(waiting: tuple[int, ...], given_up: bool) -> None:
    protocol = web_server._LimitedProtocol.__new__(web_server._LimitedProtocol)
    protocol.loop, protocol.transport, protocol.cycle = Mock(), Mock(), Mock()
    protocol.transport.get_write_buffer_size.side_effect = waiting
    for _ in waiting:
        protocol._close_if_stalled()
    assert protocol.transport.abort.called is given_up
    assert protocol.loop.call_later.call_count == len(waiting) - given_up


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


@pytest.mark.parametrize("method", [b"HEAD", b"GET", b"POST", b"OPTIONS"])
@pytest.mark.parametrize("pause", [False, True])
def test_nonsense_after_a_request_is_no_defect_of_ours(
    port: int, method: bytes, pause: bool, caplog: pytest.LogCaptureFixture
) -> None:
    head = method + b" /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(head if pause else head + b"no chunk\r\n")
        answer = connection.recv(12)
        if pause:
            connection.sendall(b"no chunk\r\n")
        with suppress(ConnectionResetError):
            while connection.recv(65536):
                pass
    assert answer.startswith(b"HTTP/1.1 ")
    assert ask(port, "GET", "/healthz").status == 200
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("target", ["http://news.example.org", "HTTP://[::1]:8000", "https://x"])
def test_a_target_with_its_host_is_answered_as_its_path(
    site: Site, reader: Subscriber, port: int, target: str
) -> None:
    link = site.link(reader)
    assert ask(port, "GET", target + link).status == 200
    assert site.now(reader).status == "active"
    assert ask(port, "POST", target + link, b"List-Unsubscribe=One-Click").status == 200
    assert site.now(reader).status == "unsubscribed"
    front = ask(port, "GET", target)
    assert (front.status, front.getheader("location")) == (307, "/archive/")
    assert ask(port, "GET", f"{target}/archive/?page=1").status == 200
    assert ask(port, "GET", f"{target}/archive/?page=2").status == 404
    assert ask(port, "GET", f"{target}//u/").status == 404


def test_a_target_of_another_scheme_is_nothing_here(site: Site, reader: Subscriber, port: int) -> None:
    assert ask(port, "POST", f"ftp://news.example.org{site.link(reader)}", b"").status == 404
    assert site.now(reader).status == "active"


def test_a_port_that_is_taken_is_refused_at_once() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])

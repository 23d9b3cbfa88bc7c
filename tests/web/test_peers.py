"""One address does not get all places: its connections that owe a request are closed, the oldest first."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn

from mailer.web import server as web_server
from mailer.web.app import create_app
from mailer.web.peers import PeerLimits, peer_of
from tests.web.conftest import Site, a_reader
from tests.web.test_server import ask, serving

NOISY, OTHER = "127.0.0.2", "127.0.0.3"
SILENT = 1500
HALVES = {
    "nothing": b"",
    "half a line": b"POST /u/x HT",
    "half a head": b"POST /u/x HTTP/1.1\r\nHost: x\r\nX: y",
    "no body": b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\n",
    "half a body": b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\nList-Unsub",
    "half a chunk": b"POST /u/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nList",
    "one request before": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
}


@contextmanager
def limited(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, uvicorn.Server]]:
    """The server, for which the addresses of this machine are peers like others; nothing times out."""
    monkeypatch.setattr(web_server, "HEAD_SECONDS", 600.0)
    monkeypatch.setattr(web_server, "_peer_of", lambda host: host)
    with serving(create_app(site.settings)) as (port, server):
        yield port, server


@contextmanager
def open_files(number: int) -> Iterator[None]:
    """Lets this process open so many files, as it needs for both ends of its connections; else skips."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        pytest.skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def connect(port: int, source: str = NOISY, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0))
    connection.sendall(sent)
    return connection


def wait_for(server: uvicorn.Server, most: int) -> int:
    """How many connections the server has, once they are no more than `max_per_peer`."""
    until = time.monotonic() + 15
    while len(server.server_state.connections) > most and time.monotonic() < until:
        time.sleep(0.01)
    return len(server.server_state.connections)


def test_silent_connections_of_one_address_keep_nobody_from_leaving(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [a_reader(site, f"reader{n}@example.org") for n in range(100)]
    with (
        open_files(SILENT + 1000),
        limited(site, monkeypatch) as (port, server),
        ExitStack() as opened,
        ThreadPoolExecutor(10) as pool,
    ):
        for _ in range(SILENT):
            opened.enter_context(connect(port))
        posts = pool.map(
            lambda person: ask(port, "POST", site.link(person), b"List-Unsubscribe=One-Click", OTHER).status,
            people,
        )
        assert list(posts) == [200] * 100
        assert wait_for(server, 100) == 100
    assert {site.now(person).status for person in people} == {"unsubscribed"}


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES.keys())
def test_whatever_part_of_a_request_is_missing(
    site: Site, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(web_server, "_CONNECTIONS", 40)
    person = a_reader(site)
    with limited(site, monkeypatch) as (port, server), ExitStack() as opened:
        for _ in range(60):
            connection = opened.enter_context(connect(port, sent=sent))
            if sent == HALVES["one request before"]:
                connection.recv(12)
        assert ask(port, "POST", site.link(person), b"List-Unsubscribe=One-Click", OTHER).status == 200
        assert wait_for(server, 4) <= 4
    assert site.now(person).status == "unsubscribed"


def test_the_same_address_may_still_leave(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_CONNECTIONS", 40)
    people = [a_reader(site, f"reader{n}@example.org") for n in range(20)]
    with limited(site, monkeypatch) as (port, _), ExitStack() as opened:
        for person in people:
            for _ in range(10):
                opened.enter_context(connect(port))
            assert ask(port, "POST", site.link(person), b"List-Unsubscribe=One-Click", NOISY).status == 200
    assert {site.now(person).status for person in people} == {"unsubscribed"}


def test_requests_under_way_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_CONNECTIONS", 40)
    monkeypatch.setattr(web_server, "_peer_of", lambda host: host)
    begun = 0

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal begun
        begun += 1
        while begun < 20:
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    with serving(slow) as (port, _), ExitStack() as opened:
        connections = []
        until = time.monotonic() + 15
        for number in range(1, 21):
            request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            connections.append(opened.enter_context(connect(port, sent=request)))
            while begun < number and time.monotonic() < until:
                time.sleep(0.001)
        assert [connection.recv(12) for connection in connections] == [b"HTTP/1.1 200"] * 20


def test_this_machines_own_connections_are_not_limited(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_CONNECTIONS", 40)
    with serving(create_app(site.settings)) as (port, server), ExitStack() as opened:
        for _ in range(30):
            opened.enter_context(connect(port))
        assert ask(port, "GET", "/healthz").status == 200
        assert len(server.server_state.connections) >= 30


class Connection:
    def __init__(self, unread: bool = False) -> None:
        self.unread = unread

    def has_unread_bytes(self) -> bool:
        return self.unread


def test_the_oldest_has_to_go_unless_bytes_of_it_are_here() -> None:
    peers = PeerLimits(2)
    first, reading, third, fourth = Connection(), Connection(unread=True), Connection(), Connection()
    assert peers.add("a", first) == []
    assert peers.add("a", reading) == []
    assert peers.add("a", first) == []
    assert peers.add("b", Connection()) == []
    assert peers.add("a", third) == [first]
    assert peers.add("a", fourth) == [third]
    reading.unread = False
    peers.remove("a", fourth)
    assert peers.add("a", third) == []
    assert peers.add("a", fourth) == [reading]
    for connection in (third, fourth, fourth):
        peers.remove("a", connection)
    assert peers.add("a", first) == []


def test_a_peer_of_which_all_have_sent_something_waits_until_it_is_read() -> None:
    peers = PeerLimits(1)
    some = [Connection(unread=True) for _ in range(5)]
    assert [peers.add("a", one) for one in some] == [[]] * 5
    for one in some:
        one.unread = False
    last = Connection()
    assert peers.add("a", last) == some


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("127.8.9.10", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        (None, None),
        ("a socket", None),
    ],
)
def test_a_peer_is_an_address_or_the_prefix_of_one(host: str | None, peer: str | None) -> None:
    assert peer_of(host) == peer

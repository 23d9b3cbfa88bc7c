"""What was written to a connection may wait in the system's buffer; the gate is asked after it has left."""

from __future__ import annotations

import fcntl
import socket
import sys
import threading
from contextlib import suppress

import pytest

from mailer.transports.buffered import unsent_byte_count, wait_until_sent

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


def full_connection() -> tuple[socket.socket, socket.socket]:
    """A connection whose other side does not read, with as much written to it as the system takes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mine = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    mine.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            mine.send(b"x" * 65536)
    mine.settimeout(5)
    return mine, theirs


def test_a_quiet_connection_waits_for_nothing() -> None:
    one, two = socket.socketpair()
    with one, two:
        assert unsent_byte_count(one) == 0
        wait_until_sent(one, 1)


def test_it_waits_until_the_other_side_has_read() -> None:
    mine, theirs = full_connection()
    with mine, theirs:
        assert unsent_byte_count(mine) > 0
        ended = threading.Event()

        def wait() -> None:
            wait_until_sent(mine, 20)
            ended.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not ended.wait(0.05)
        theirs.settimeout(0.05)
        while not ended.is_set():
            with suppress(TimeoutError):
                theirs.recv(1 << 20)
        waiting.join(20)
        assert unsent_byte_count(mine) == 0


def test_a_side_that_never_reads_is_given_up() -> None:
    mine, theirs = full_connection()
    with mine, theirs, pytest.raises(TimeoutError):
        wait_until_sent(mine, 0.02)


def test_a_system_that_does_not_tell_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(fcntl, "ioctl", unknown)
    mine, theirs = full_connection()
    with mine, theirs:
        wait_until_sent(mine, 0.01)

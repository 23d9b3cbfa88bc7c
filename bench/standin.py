"""A stand-in for SendGrid that is as cheap as can be: it reads a request by its length and answers 202.

    python -m bench.standin REPORT

Says its port on the first line of its output, and serves connections that are kept until it gets SIGTERM;
then it writes what it has counted, and its first request, to the file REPORT (see `Report`). All that it
looks for in a request is its length and how often `"to":` stands in it, which is once for each recipient
and nowhere else: within JSON's strings quotes are escaped.
"""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from bench.measuring import Failed, started

__all__ = ["Report", "StandIn", "stand_in"]

_ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: bench\r\nContent-Length: 0\r\n\r\n"
_NO_LENGTH = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MOST = 40_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What arrived: requests, recipients in them, bytes, connections; the first request's head and body."""

    requests: int
    recipients: int
    size: int
    connections: int
    head: str
    body: str


class StandIn:
    """A stand-in that runs; `report` is there once it has ended."""

    report: Report

    def __init__(self, url: str) -> None:
        self.url = url


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in in a process of its own, on a free port of this machine. Reports when the block ends."""
    with TemporaryDirectory(prefix="bench-") as scratch:
        report = Path(scratch, "report.json")
        with started(
            [sys.executable, "-m", "bench.standin", report], stdout=-1, cwd=Path(__file__).parents[1]
        ) as process:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise Failed("the stand-in for SendGrid did not start")
            served = StandIn(f"http://127.0.0.1:{port}")
            yield served
        served.report = Report(**json.loads(report.read_text(encoding="utf-8")))


class _Connection:
    """One connection: a buffer that a request fills from its start."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.buffer = bytearray(1 << 21)
        self.filled = 0
        self.body = 0  # where the body begins, once known
        self.end = 0  # where the request ends, once known


class _Server:
    def __init__(self) -> None:
        self.requests = self.recipients = self.size = self.connections = 0
        self.first: tuple[bytes, bytes] = (b"", b"")

    def serve(self, listener: socket.socket) -> NoReturn:
        poll = select.epoll()
        poll.register(listener, select.EPOLLIN)
        open_ones: dict[int, _Connection] = {}
        while True:
            for number, _ in poll.poll():
                if number == listener.fileno():
                    stream, _ = listener.accept()
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    open_ones[stream.fileno()] = _Connection(stream)
                    poll.register(stream, select.EPOLLIN)
                    self.connections += 1
                elif not self.take(open_ones[number]):
                    poll.unregister(number)
                    open_ones.pop(number).stream.close()

    def take(self, connection: _Connection) -> bool:
        """Reads what is there. False where the connection has ended."""
        if connection.filled == len(connection.buffer):
            if connection.filled >= _MOST:
                return False
            connection.buffer += bytes(len(connection.buffer))
        try:
            with memoryview(connection.buffer) as view:
                got = connection.stream.recv_into(view[connection.filled :])
        except ConnectionError:
            return False
        connection.filled += got
        if not connection.end and not self.find_end(connection):
            return False
        if connection.end and connection.filled >= connection.end:
            self.count(connection)
            connection.stream.sendall(_ANSWER)
        return bool(got)

    def find_end(self, connection: _Connection) -> bool:
        """Reads the head, if it is there. False where it tells no length."""
        blank = connection.buffer.find(b"\r\n\r\n", 0, connection.filled)
        if blank < 0:
            return True
        found = _LENGTH.search(connection.buffer, 0, blank)
        if found is None:
            connection.stream.sendall(_NO_LENGTH)
            return False
        connection.body = blank + 4
        connection.end = connection.body + int(found[1])
        return True

    def count(self, connection: _Connection) -> None:
        """One request is here. Nobody sends the next one before the answer."""
        if not self.requests:
            body = bytes(connection.buffer[connection.body : connection.end])
            self.first = (bytes(connection.buffer[: connection.body]), body)
        self.requests += 1
        self.recipients += connection.buffer.count(b'"to":', connection.body, connection.end)
        self.size += connection.end
        connection.filled = connection.body = connection.end = 0


def main(path: Path) -> None:
    """Serves until SIGTERM."""
    server = _Server()

    def end(*_: object) -> NoReturn:
        head, body = (part.decode("utf-8") for part in server.first)
        counted = (server.requests, server.recipients, server.size, server.connections)
        path.write_text(json.dumps(asdict(Report(*counted, head, body))), encoding="utf-8")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)
        server.serve(listener)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

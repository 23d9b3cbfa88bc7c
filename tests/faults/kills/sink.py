"""Servers that take messages as fast as they can, and note when each was handed over.

    python -m tests.faults.kills.sink smtp|sendgrid SECONDS LOG

Says its URL on the first line of its output and serves until standard input ends. A message counts as handed
over when its final dot, or its request's last byte, has been read. Each recipient is a line of the file LOG:
the time in seconds of `time.monotonic`, which is the same for all processes, and the address. Then the server
waits for SECONDS before it answers.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.kills.processes import PATIENCE_SECONDS, ROOT
from tests.servers.sendgrid import KEY, SendGridApi

__all__ = ["Sink"]

_LARGEST_MESSAGE = 16 * 1024 * 1024


class Sink:
    """A server in a process of its own."""

    def __init__(self, kind: str, log: Path, *, seconds: float = 0.0) -> None:
        self._kind = kind
        self._log = log
        self._words = [sys.executable, "-m", "tests.faults.kills.sink", kind, str(seconds), str(log)]
        self._url = ""
        self._read = 0
        self._process: subprocess.Popen[bytes] | None = None
        #: When each address was handed a message (seconds of `time.monotonic`), as far as it was looked at.
        self.taken: dict[str, float] = {}
        self.twice: list[str] = []

    def __enter__(self) -> Self:
        self._log.touch()
        process = subprocess.Popen(self._words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process = process
        assert process.stdout is not None
        self._url = process.stdout.readline().decode().strip()
        assert self._url, "the sink did not start"
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        assert self._process is not None
        self._process.communicate(timeout=PATIENCE_SECONDS)

    @property
    def words(self) -> list[str]:
        """What `send` is told of it."""
        return ["--transport", self._url if self._kind == "smtp" else "sendgrid:"]

    @property
    def env(self) -> dict[str, str]:
        """The environment of `send`."""
        return {} if self._kind == "smtp" else {"SENDGRID_API_KEY": KEY, "MAILER_SENDGRID_URL": self._url}

    def look(self) -> int:
        """Reads what was noted since the last look; gives how many have a message by now."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            at, address = line.split(" ")
            if address in self.taken:
                self.twice.append(address)
            self.taken.setdefault(address, float(at))
        return len(self.taken)


class _Notes:
    """The file of hand-overs."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def note(self, addresses: Iterable[str]) -> None:
        """These are handed over now."""
        now = time.monotonic()
        os.write(self._file, "".join(f"{now:.6f} {address}\n" for address in addresses).encode())


async def _serve_smtp(notes: _Notes, seconds: float) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        writer.write(b"220 sink.example.org ESMTP\r\n")
        while line := await reader.readline():
            match line[:4].upper():
                case b"EHLO":
                    writer.write(b"250-sink.example.org\r\n250-8BITMIME\r\n250 PIPELINING\r\n")
                case b"RCPT":
                    recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                    writer.write(b"250 2.1.5 Ok\r\n")
                case b"DATA":
                    writer.write(b"354 Go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    notes.note([recipient])
                    if seconds:
                        await asyncio.sleep(seconds)
                    writer.write(b"250 2.0.0 Ok\r\n")
                case b"QUIT":
                    writer.write(b"221 2.0.0 Bye\r\n")
                    break
                case _:
                    writer.write(b"250 2.0.0 Ok\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=_LARGEST_MESSAGE)
    print(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)


class _SendGrid(SendGridApi):
    """The stand-in, which notes recipients and does not put their messages together."""

    def __init__(self, notes: _Notes, seconds: float) -> None:
        super().__init__()
        self._notes = notes
        self._seconds = seconds
        self._noting = threading.Lock()

    def take(self, document: dict[str, Any]) -> str:
        """Accepts a request that has no problems."""
        with self._noting:
            self._notes.note(own["to"][0]["email"] for own in document["personalizations"])
            self.requests.clear()
        time.sleep(self._seconds)
        return "sink"


def _main(kind: str, seconds: float, log: str) -> None:
    notes = _Notes(log)
    if kind == "smtp":
        asyncio.run(_serve_smtp(notes, seconds))
        return
    with _SendGrid(notes, seconds) as api:
        print(api.url, flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]), sys.argv[3])

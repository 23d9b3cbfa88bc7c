"""What the real servers have in common: a folder, a port, an end, and an account of what they took.

Each server's own module writes its configuration and reads its log. Nothing listens but on 127.0.0.1, nothing
takes a standard port, and every process ends with the process that started it (`guard`).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.needs import missing

__all__ = ["ROOT", "SERVERS", "Guarded", "Manners", "RealServer", "Taken", "find", "free_port", "needs_root"]

ROOT = Path(__file__).parents[3]
#: Where `.ci/servers.sh` has put what it unpacked. Read once: tests run without settings of the machine.
SERVERS = Path(os.environ.get("MAILER_TEST_SERVERS") or ROOT / ".ci/servers").absolute()
_START_SECONDS = 20.0
_GUARD = Path(__file__).with_name("guard.py")
_PORTS = range(20_000, 32_000)  # below those that Linux gives to clients


def find(*places: str | Path, name: str) -> Path:
    """The first of these paths that is there; relative ones are below SERVERS. Else the test ends here."""
    found = [SERVERS / place for place in places if (SERVERS / place).exists()]
    return found[0] if found else missing(f"{name} (run .ci/servers.sh)")


def needs_root(name: str) -> None:
    """Ends the test where we are not root, whom this server needs to change users."""
    if os.geteuid() != 0:
        missing(f"root, whom {name} needs")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and no client is given."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server behaves. Whose local part begins with `refused` is always refused by 550.

    `size` is the largest message in octets, `messages` how many a session may bring before the server says
    `then`, `connections` how many there may be at once; 0 is no limit. With `greylisting`, whose local part
    begins with `greylisted` gets 450. `user` and `password` are what a login wants, where there is one.
    """

    size: int = 0
    messages: int = 0
    then: int = 421
    connections: int = 0
    smtputf8: bool = True
    greylisting: bool = False
    tls: bool = False
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """One recipient of one message. `data` is as the server keeps it, with line ends of its own."""

    sender: str
    recipient: str
    data: bytes


class Guarded(ABC):
    """A server's processes, in a folder and on a port of their own, as long as the context lasts."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self.port = 0
        self.folder = Path()
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def need(cls) -> None:
        """Ends the test where something that the server needs is missing."""

    @abstractmethod
    def configure(self) -> None:
        """Writes the configuration for `port` into `folder`, over one that is there."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server is there for clients. Raises OSError where nobody listens."""

    def mounts(self) -> Mapping[str, Path]:
        """What lies where for the server alone (`guard`)."""
        return {}

    def environment(self) -> Mapping[str, str]:
        """Variables of the environment that it has beside ours."""
        return {}

    @property
    def log(self) -> Path:
        """What the server wrote to its standard output and error."""
        return self.folder / "output.log"

    def __enter__(self) -> Self:
        self.need()
        self.folder = Path(tempfile.mkdtemp(prefix=f"mailer-{self.name}-"))
        self.folder.chmod(0o755)  # servers give up root, and have to get through here
        self.port = free_port()
        try:
            self.begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self) -> None:
        """Starts the processes, and waits until they answer."""
        self.configure()
        mounts = json.dumps({path: str(source) for path, source in self.mounts().items()})
        words = [sys.executable, "-I", str(_GUARD), mounts, *map(str, self.command())]
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                words,
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _START_SECONDS
        while self._guard.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError):
                if self.answers():
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.name} did not start:\n{self.log.read_text('utf-8', 'replace')}")

    def end(self) -> None:
        """Ends the processes, all of them."""
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait(30)


class RealServer(Guarded):
    """A mail server with manners, and its account of what it took."""

    #: With which replies it can end a session that has brought enough messages.
    limits_messages: ClassVar[Sequence[int]] = (421, 452)
    #: Whether it can be told how many connections it may have.
    limits_connections: ClassVar[bool] = True
    speaks_smtputf8: ClassVar[bool] = True

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__()
        self.manners = manners or Manners()

    @abstractmethod
    def count(self) -> int:
        """How many messages it took, each recipient counted, by its own log or queue."""

    @abstractmethod
    def taken(self) -> list[Taken]:
        """All that it took, in no order, when it has put everything in its place."""

    @property
    def url(self) -> str:
        """The transport's URL."""
        user = f"{self.manners.user}@" if self.manners.user else ""
        return f"smtp://{user}127.0.0.1:{self.port}"

    def recipients(self) -> Counter[str]:
        """Who got it, and how often."""
        return Counter(taken.recipient for taken in self.taken())

    def change(self, manners: Manners) -> None:
        """Starts it again on the same port, with what it has taken, and with other manners."""
        self.end()
        self.manners = manners
        self.begin()

    def answers(self) -> bool:
        """Whether it greets, and takes leave."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            greeting = connection.recv(1000)
            connection.sendall(b"QUIT\r\n")
            while connection.recv(1000):
                pass
        return greeting.startswith(b"220")

    def settle(self, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Waits until the server has put away what it took."""
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, f"{self.name} is still busy"
            time.sleep(0.05)

"""A small desk whose every reader can be asked for, and seams that shorten each wait.

The seams change how long something waits, never what it does then.
"""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailer.transports.sendgrid.transport import SendGrid
from mailer.transports.smtp import transport as smtp
from mailer.transports.smtp.server import ServerSettings
from mailer.transports.stop import StopFlag
from tests.cli import Ran, run
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

__all__ = ["GO_ON", "ISSUE", "SLUG", "At", "Desk", "bound_by_permissions", "no_file_larger_than"]

SLUG = "2026-11-21-evening"
ISSUE = "issues/issue.yaml"
GO_ON = f"`mailer send {ISSUE}`"
TEXT = "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes stand still\n    body: Quiet.\n"


@dataclass
class Desk:
    """A workspace with one issue. `transport` is what `send` uses; `pauses` are the waits asked for."""

    root: Path
    transport: str = ""
    pauses: list[float] = field(default_factory=list)

    def run(self, *words: str) -> Ran:
        return run(self.root, *words)

    def send(self, *more: str) -> Ran:
        by = ("--transport", self.transport) if self.transport else ()
        return self.run("send", ISSUE, "--yes", *by, *more)

    def people(self, number: int) -> None:
        """reader1@example.org, reader2@example.org and so on: claimed in this order."""
        rows = "\n".join(f"reader{i}@example.org,Reader {i}" for i in range(1, number + 1))
        (self.root / "readers.csv").write_text(f"email,name\n{rows}\n")
        assert self.run("subscribers", "import", "readers.csv").status == 0

    def _column(self, name: str) -> list[str]:
        database = sqlite3.connect(self.root / "subscribers.db")
        try:
            rows = database.execute(f"SELECT {name} FROM deliveries ORDER BY subscriber_id").fetchall()
        finally:
            database.close()
        return [row[0] for row in rows]

    @property
    def states(self) -> list[str]:
        """The state of reader1, reader2 and so on, as the spool has it."""
        return self._column("state")

    @property
    def reasons(self) -> list[str]:
        return self._column("reason")

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(self.states))

    @property
    def status(self) -> str:
        shown = self.run("campaigns", "show", SLUG, "--json")
        assert shown.status == 0, shown.err
        return str(shown.json["status"])

    def finishes(self, recipients: Callable[[], Sequence[str]], *, uncertain: int = 0) -> None:
        """The next `send` brings the rest, and at the end nobody has it twice and nobody is missing.

        The `uncertain` stay held, and only the operator's word settles them.
        """
        again = self.send()
        everybody = len(self.states)
        assert self.counts.get("uncertain", 0) == uncertain, again.err
        assert self.counts.get("accepted", 0) == everybody - uncertain, (again.out, again.err)
        assert again.status == (1 if uncertain else 0), again.err
        assert max(Counter(recipients()).values(), default=1) == 1
        if uncertain:
            assert f"mailer campaigns resolve {SLUG} --assume-sent" in again.out
            assert self.run("campaigns", "resolve", SLUG, "--assume-sent").status == 0
        else:
            assert sorted(recipients()) == sorted(f"reader{i}@example.org" for i in range(1, everybody + 1))
        assert self.counts == {"accepted": everybody}
        before = len(recipients())
        assert self.send().status == 0
        assert len(recipients()) == before

    def outbox(self) -> list[str]:
        """Who has a file in the folder `outbox`."""
        texts = [path.read_text("utf-8") for path in (self.root / "outbox").glob("*.eml")]
        return [text.split("To: ")[1].split("<")[1].split(">")[0] for text in texts]


@pytest.fixture
def desk(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Four readers, one connection, no second try within a run, and pauses that are noted and cut short."""
    (workspace / ISSUE).write_text(TEXT)
    monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", "1")
    made = Desk(workspace)
    real = StopFlag.wait

    def wait(self: StopFlag, seconds: float) -> bool:
        made.pauses.append(seconds)
        return real(self, min(seconds, 0.01))

    monkeypatch.setattr(StopFlag, "wait", wait)
    monkeypatch.setattr("mailer.delivery.loop.GRACE_SECONDS", 0.3)
    quick = functools.partial(ServerSettings, connect_seconds=0.5, answer_seconds=0.3)
    monkeypatch.setattr(smtp, "ServerSettings", quick)
    monkeypatch.setitem(SendGrid.__init__.__kwdefaults__, "timeout", 0.3)  # type: ignore[arg-type]
    made.people(4)
    return made


@pytest.fixture
def start(desk: Desk) -> Iterator[Callable[..., SmtpServer]]:
    """Starts an SMTP server with these options and makes it the desk's transport."""
    with ExitStack() as stack:

        def make(**options: Any) -> SmtpServer:
            server = stack.enter_context(SmtpServer(**options))
            desk.transport = server.url
            return server

        yield make


@pytest.fixture
def server(start: Callable[..., SmtpServer]) -> SmtpServer:
    """An SMTP server that is the desk's transport."""
    return start()


@pytest.fixture
def api(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridApi]:
    """A stand-in for SendGrid, and a desk that sends by it."""
    with SendGridApi() as api:
        monkeypatch.setenv("SENDGRID_API_KEY", KEY)
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        desk.transport = "sendgrid:"
        yield api


class At(list[Any]):
    """What a server received; does something while it takes the `number`th, before it answers."""

    def __init__(self, number: int, then: Callable[[], object]) -> None:
        super().__init__()
        self._number, self._then = number, then

    def append(self, value: object) -> None:
        super().append(value)
        if len(self) == self._number:
            self._then()


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Even root keeps to the permissions of files within; who is not root does anyway."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", 0x20080522, 0)  # version 3, this thread; new threads inherit it
    data = ctypes.create_string_buffer(24)
    assert libc.capget(header, data) == 0
    before = data.raw
    effective, *rest = struct.unpack("6I", before)
    data.raw = struct.pack("6I", effective & ~0b110, *rest)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, data) == 0
    try:
        yield
    finally:
        data.raw = before
        assert libc.capset(header, data) == 0


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A write beyond so many bytes of any file fails within, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

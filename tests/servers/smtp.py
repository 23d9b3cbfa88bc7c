"""A real SMTP server (aiosmtpd) on loopback that keeps what it gets and fails when told to.

with SmtpServer(tls=server_tls(), login=("desk", "secret")) as server:
    server.fail("RCPT", "reply", "450 4.2.1 try again later")
    ...
    assert [m.recipient for m in server.received] == [...]
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any, AnyStr, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

__all__ = ["Received", "SmtpServer"]

#: BODY is in the middle of a message, after some of its bytes were read.
Stage = Literal["CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET"]
Action = Literal["reply", "add", "close", "reset", "hang", "answer and close"]


@dataclass(frozen=True)
class Received:
    """A message as it came. `connection` counts the connections from 1."""

    sender: str
    recipient: str
    data: bytes
    connection: int
    tls: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        """Parsed strictly: a defect raises."""
        parsed = email.message_from_bytes(self.data, policy=email.policy.SMTP.clone(raise_on_defect=True))
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass(frozen=True)
class _Fault:
    """What happens at the usual answer: `words` stand in its place ("reply") or follow it ("add")."""

    action: Action
    words: str = ""


class SmtpServer:
    """The server, in a thread of its own. `tls` is offered by STARTTLS, or spoken at once if `implicit`."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        pipelining: bool = True,
        smtputf8: bool = False,
        size: int = 33_554_432,
    ) -> None:
        self.tls, self.implicit, self.login = tls, implicit, login
        self.pipelining, self.smtputf8, self.size = pipelining, smtputf8, size
        self.received: list[Received] = []
        self.connections = 0
        self.hellos: list[str] = []
        self.commands: list[str] = []
        self.pipelined = 0
        self._faults: dict[str, deque[_Fault | None]] = {}
        self._loop = asyncio.new_event_loop()
        self._protocols: set[_Protocol] = set()
        self._thread = threading.Thread(target=self._run, name="smtp-server", daemon=True)
        self._ready = threading.Event()
        self.port = 0

    def fail(self, stage: Stage, action: Action, words: str = "", *, after: int = 0, times: int = 1) -> None:
        """At `stage`, after it went well `after` times, does `action` for `times` times."""
        self._faults.setdefault(stage, deque()).extend([None] * after + [_Fault(action, words)] * times)

    @property
    def url(self) -> str:
        """As `mailer` takes it."""
        scheme = "smtps" if self.implicit else "smtp"
        user = f"{self.login[0]}@" if self.login else ""
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._protocols)

    @property
    def recipients(self) -> list[str]:
        """Who got something, in order, as often as they got it."""
        return [message.recipient for message in self.received]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def take_fault(self, stage: str) -> _Fault | None:
        faults = self._faults.get(stage)
        return faults.popleft() if faults else None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)  # broken connections are the point here
        server = self._loop.run_until_complete(
            self._loop.create_server(
                self._protocol, "127.0.0.1", 0, ssl=self.tls if self.implicit else None, backlog=200
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for protocol in list(self._protocols):
            if isinstance(protocol.transport, asyncio.WriteTransport):
                protocol.transport.abort()
        self._loop.run_until_complete(self._wind_up())
        self._loop.close()

    async def _wind_up(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    def _protocol(self) -> _Protocol:
        protocol = _Protocol(self, self._loop)
        self._protocols.add(protocol)
        return protocol


class _Handler:
    """What aiosmtpd asks: whether to take it, and what to do with it."""

    def __init__(self, server: SmtpServer, protocol: _Protocol) -> None:
        self.server, self.protocol = server, protocol

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.server.hellos.append(hostname)
        if self.server.pipelining:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.server.pipelined += bool(server._reader._buffer)  # type: ignore[attr-defined]
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        fault = self.server.take_fault("DOT")
        if fault is not None and fault.action == "reply":
            return fault.words
        self.protocol.pending = fault
        for recipient in envelope.rcpt_tos:
            self.server.received.append(
                Received(
                    envelope.mail_from,
                    recipient,
                    envelope.original_content,
                    self.protocol.number,
                    session.ssl is not None or self.server.implicit,
                    self.protocol.user,
                )
            )
        return f"250 2.0.0 Ok: queued as Q{len(self.server.received)}"


class _Protocol(SMTP):
    """One connection, which misbehaves on demand."""

    def __init__(self, server: SmtpServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.user = ""
        server.connections += 1
        self.number = server.connections
        self.pending = server.take_fault("CONNECT")
        starttls = None if server.implicit else server.tls
        super().__init__(
            _Handler(server, self),
            data_size_limit=server.size,
            enable_SMTPUTF8=server.smtputf8,
            hostname="mx.example.org",
            tls_context=starttls,
            authenticator=self._log_in,
            auth_required=server.login is not None and starttls is not None,
            auth_require_tls=starttls is not None or server.login is None,
            loop=loop,
        )

    def _log_in(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert self.server.login is not None
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == self.server.login
        self.user = data.login.decode() if right else ""
        return AuthResult(success=right, handled=False)

    async def push(self, status: AnyStr) -> None:
        fault, self.pending = self.pending, None
        if fault is None:
            await super().push(status)
            return
        assert isinstance(self.transport, asyncio.WriteTransport)
        match fault.action:
            case "reply":
                await super().push(fault.words)
                if fault.words.startswith("421"):
                    self.transport.close()
            case "add":
                await super().push(f"{status!s}\r\n{fault.words}")
            case "answer and close":
                await super().push(status)
                self.transport.close()
            case "close":
                self.transport.close()
            case "reset":
                connection = self.transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
            case "hang":
                await asyncio.sleep(3600)

    def connection_lost(self, error: Exception | None) -> None:
        self.server._protocols.discard(self)
        with contextlib.suppress(AssertionError):
            super().connection_lost(error)


def _staged(command: str) -> Any:
    original = getattr(SMTP, f"smtp_{command}")

    async def method(self: _Protocol, arg: str | None) -> None:
        self.server.commands.append(f"{command} {arg}" if arg else command)
        self.pending = self.server.take_fault(command)
        within = self.server.take_fault("BODY") if command == "DATA" and self.pending is None else None
        if within is not None:
            await self.push("354 Go on")
            await self._reader.readexactly(1000)
            self.pending = within
            await self.push("")
        elif self.pending is not None and self.pending.action == "reply":
            await self.push("")  # and nothing has happened
        else:
            await original(self, arg)

    return method


for _command in ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"):
    setattr(_Protocol, f"smtp_{_command}", _staged(_command))

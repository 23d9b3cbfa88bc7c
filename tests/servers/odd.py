"""A small SMTP server on loopback with the manners of real ones that the fast path has to live with.

with OddServer(behind_the_dot="503") as server:
    ...
    assert server.recipients == [...]

Each option stands for a server that was met: `behind_the_dot` says what becomes of commands that come
together with the final dot (RFC 2920 allows them), `most_messages` and `most_connections` are limits, and the
words of a refusal can be chosen.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

__all__ = ["OddServer"]

#: take: answered as RFC 2920 has it. 503: each of them is refused. sync: refused, and the connection ends.
#: discard: thrown away without an answer. close: the connection ends. refuse: the message before is refused.
Behind = Literal["take", "503", "sync", "discard", "close", "refuse"]


class _Gone(Exception):
    """The client has hung up."""


class OddServer:
    """Runs in threads of its own. The counts may be read at any time."""

    def __init__(
        self,
        *,
        behind_the_dot: Behind = "take",
        backends: int = 1,
        pipelining: bool = True,
        most_messages: int = 0,
        too_many_messages: str = "452 4.5.3 Too many messages in this session",
        at: Literal["MAIL", "RCPT", "DATA", "DOT"] = "MAIL",
        most_connections: int = 0,
        too_many_connections: str = "421 4.7.0 Too many connections from your address",
        goes_on: bool = False,
        answer: Callable[[str, str], str] = lambda verb, line: "",
    ) -> None:
        self.behind_the_dot, self.pipelining = behind_the_dot, pipelining
        #: So many servers share the port in turns, and the last of them alone has that habit.
        self.backends = backends
        self.most_messages, self.too_many_messages, self.at = most_messages, too_many_messages, at
        self.most_connections, self.too_many_connections = most_connections, too_many_connections
        #: Whether RCPT and DATA are taken after a MAIL that was refused for too many messages.
        self.goes_on = goes_on
        self.answer = answer
        self.recipients: list[str] = []
        self.commands: list[str] = []
        #: How many messages each connection brought, by its number from 0.
        self.sessions: list[int] = []
        self.most_open = 0
        self.announced = 0  # commands that came together with a final dot
        self._open = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._connections: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True, name="odd-server").start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="odd").start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            refused = 0 < self.most_connections < self._open
            number = len(self.sessions)
            if not refused:
                self.sessions.append(0)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if refused:
                connection.sendall(f"{self.too_many_connections}\r\n".encode())
            else:
                _Session(self, connection, number).run()
        except (OSError, _Gone):
            pass
        finally:
            with self._lock:
                self._open -= 1
            self._connections.discard(connection)
            connection.close()


class _Session:
    """One connection."""

    def __init__(self, server: OddServer, connection: socket.socket, number: int) -> None:
        self.server, self.connection, self.number = server, connection, number
        self.unread = b""
        self.early = 0  # bytes of `unread` that came with a final dot
        self.recipient = ""
        self.sender = False
        last = number % server.backends == server.backends - 1
        self.behind_the_dot: Behind = server.behind_the_dot if last else "take"

    def run(self) -> None:
        self.say("220 odd.example.org ESMTP")
        while (line := self.line()) is not None:
            early = self.early > 0
            self.early = max(0, self.early - len(line) - 2)
            verb = line.split(" ")[0].split(":")[0].upper()
            self.server.commands.append(line)
            if early and self.behind_the_dot == "503":
                self.say("503 5.5.1 Bad sequence of commands")
                continue
            chosen = self.server.answer(verb, line)
            if chosen:
                self.say(chosen)
                if chosen.startswith("421"):
                    return
                continue
            if verb == "QUIT":
                self.say("221 bye")
                return
            if not self.command(verb, line):
                return

    def command(self, verb: str, line: str) -> bool:
        """Answers one command; False where the connection ends with it."""
        match verb:
            case "EHLO":
                more = "250-PIPELINING\r\n" if self.server.pipelining else ""
                self.say(f"250-odd.example.org\r\n{more}250 8BITMIME")
            case "RSET":
                self.sender, self.recipient = False, ""
                self.say("250 Ok")
            case "MAIL" if self.sender:
                self.say("503 5.5.1 Sender already specified")
            case "RCPT" if not self.sender:
                self.say("503 5.5.1 MAIL first")
            case "DATA" if not self.recipient:
                self.say("503 5.5.1 RCPT first")
            case "MAIL" | "RCPT" | "DATA" if self.spent(verb):
                self.sender = self.server.goes_on
                self.say(self.server.too_many_messages)
                return not self.server.too_many_messages.startswith("421")
            case "MAIL":
                self.sender = True
                self.say("250 Ok")
            case "RCPT":
                self.recipient = line.partition("<")[2].partition(">")[0]
                self.say("250 Ok")
            case "DATA":
                return self.message()
            case _:
                self.say("500 5.5.2 unknown")
        return True

    def spent(self, verb: str) -> bool:
        most = self.server.most_messages
        return verb == self.server.at and 0 < most <= self.server.sessions[self.number]

    def message(self) -> bool:
        self.say("354 go on")
        self.unread = b"\r\n" + self.unread  # a message may be empty
        while (end := self.unread.find(b"\r\n.\r\n")) < 0:
            self.read()
        self.unread = self.unread[end + 5 :]
        if select.select([self.connection], [], [], 0.003)[0]:
            self.read()
        self.early = len(self.unread)
        self.server.announced += self.early > 0
        behind = self.behind_the_dot
        recipient, self.recipient, self.sender = self.recipient, "", False
        if self.early and behind == "refuse":
            self.unread, self.early = b"", 0
            self.say("554 5.5.0 Error: SMTP protocol synchronization")
            return True
        if self.spent("DOT"):
            self.say(self.server.too_many_messages)
            return not self.server.too_many_messages.startswith("421")
        self.server.recipients.append(recipient)
        self.server.sessions[self.number] += 1
        self.say("250 2.0.0 Ok: queued")
        if self.early and behind == "discard":
            self.unread, self.early = b"", 0
        if self.early and behind == "sync":
            self.say("554 SMTP synchronization error")
        return not (self.early and behind in ("sync", "close"))

    def line(self) -> str | None:
        while (end := self.unread.find(b"\r\n")) < 0:
            try:
                self.read()
            except _Gone:
                return None
        line, self.unread = self.unread[:end], self.unread[end + 2 :]
        return line.decode("utf-8", "replace")

    def read(self) -> None:
        data = self.connection.recv(65536)
        if not data:
            raise _Gone
        self.unread += data

    def say(self, words: str) -> None:
        self.connection.sendall(f"{words}\r\n".encode())

"""An SMTP server on loopback that is particular about EHLO and AUTH, line by line, and keeps what it heard.

with LoginServer("AUTH PLAIN LOGIN", password="s3cret", initial="501 5.5.4 no initial response") as server:
    ...
    assert server.logins == [("PLAIN", "desk")]
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["LoginServer"]

_CHALLENGE = b"<1896.697170952@mx.example.org>"


class LoginServer:
    """The server, a thread for each connection. It takes messages and throws them away.

    `offers` are the lines of its EHLO. `initial` is its answer to an initial response: '' takes it, `334`
    asks again. `refuses` maps a mechanism to its answer. `hello` gives the answer to a name that it does not
    take. `tokens` are the access tokens that it takes, `wrong` is what it says to a wrong login.
    """

    def __init__(
        self,
        *offers: str,
        user: str = "desk",
        password: str = "",
        tokens: set[str] | None = None,
        initial: str = "",
        only_initial: str = "",
        refuses: dict[str, str] | None = None,
        hello: Callable[[str], str] = lambda name: "",
        ehlo: str = "",
        wrong: str = "535 5.7.8 Error: authentication failed",
        prompts: tuple[str, str] = ("Username:", "Password:"),
        longest: int = 2048,
        rcpt: str = "250 2.1.5 Ok",
        greet: threading.Event | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.offers, self.user, self.password = offers, user, password
        self.tokens = tokens if tokens is not None else set()
        self.initial, self.only_initial = initial, only_initial
        self.refuses, self.hello, self.ehlo = refuses or {}, hello, ehlo
        self.wrong, self.prompts, self.longest, self.rcpt = wrong, prompts, longest, rcpt
        self.greet, self.tls = greet, tls
        self.lines: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def auths(self) -> list[str]:
        """The AUTH commands that were heard, without responses."""
        return [" ".join(line.split()[1:2]) for line in self.lines if line.upper().startswith("AUTH")]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self.tls is None:
                _Dialogue(self, connection).run()
            else:
                with self.tls.wrap_socket(connection, server_side=True) as secure:
                    _Dialogue(self, secure).run()
        self._open.discard(connection)


class _Dialogue:
    """One connection."""

    def __init__(self, server: LoginServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.file = connection.makefile("rb")

    def say(self, *lines: str) -> None:
        for line in lines[:-1]:
            self.connection.sendall(f"{line[:3]}-{line[4:]}\r\n".encode())
        self.connection.sendall(f"{lines[-1]}\r\n".encode())

    def hear(self) -> str:
        line = self.file.readline()
        if not line:
            raise OSError("gone")
        self.server.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        return self.server.lines[-1]

    def run(self) -> None:
        server = self.server
        if server.greet is not None:
            server.greet.wait(30)
        self.say("220 mx.example.org ESMTP")
        while True:
            line = self.hear()
            verb, _, rest = line.partition(" ")
            if len(line) > server.longest:
                self.say("500 5.5.2 Error: line too long")
                continue
            match verb.upper():
                case "EHLO" | "HELO":
                    refusal = (server.ehlo if verb.upper() == "EHLO" else "") or server.hello(rest)
                    offers = [f"250 {offer}" for offer in server.offers] if verb.upper() == "EHLO" else []
                    self.say(*([refusal] if refusal else ["250 mx.example.org", *offers]))
                    if refusal.startswith("421"):
                        return
                case "AUTH":
                    self.auth(rest)
                case "MAIL" | "RSET":
                    self.say("250 2.1.0 Ok")
                case "RCPT":
                    self.say(server.rcpt)
                case "DATA":
                    self.say("354 go on")
                    while self.file.readline() not in (b".\r\n", b""):
                        pass
                    self.say("250 2.0.0 Ok")
                case "QUIT":
                    self.say("221 2.0.0 Bye")
                    return
                case _:
                    self.say("502 5.5.2 Error: command not recognized")

    def auth(self, rest: str) -> None:
        mechanism, _, response = rest.partition(" ")
        mechanism = mechanism.upper()
        refusal = self.server.refuses.get(mechanism, "")
        if not refusal and response and self.server.initial and self.server.initial != "334":
            refusal = self.server.initial
        if not refusal and not response:
            refusal = self.server.only_initial
        if refusal:
            self.say(refusal)
            return
        if self.server.initial == "334":
            response = ""
        user = getattr(self, "auth_" + mechanism.lower().replace("-", "_"))(response)
        if user == self.server.user:
            self.server.logins.append((mechanism, user))
            self.say("235 2.7.0 Authentication successful")
        elif user is not None:
            self.say(self.server.wrong)

    def ask(self, challenge: bytes = b"") -> bytes:
        self.say(f"334 {base64.b64encode(challenge).decode()}")
        return base64.b64decode(self.hear(), validate=True)

    def auth_plain(self, response: str) -> str:
        raw = base64.b64decode(response, validate=True) if response else self.ask()
        _, user, password = raw.decode().split("\0")
        return user if password == self.server.password else ""

    def auth_login(self, response: str) -> str:
        prompts = [prompt.encode() for prompt in self.server.prompts]
        user = base64.b64decode(response, validate=True) if response else self.ask(prompts[0])
        password = self.ask(prompts[1])
        return user.decode() if password.decode() == self.server.password else ""

    def auth_cram_md5(self, response: str) -> str:
        user, _, digest = self.ask(_CHALLENGE).decode().rpartition(" ")
        right = hmac.new(self.server.password.encode(), _CHALLENGE, "md5").hexdigest()
        return user if digest == right else ""

    def auth_xoauth2(self, response: str) -> str:
        raw = base64.b64decode(response, validate=True) if response else self.ask()
        for token in self.server.tokens:
            if raw == f"user={self.server.user}\1auth=Bearer {token}\1\1".encode():
                return self.server.user
        told = self.ask(json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"}).encode())
        assert told == b"", told
        return ""

    def auth_oauthbearer(self, response: str) -> str:
        raw = base64.b64decode(response, validate=True) if response else self.ask()
        where = f"host=127.0.0.1\1port={self.server.port}\1"
        for token in self.server.tokens:
            if raw == f"n,a={self.server.user},\1{where}auth=Bearer {token}\1\1".encode():
                return self.server.user
        told = self.ask(json.dumps({"status": "invalid_token", "scope": "mail"}).encode())
        assert told == b"\1", told
        return ""

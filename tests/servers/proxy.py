"""An HTTP proxy on loopback that makes tunnels (CONNECT), and notes what it was asked for.

with Proxy(login="user:password") as proxy:
    ...
    assert proxy.tunnels == ["127.0.0.1:4711"]
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self

__all__ = ["Proxy"]


class Proxy:
    """The proxy. `tunnels` are the places that it was asked for, `seen` are the bytes that it carried there.

    `login` is what it asks for; with `answer`, it says that to everything.
    """

    def __init__(self, *, login: str = "", answer: bytes = b"") -> None:
        self.tunnels: list[str] = []
        self.heads: list[bytes] = []
        self.seen = bytearray()
        self._login = login
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        #: `host:port`.
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(1)  # not a byte of what comes through the tunnel
                if not data:
                    return
                head += data
            self.heads.append(head)
            method, place, _ = head.split(b"\r\n")[0].decode().split(" ")
            login = base64.b64encode(self._login.encode())
            if self._answer:
                connection.sendall(self._answer)
            elif method != "CONNECT":
                connection.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            elif self._login and b"Proxy-Authorization: Basic " + login not in head.split(b"\r\n"):
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            else:
                self.tunnels.append(place)
                host, _, port = place.rpartition(":")
                with socket.create_connection((host, int(port)), 5) as there:
                    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    self._join(connection, there)

    def _join(self, here: socket.socket, there: socket.socket) -> None:
        while True:
            for ready in select.select([here, there], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                if ready is here:
                    self.seen += data
                (there if ready is here else here).sendall(data)

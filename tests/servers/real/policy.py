"""A policy service for Postfix (SMTPD_POLICY_README) that lets a session bring only so many messages."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from types import TracebackType
from typing import Self

__all__ = ["SessionPolicy"]


class SessionPolicy:
    """Answers on a port of 127.0.0.1. Each recipient counts as a message, which is what we send."""

    def __init__(self, messages: int, then: int) -> None:
        seen: Counter[str] = Counter()
        lock = threading.Lock()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked: dict[str, str] = {}
                for line in self.rfile:
                    name, equals, value = line.decode().rstrip("\n").partition("=")
                    if equals:
                        asked[name] = value
                        continue
                    session = asked["client_port"]
                    with lock:
                        seen[session] += 1
                        spent = seen[session] > messages
                    action = f"{then} 4.5.3 Too many messages in this session" if spent else "DUNNO"
                    self.wfile.write(f"action={action}\n\n".encode())
                    asked = {}

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

"""A web server on loopback that answers GET by a table, over TLS where it is given.

with WebServer({"/healthz": (200, "ok\\n")}, tls=server_tls("news.example.org")) as web:
    ...
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

__all__ = ["WebServer"]

#: Status and body, then header fields; None hangs up without an answer.
Answers = dict[str, tuple[Any, ...] | None]


class WebServer:
    """The server, in threads of its own. `requests` holds method, path and header fields as they came."""

    def __init__(self, answers: Answers, *, tls: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        web = self

        class Handler(_Handler):
            pass

        Handler.web = web
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.tls = tls
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with contextlib.suppress(OSError), self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that leaves is no news


class _Handler(BaseHTTPRequestHandler):
    web: WebServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.web.requests.append((self.command, self.path, dict(self.headers)))
        answer = self.web.answers.get(self.path, (404, "not here"))
        if answer is None:
            return
        status, body, *headers = answer
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

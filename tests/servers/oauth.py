"""An OAuth 2 provider's token endpoint and introspection endpoint (RFC 6749, 7662), on loopback.

with OAuthServer(secret="s3cret", rotates=True) as provider:
    provider.url            # https, or http without tls: what token_url says
    provider.introspection  # what Dovecot's passdb is given
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

__all__ = ["OAuthServer"]


class OAuthServer:
    """The provider. `forms` are the requests for tokens as they came, with their client's id and secret.

    `refresh` is the refresh token that it takes now; with `rotates` each answer brings another one, and the
    old one ends. `answers` are given before all else: (status, body), where a dict is JSON. `tokens` maps
    each access token that is good to its user.
    """

    def __init__(
        self,
        *,
        user: str = "desk",
        client_id: str = "app-1",
        secret: str = "",
        refresh: str = "",
        rotates: bool = False,
        expires_in: object = 3600,
        basic_only: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.user, self.client_id, self.secret = user, client_id, secret
        self.refresh, self.rotates, self.expires_in = refresh, rotates, expires_in
        self.basic_only = basic_only
        self.forms: list[dict[str, str]] = []
        self.introspected: list[str] = []
        self.answers: list[tuple[int, Any]] = []
        self.tokens: dict[str, str] = {}
        self.busy = threading.Event()  # set while a request waits for `go`
        self.go = threading.Event()
        self.go.set()
        provider = self

        class Handler(_Handler):
            pass

        Handler.provider = provider
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        scheme = "https" if tls is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/token"
        self.introspection = f"{scheme}://127.0.0.1:{self.port}/introspect"
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, form: dict[str, str]) -> tuple[int, Any]:
        """To a request for a token."""
        with self._lock:
            self.forms.append(form)
            if self.answers:
                return self.answers.pop(0)
            if form.get("client_id", self.client_id) != self.client_id:
                return 401, {"error": "invalid_client", "error_description": "no such application"}
            if self.secret and form.get("client_secret") != self.secret:
                return 401, {"error": "invalid_client", "error_description": "the secret is wrong"}
            if self.basic_only and form["by"] != "basic":
                return 401, {"error": "invalid_client"}
            given: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.expires_in}
            if form["grant_type"] == "refresh_token":
                if form.get("refresh_token") != self.refresh:
                    return 400, {"error": "invalid_grant", "error_description": "the refresh token has ended"}
                if self.rotates:
                    self.refresh = f"refresh-{len(self.forms) + 1}-of-many"
                    given["refresh_token"] = self.refresh
            given["access_token"] = f"access-{len(self.forms)}.{'x' * 40}"
            self.tokens[given["access_token"]] = self.user
            return 200, given


class _Handler(BaseHTTPRequestHandler):
    provider: OAuthServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        provider = self.provider
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.path == "/introspect":
            token = form.get("token", "")
            provider.introspected.append(token)
            user = provider.tokens.get(token)
            self.reply(200, {"active": user is not None, "username": user or "", "scope": "mail"})
            return
        form["by"] = "form"
        kind, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            user, _, secret = base64.b64decode(credentials).decode().partition(":")
            form |= {"client_id": unquote(user), "client_secret": unquote(secret), "by": "basic"}
        provider.busy.set()
        provider.go.wait(10)
        self.reply(*provider.answer(form))

    def reply(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode() if isinstance(body, dict) else str(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if isinstance(body, dict) else "text/html")
        self.send_header("Content-Length", str(len(data)))
        if 300 <= status <= 399:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(data)

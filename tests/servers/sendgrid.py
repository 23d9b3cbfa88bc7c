"""A stand-in for SendGrid's v3 mail/send on loopback: strict about its limits, faulty on demand.

    with SendGridApi() as api:
        api.answer(429, headers={"X-RateLimit-Reset": "1700000000"})
        ...
        assert [m.to for m in api.delivered] == [...]

The limits are those of https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations and …/errors.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import struct
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

__all__ = ["KEY", "Delivered", "SendGridApi", "problems"]

KEY = "SG.stand-in.key"

Trouble = Literal["hang", "close", "reset", "half"]

_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
}
_KEYS = {
    "personalizations",
    "from",
    "reply_to",
    "subject",
    "content",
    "headers",
    "custom_args",
    "tracking_settings",
    "mail_settings",
    "categories",
    "asm",
    "batch_id",
    "send_at",
}
_OWN_KEYS = {"to", "subject", "headers", "substitutions", "custom_args", "send_at"}


@dataclass(frozen=True)
class Delivered:
    """What one recipient gets, after SendGrid has put in what is theirs."""

    to: str
    name: str
    sender: dict[str, str]
    reply_to: dict[str, str] | None
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    custom_args: dict[str, str]
    provider_id: str


@dataclass
class _Script:
    status: int = 202
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None


class SendGridApi:
    """The server, in threads of its own. `requests` holds what came, `delivered` what was taken.

    `uploads` are the sizes of the requests that came whole, `broken_off` those of the others (bytes). With
    `limited` set, every request is answered with 429; with `tls`, it speaks https. `connections` counts those
    that ever were, `open` those that are.
    """

    def __init__(self, *, most_bytes: int = 30_000_000, tls: ssl.SSLContext | None = None) -> None:
        self.most_bytes = most_bytes
        self.limited = False
        self._scheme = "http" if tls is None else "https"
        self.requests: list[dict[str, Any]] = []
        self.delivered: list[Delivered] = []
        self.uploads: list[int] = []
        self.broken_off: list[int] = []
        self.user_agents: list[str] = []
        self.paths: list[str] = []
        self.connections = 0
        self.open = 0
        self._script: deque[_Script | None] = deque()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        api = self

        class Handler(_Handler):
            pass

        Handler.api = api
        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """For MAILER_SENDGRID_URL."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def recipients(self) -> list[str]:
        """Who got something, in order, as often as they got it."""
        return [message.to for message in self.delivered]

    def answer(
        self,
        status: int,
        body: object = b"",
        headers: dict[str, str] | None = None,
        *,
        after: int = 0,
        times: int = 1,
    ) -> None:
        """Answers so instead of looking at the request; `body` is bytes or becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._script.extend([None] * after + [_Script(status, data, headers or {})] * times)

    def trouble(self, kind: Trouble, *, after: int = 0, times: int = 1) -> None:
        """Takes the request and never answers, hangs up, resets the connection, or answers half."""
        self._script.extend([None] * after + [_Script(trouble=kind)] * times)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def take(self, document: dict[str, Any]) -> str:
        """Accepts a request that has no problems."""
        with self._lock:
            provider_id = f"id-{len(self.requests)}"
            for own in document["personalizations"]:
                self.delivered.append(_deliver(document, own, provider_id))
        return provider_id


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who asks may be killed
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: SendGridApi

    def log_message(self, format: str, *args: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        with self.api._lock:
            self.api.connections += 1
            self.api.open += 1

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        with self.api._lock:
            self.api.open -= 1

    def do_POST(self) -> None:
        api = self.api
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if len(data) < int(self.headers["Content-Length"]):
            api.broken_off.append(len(data))
            self.close_connection = True  # cut off on its way: nothing is done
            return
        api.uploads.append(len(data))
        api.user_agents.append(self.headers.get("User-Agent", ""))
        api.paths.append(self.path)
        if self.path != "/v3/mail/send":
            self._say(404, {"errors": [{"message": "not found", "field": None}]})
            return
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            message = "The provided authorization grant is invalid, expired, or revoked"
            self._say(401, {"errors": [{"message": message, "field": None, "help": None}]})
            return
        document = json.loads(data)
        api.requests.append(document)
        script = api._script.popleft() if api._script else None
        if api.limited:
            self._say(429, {"errors": [{"message": "too many requests", "field": None}]})
        elif script is not None:
            self._act(script)
        elif len(data) > api.most_bytes:
            self._say(413, {"errors": [{"message": "Payload too large", "field": None}]})
        elif self.headers.get("Content-Type") != "application/json":
            self._say(415, {"errors": [{"message": "Content-Type is not application/json", "field": None}]})
        elif errors := problems(document):
            self._say(400, {"errors": errors})
        else:
            self._say(202, b"", {"X-Message-Id": api.take(document)})

    def _act(self, script: _Script) -> None:
        match script.trouble:
            case None:
                self._say(script.status, script.body, script.headers)
            case "hang":
                self.api._ended.wait(30)
                self.close_connection = True
            case "close":
                self.close_connection = True
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            case "half":
                self.wfile.write(
                    b"HTTP/1.1 202 Accepted\r\nX-Message-Id: half\r\nContent-Length: 99\r\n\r\n{"
                )
                self.close_connection = True

    def _say(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def problems(document: dict[str, Any]) -> list[dict[str, str]]:
    """What SendGrid's pages say is wrong with a request, as the API tells it."""
    found: list[dict[str, str]] = []

    def wrong(where: str, message: str) -> None:
        found.append({"field": where, "message": message, "help": "https://docs"})

    for key in document.keys() - _KEYS:
        wrong(key, "Additional property is not allowed")
    for key in ("from", "reply_to"):
        mailbox = document.get(key)
        if (key == "from" or mailbox is not None) and not _is_mailbox(mailbox):
            wrong(key, "Does not contain a valid address.")
    subject = document.get("subject")
    if not isinstance(subject, str) or not subject:
        wrong("subject", "The subject is required.")
    content = document.get("content") or []
    if [part.get("type") for part in content] not in (["text/plain", "text/html"], ["text/plain"]):
        wrong("content", "text/plain must come first, then text/html")
    for number, part in enumerate(content):
        if not isinstance(part.get("value"), str) or not part["value"]:
            wrong(
                f"content.{number}.value", "The content value must be a string at least one character long."
            )
    _check_headers(document.get("headers"), "headers", wrong)
    people = document.get("personalizations") or []
    if not 1 <= len(people) <= 1000:
        wrong("personalizations", f"limited to 1000 personalizations. You have provided {len(people)}")
    seen: set[str] = set()
    for number, own in enumerate(people):
        where = f"personalizations.{number}"
        for key in own.keys() - _OWN_KEYS:
            wrong(f"{where}.{key}", "Additional property is not allowed")
        if len(own.get("to") or []) != 1 or not _is_mailbox(own["to"][0]):
            wrong(f"{where}.to.0.email", "Does not contain a valid address.")
            continue
        if re.search("[;,]", own["to"][0].get("name", "")):
            wrong(f"{where}.to.0.name", "The name may not contain ; or ,")
        address = own["to"][0]["email"].casefold()
        if address in seen:
            wrong(f"{where}.to", "Each unique email address should only be included once.")
        seen.add(address)
        _check_strings(own.get("substitutions"), f"{where}.substitutions", wrong)
        _check_strings(own.get("custom_args"), f"{where}.custom_args", wrong)
        _check_headers(own.get("headers"), f"{where}.headers", wrong)
    return found


def _is_mailbox(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"email", "name"}
        and isinstance(value.get("email"), str)
        and bool(_ADDRESS.fullmatch(value["email"]))
        and isinstance(value.get("name", ""), str)
    )


def _check_strings(values: Any, where: str, wrong: Any) -> None:
    if values is None:
        return
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in values.items()):
        wrong(where, "The values must be strings.")
    elif sum(len(k.encode()) + len(v.encode()) for k, v in values.items()) > 10_000:
        wrong(where, "The block may not exceed 10000 bytes.")


def _check_headers(headers: Any, where: str, wrong: Any) -> None:
    for name, value in (headers or {}).items():
        if name.lower() in _RESERVED:
            wrong(f"{where}.{name}", "The header is reserved.")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            wrong(f"{where}.{name}", "The header has to be encoded, on one line.")


def _deliver(document: dict[str, Any], own: dict[str, Any], provider_id: str) -> Delivered:
    substitutions = own.get("substitutions") or {}

    def fill(text: str) -> str:
        for tag, value in substitutions.items():
            text = text.replace(tag, value)
        return text

    text, html = (fill(part["value"]) for part in document["content"])
    return Delivered(
        to=own["to"][0]["email"],
        name=own["to"][0].get("name", ""),
        sender=document["from"],
        reply_to=document.get("reply_to"),
        subject=fill(document["subject"]),
        text=text,
        html=html,
        headers=own.get("headers") or document.get("headers") or {},
        custom_args=own.get("custom_args") or {},
        provider_id=provider_id,
    )

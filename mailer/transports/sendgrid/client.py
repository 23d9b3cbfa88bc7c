"""Makes the `sendgrid` package's client safe to send with.

By default, the package's client opens a connection for every call, follows a redirect with the API key,
writes the key to its debug log, and does not distinguish "never arrived" from "no answer". Here its request
and its `client.mail.send.post(request_body=…)` are kept, and the connection is ours: one kept connection, no
redirects, and exceptions that say how far a request got. A body is given as JSON text already (`Body`),
because that is joined from fragments much faster than the package encodes it.
"""

from __future__ import annotations

import http.client
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import sendgrid
from python_http_client.client import Client

from mailer.transports.http.connection import HttpConnection

__all__ = ["MOST_BYTES", "Answer", "Body", "client", "connect"]

#: The most that a request may have, in bytes.
MOST_BYTES: Final = 30_000_000


class _Payload(bytes):
    """Holds the bytes of a body, and keeps the package from formatting them for its debug log."""

    def __str__(self) -> str:
        return f"{len(self):,} bytes"

    __repr__ = __str__


class Body:
    """Holds a request's body as JSON text, for `post(request_body=…)`."""

    def __init__(self, text: str) -> None:
        self._payload = _Payload(text.encode("utf-8"))  # the text is not kept: a request is a megabyte

    def __len__(self) -> int:
        """Returns the length in bytes."""
        return len(self._payload)

    def encode(self, encoding: str) -> bytes:  # noqa: ARG002 - it is always UTF-8
        """Returns the bytes. The package calls this where it need not encode a body as JSON."""
        return self._payload


class Answer(Protocol):
    """Defines an answer as the package's client returns it."""

    status_code: int
    body: bytes
    headers: http.client.HTTPMessage


class _Request(Protocol):
    """Defines a urllib request, as the package's client passes it to `_make_request`."""

    full_url: str
    data: bytes | None
    headers: dict[str, str]

    def get_method(self) -> str: ...


class _ResponseBody:
    """Holds an answer in the form that the package's `Response` reads."""

    def __init__(self, status: int, body: bytes, headers: http.client.HTTPMessage) -> None:
        self._status, self._body, self._headers = status, body, headers

    def getcode(self) -> int:
        return self._status

    def read(self) -> bytes:
        return self._body

    def info(self) -> http.client.HTTPMessage:
        return self._headers


class _Client(Client):  # type: ignore[misc]
    """Runs the package's client over a connection of ours. The API key is never among its own headers."""

    connection: HttpConnection

    def _build_client(self, name: str | None = None) -> _Client:
        built: _Client = super()._build_client(name)
        built.__class__ = _Client
        built.connection = self.connection
        return built

    def _make_request(self, opener: object, request: _Request, timeout: object = None) -> _ResponseBody:  # noqa: ARG002
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        return _ResponseBody(
            *self.connection.exchange(
                request.get_method(),
                urlsplit(request.full_url).path,
                {**headers, "Content-Type": "application/json"},
                request.data or b"",
            )
        )


def connect(base_url: str, api_key: str, timeout: float) -> HttpConnection:
    """Returns a connection to the API, made when it is first used. `timeout` is in seconds, for each wait."""
    headers = {"Authorization": f"Bearer {api_key}"}
    return HttpConnection(base_url, peer="SendGrid", headers=headers, timeout=timeout, most_bytes=MOST_BYTES)


def client(base_url: str, connection: HttpConnection) -> Any:
    """Returns the package's API client, to be used as `client.mail.send.post(request_body=Body(…))`."""
    api = sendgrid.SendGridAPIClient(api_key="-", host=base_url)
    headers = {name: value for name, value in api.client.request_headers.items() if name != "Authorization"}
    headers["Content-Type"] = "text/json"  # for the package means: leave the body as it is
    safe = _Client(host=base_url, request_headers=headers, version=3)
    safe.connection = connection
    api.client = safe
    return api.client

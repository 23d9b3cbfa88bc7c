"""Makes the client of the `sendgrid` package safe to send with.

The client of the package opens a connection for every call, follows redirects with the API key, writes the
key to its debug log, and does not distinguish a request that never arrived from one without an answer. Here
its `client.mail.send.post(request_body=…)` is used over our own kept connection, which follows no redirects
and raises exceptions that say how much of a request was sent. A body is passed as JSON text (`JsonBody`),
because joining text fragments is much faster than encoding by the package.
"""

from __future__ import annotations

import http.client
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import sendgrid
from python_http_client.client import Client

from mailer.transports.http.connection import HttpConnection

__all__ = ["MOST_BYTES", "ApiAnswer", "JsonBody", "api_client", "api_connection"]

#: The most that a request may have, in bytes.
MOST_BYTES: Final = 30_000_000


class _UnprintedBytes(bytes):
    """Holds the bytes of a body. Its text is only its length, so that the package does not log the body."""

    def __str__(self) -> str:
        return f"{len(self):,} bytes"

    __repr__ = __str__


class JsonBody:
    """Holds the body of a request as JSON text, for `post(request_body=…)`."""

    def __init__(self, text: str) -> None:
        self._payload = _UnprintedBytes(text.encode("utf-8"))  # the text is not kept: a request is a megabyte

    def __len__(self) -> int:
        """Returns the length in bytes."""
        return len(self._payload)

    def encode(self, encoding: str) -> bytes:  # noqa: ARG002 - it is always UTF-8
        """Returns the bytes of the body. The package calls this method and does not encode the body again."""
        return self._payload


class ApiAnswer(Protocol):
    """Defines the HTTP response that the client of the `sendgrid` package returns."""

    status_code: int
    body: bytes
    headers: http.client.HTTPMessage


class _UrllibRequest(Protocol):
    """Defines a urllib request, as the package's client passes it to `_make_request`."""

    full_url: str
    data: bytes | None
    headers: dict[str, str]

    def get_method(self) -> str: ...


class _PackageResponse:
    """Holds an answer with the methods that the package's `Response` calls."""

    def __init__(self, status: int, body: bytes, headers: http.client.HTTPMessage) -> None:
        self._status, self._body, self._headers = status, body, headers

    def getcode(self) -> int:
        return self._status

    def read(self) -> bytes:
        return self._body

    def info(self) -> http.client.HTTPMessage:
        return self._headers


class _ClientOverOurConnection(Client):  # type: ignore[misc]
    """Runs the package's client over our HttpConnection. Its own headers never contain the API key."""

    connection: HttpConnection

    def _build_client(self, name: str | None = None) -> _ClientOverOurConnection:
        built: _ClientOverOurConnection = super()._build_client(name)
        built.__class__ = _ClientOverOurConnection
        built.connection = self.connection
        return built

    def _make_request(
        self,
        opener: object,  # noqa: ARG002
        request: _UrllibRequest,
        timeout: object = None,  # noqa: ARG002
    ) -> _PackageResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        return _PackageResponse(
            *self.connection.exchange(
                request.get_method(),
                urlsplit(request.full_url).path,
                {**headers, "Content-Type": "application/json"},
                request.data or b"",
            )
        )


def api_connection(base_url: str, api_key: str, timeout: float) -> HttpConnection:
    """Returns a connection to the API, which connects when it is first used.

    `timeout` limits each wait, in seconds.
    """
    headers = {"Authorization": f"Bearer {api_key}"}
    return HttpConnection(
        base_url, peer="SendGrid", headers=headers, timeout=timeout, max_request_bytes=MOST_BYTES
    )


def api_client(base_url: str, connection: HttpConnection) -> Any:
    """Returns the package's API client, for `client.mail.send.post(request_body=JsonBody(…))`."""
    api = sendgrid.SendGridAPIClient(api_key="-", host=base_url)
    headers = {name: value for name, value in api.client.request_headers.items() if name != "Authorization"}
    headers["Content-Type"] = "text/json"  # for the package means: leave the body as it is
    safe = _ClientOverOurConnection(host=base_url, request_headers=headers, version=3)
    safe.connection = connection
    api.client = safe
    return api.client

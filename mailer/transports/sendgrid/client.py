"""The way to SendGrid: the package's client, made safe to send with.

As it comes, the package's client opens a connection for every call, follows a redirect with the API key,
writes the key to its debug log, and does not tell "never arrived" from "no answer". Here its request and its
`client.mail.send.post(request_body=…)` are kept, and what carries them is ours: one kept connection, no
redirects, and exceptions that say how far a request got. A body is given as JSON text already (`Body`),
because that is joined from fragments much faster than the package encodes it.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import sendgrid
from python_http_client.client import Client

from mailer.transports.base import one_line
from mailer.transports.buffered import wait_until_sent
from mailer.transports.sendgrid.proxy import proxy_for

__all__ = [
    "MOST_BYTES",
    "Answer",
    "Body",
    "NoAnswer",
    "NotSent",
    "TooLarge",
    "Unreachable",
    "Wire",
    "client",
    "say",
]

#: The most that a request may have, in bytes.
MOST_BYTES: Final = 30_000_000

_MOST_ANSWER_BYTES: Final = 1_000_000


class Unreachable(Exception):
    """There is no connection to be had: nothing was sent."""


class NotSent(Exception):
    """The connection ended before the request was complete: it cannot have been carried out."""


class NoAnswer(Exception):
    """The request was sent, and no answer came: it may have been carried out."""


class TooLarge(Exception):
    """The request is larger than they take: nothing was sent."""


class _Payload(bytes):
    """The bytes of a body. The package writes every body out for its debug log, whether that is on or not."""

    def __str__(self) -> str:
        return f"{len(self):,} bytes"

    __repr__ = __str__


class Body:
    """A request's body as JSON text, for `post(request_body=…)`."""

    def __init__(self, text: str) -> None:
        self._payload = _Payload(text.encode("utf-8"))  # and the text may go: a request is a megabyte

    def __len__(self) -> int:
        """In bytes."""
        return len(self._payload)

    def encode(self, encoding: str) -> bytes:  # noqa: ARG002 - it is always UTF-8
        """What the package asks of a body that it need not make into JSON."""
        return self._payload


class Answer(Protocol):
    """What the package's client gives back."""

    status_code: int
    body: bytes
    headers: http.client.HTTPMessage


class _Request(Protocol):
    """What the package's client hands to `_make_request`: a urllib request."""

    full_url: str
    data: bytes | None
    headers: dict[str, str]

    def get_method(self) -> str: ...


class _Arrived:
    """An answer as the package's `Response` reads it."""

    def __init__(self, status: int, body: bytes, headers: http.client.HTTPMessage) -> None:
        self._status, self._body, self._headers = status, body, headers

    def getcode(self) -> int:
        return self._status

    def read(self) -> bytes:
        return self._body

    def info(self) -> http.client.HTTPMessage:
        return self._headers


class _Response(http.client.HTTPResponse):
    """An answer. What is said before it (1xx, RFC 9110 section 15.2) is passed over, not only 100."""

    def _read_status(self) -> tuple[int, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, 100 if 101 < status < 200 else status, reason


class Wire:
    """One kept connection to the API, by the proxy that HTTPS_PROXY names, if any.

    `timeout` is in seconds, for each wait. Raises ConfigError where HTTPS_PROXY names none that can be used.
    """

    def __init__(self, base_url: str, api_key: str, timeout: float) -> None:
        self._parts = urlsplit(base_url)
        self._api_key = api_key
        self._timeout = timeout
        self._proxy = proxy_for(base_url)
        self._connection: http.client.HTTPConnection | None = None
        #: Asked before the last byte: whether the request may be carried out.
        self.gate: Callable[[], bool] = lambda: True

    def carry(self, request: _Request) -> _Arrived:
        """Sends a request and reads the answer, whatever its status.

        Raises TooLarge and Unreachable (nothing was sent), NotSent (not all of it), NoAnswer.
        """
        data = request.data or b""
        if len(data) > MOST_BYTES:
            raise TooLarge(f"the request has {len(data):,} bytes")
        try:
            connection = self._connected()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            by = f"{self._proxy}: " if self._proxy else ""
            raise Unreachable(by + say(error)) from None
        interrupted: OSError | None = None
        try:
            self._send(connection, request, data)
        except NotSent:
            self.close()
            raise
        except OSError as error:
            interrupted = error
        try:
            if isinstance(interrupted, TimeoutError):
                raise interrupted
            return self._answer(connection)  # where it was interrupted, a refusal may be there to be read
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if interrupted is not None:
                raise NotSent(say(interrupted)) from None
            unread = isinstance(error, http.client.HTTPException) and not isinstance(error, OSError)
            raise NoAnswer("its answer cannot be read" if unread else say(error)) from None
        finally:
            if interrupted is not None:
                self.close()

    def close(self) -> None:
        """Drops the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        connection = self._connection
        if connection is not None and connection.sock is not None and not _has_spoken(connection.sock):
            return connection
        self.close()
        connection = self._connection = self._new_connection()
        connection.response_class = _Response
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _new_connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        tls = ssl.create_default_context()
        if self._proxy is None:
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=tls)
        connection = http.client.HTTPSConnection(
            self._proxy.host, self._proxy.port, timeout=self._timeout, context=tls
        )
        connection.set_tunnel(host, port or 443, headers=self._proxy.headers())
        return connection

    def _send(self, connection: http.client.HTTPConnection, request: _Request, data: bytes) -> None:
        """Sends all but the last byte, looks whether they are still listening, then sends the last.

        A request that lacks a byte is never carried out, so what breaks until then is known to have
        done nothing.
        """
        connection.putrequest(
            request.get_method(), urlsplit(request.full_url).path, skip_accept_encoding=True
        )
        for name, value in request.headers.items():
            if name.lower() != "content-type":
                connection.putheader(name, value)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Authorization", f"Bearer {self._api_key}")
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(memoryview(data)[:-1])
        if _has_spoken(connection.sock):
            raise ConnectionAbortedError("it did not wait for the end of the request")
        wait_until_sent(connection.sock, self._timeout)
        if not self.gate():
            raise NotSent("the run ended before it was handed over")
        connection.send(data[-1:])

    def _answer(self, connection: http.client.HTTPConnection) -> _Arrived:
        response = connection.getresponse()
        body = b""
        complete = False
        # The status is the answer. If the rest of it goes missing, it still is.
        with suppress(OSError, http.client.HTTPException):
            body = response.read(_MOST_ANSWER_BYTES)
            complete = response.isclosed() or not response.read(1)
        if not complete or response.will_close:
            self.close()
        return _Arrived(response.status, body, response.headers)


class _Client(Client):  # type: ignore[misc]
    """The package's client over a wire of ours. The API key is never among its own headers."""

    wire: Wire

    def _build_client(self, name: str | None = None) -> _Client:
        built: _Client = super()._build_client(name)
        built.__class__ = _Client
        built.wire = self.wire
        return built

    def _make_request(self, opener: object, request: Any, timeout: object = None) -> _Arrived:  # noqa: ARG002
        return self.wire.carry(request)


def client(base_url: str, wire: Wire) -> Any:
    """The package's API client, to be used as `client.mail.send.post(request_body=Body(…))`."""
    api = sendgrid.SendGridAPIClient(api_key="-", host=base_url)
    headers = {name: value for name, value in api.client.request_headers.items() if name != "Authorization"}
    headers["Content-Type"] = "text/json"  # for the package means: leave the body as it is
    safe = _Client(host=base_url, request_headers=headers, version=3)
    safe.wire = wire
    api.client = safe
    return api.client


def _has_spoken(connection: socket.socket) -> bool:
    """Whether there is something to read, an end included, though it is not their turn."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(0):
        return False
    if not isinstance(connection, ssl.SSLSocket):
        return True
    # TLS talks to itself too, as with a session ticket. Looking costs what there is to read; the
    # connection is given up then anyway.
    patience = connection.gettimeout()
    connection.settimeout(0)
    try:
        connection.recv(1)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(patience)
    return True


def say(error: BaseException) -> str:
    """Why there was no answer, in words."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
        return "it closed the connection"
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(words, 200) or type(error).__name__

"""Keeps one HTTP connection to a provider's API, and reports how much of a request was sent.

The last byte of a request is sent only after the gate has agreed, so that a request that is interrupted
earlier is known not to have been carried out. Redirects are not followed, because they would carry the
secrets elsewhere.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from mailer.transports.base import one_line
from mailer.transports.buffered import wait_until_sent
from mailer.transports.http.proxy import proxy_for

__all__ = [
    "HttpAnswer",
    "HttpConnection",
    "RequestUnanswered",
    "RequestNotSent",
    "RequestTooLarge",
    "ApiUnreachable",
]

_MAX_ANSWER_BYTES: Final = 1_000_000


class ApiUnreachable(Exception):
    """Signals that no connection to the API could be made, so that nothing was sent."""


class RequestNotSent(Exception):
    """Signals that the connection ended before the request was complete: it cannot have been carried out."""


class RequestUnanswered(Exception):
    """Signals that the request was sent and no answer came: the provider may have carried it out."""


class RequestTooLarge(Exception):
    """Signals that the request is larger than the provider accepts, so that nothing was sent."""


class HttpAnswer(NamedTuple):
    """Holds the answer to an HTTP request, whatever its status code."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


class _FinalResponse(http.client.HTTPResponse):
    """Reads the final answer to a request, and skips all interim answers (1xx, RFC 9110 section 15.2)."""

    def _read_status(self) -> tuple[int, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, 100 if 101 < status < 200 else status, reason


class HttpConnection:
    """Keeps a connection to an API.

    The connection is made when it is first used, through the proxy in HTTPS_PROXY if one is set.

    `peer` is the provider's name. `headers` are sent with each request and may contain secrets. `timeout`
    limits each wait, in seconds. A request of more than `max_request_bytes` is not sent. Raises ConfigError
    if HTTPS_PROXY does not name an HTTP proxy.
    """

    def __init__(
        self, base_url: str, *, peer: str, headers: Mapping[str, str], timeout: float, max_request_bytes: int
    ) -> None:
        self._parts = urlsplit(base_url)
        self._headers = headers
        self._timeout = timeout
        self._max_request_bytes = max_request_bytes
        self._proxy = proxy_for(base_url, peer)
        self._connection: http.client.HTTPConnection | None = None
        #: Asked before the last byte: may the request be carried out?
        self.gate: Callable[[], bool] = lambda: True

    def exchange(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> HttpAnswer:
        """Sends a request and returns the answer, whatever its status code.

        `target` is the path of the URL with its query; `data` is the body. Raises RequestTooLarge or
        ApiUnreachable if nothing was sent, RequestNotSent if only a part was sent, and RequestUnanswered if
        no answer came.
        """
        if len(data) > self._max_request_bytes:
            raise RequestTooLarge(f"the request has {len(data):,} bytes")
        try:
            connection = self._usable_connection()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            by = f"{self._proxy}: " if self._proxy else ""
            raise ApiUnreachable(by + _failure_text(error)) from None
        interrupted: OSError | None = None
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            self._send_request(connection, {**headers, **self._headers}, data)
        except RequestNotSent:
            self.close()
            raise
        except OSError as error:
            interrupted = error
        try:
            if isinstance(interrupted, TimeoutError):
                raise interrupted
            # If the request was interrupted, a refusal may be there to be read.
            return self._read_answer(connection)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if interrupted is not None:
                raise RequestNotSent(_failure_text(interrupted)) from None
            unread = isinstance(error, http.client.HTTPException) and not isinstance(error, OSError)
            raise RequestUnanswered("the answer cannot be read" if unread else _failure_text(error)) from None
        finally:
            if interrupted is not None:
                self.close()

    def close(self) -> None:
        """Closes the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _usable_connection(self) -> http.client.HTTPConnection:
        connection = self._connection
        if (
            connection is not None
            and connection.sock is not None
            and not _server_has_answered_or_hung_up(connection.sock)
        ):
            return connection
        self.close()
        connection = self._connection = self._new_connection()
        connection.response_class = _FinalResponse
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
        connection.set_tunnel(host, port or 443, headers=self._proxy.connect_headers())
        return connection

    def _send_request(
        self, connection: http.client.HTTPConnection, headers: Mapping[str, str], data: bytes
    ) -> None:
        """Sends a request without its last byte, checks that the server still waits, then sends that byte.

        A server never carries out an incomplete request, so a failure before the last byte is known to have
        had no effect.
        """
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(memoryview(data)[:-1])
        if _server_has_answered_or_hung_up(connection.sock):
            raise ConnectionAbortedError("the server did not wait for the end of the request")
        wait_until_sent(connection.sock, self._timeout)
        if not self.gate():
            raise RequestNotSent("the run ended before the message was handed over")
        connection.send(data[-1:])

    def _read_answer(self, connection: http.client.HTTPConnection) -> HttpAnswer:
        response = connection.getresponse()
        body = b""
        complete = False
        # The status is the answer. If the rest of it goes missing, it still is.
        with suppress(OSError, http.client.HTTPException):
            body = response.read(_MAX_ANSWER_BYTES)
            complete = response.isclosed() or not response.read(1)
        if not complete or response.will_close:
            self.close()
        return HttpAnswer(response.status, body, response.headers)


def _server_has_answered_or_hung_up(connection: socket.socket) -> bool:
    """Returns whether the server has already answered or closed the connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(0):
        return False
    if not isinstance(connection, ssl.SSLSocket):
        return True
    # TLS sends records of its own too, such as a session ticket. Looking costs what there is to read; the
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


def _failure_text(error: BaseException) -> str:
    """Returns a text that says why no answer came."""
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
        return "the connection was closed"
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(words, 200) or type(error).__name__

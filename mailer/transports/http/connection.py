"""Keeps one HTTP connection to a provider's API, and reports exactly how far a request got.

The last byte of a request is held back until a gate lets it through, so that a request that breaks before is
known to have done nothing. A redirect is not followed: it would carry the secrets elsewhere.
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

__all__ = ["HttpAnswer", "HttpConnection", "NoAnswer", "NotSent", "TooLarge", "Unreachable"]

_MOST_ANSWER_BYTES: Final = 1_000_000


class Unreachable(Exception):
    """Signals that no connection could be made: nothing was sent."""


class NotSent(Exception):
    """Signals that the connection ended before the request was complete: it cannot have been carried out."""


class NoAnswer(Exception):
    """Signals that the request was sent and no answer came: it may have been carried out."""


class TooLarge(Exception):
    """Signals that the request is larger than the provider accepts: nothing was sent."""


class HttpAnswer(NamedTuple):
    """Holds an answer, whatever its status."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


class _Response(http.client.HTTPResponse):
    """Reads an answer, and skips all interim answers (1xx, RFC 9110 section 15.2), not only 100."""

    def _read_status(self) -> tuple[int, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, 100 if 101 < status < 200 else status, reason


class HttpConnection:
    """Connects when it is first used, through the proxy that HTTPS_PROXY names, if any, and stays connected.

    `peer` is the provider's name, `headers` are sent with each request and may hold secrets. `timeout` is in
    seconds, for each wait. A request of more than `most_bytes` is not sent. Raises ConfigError where
    HTTPS_PROXY names a proxy that cannot be used.
    """

    def __init__(
        self, base_url: str, *, peer: str, headers: Mapping[str, str], timeout: float, most_bytes: int
    ) -> None:
        self._parts = urlsplit(base_url)
        self._headers = headers
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._proxy = proxy_for(base_url, peer)
        self._connection: http.client.HTTPConnection | None = None
        #: Asked before the last byte: may the request be carried out?
        self.gate: Callable[[], bool] = lambda: True

    def exchange(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> HttpAnswer:
        """Sends a request and reads the answer, whatever its status. `target` is the path with its query.

        Raises TooLarge and Unreachable (nothing was sent), NotSent (not all of it), NoAnswer.
        """
        if len(data) > self._most_bytes:
            raise TooLarge(f"the request has {len(data):,} bytes")
        try:
            connection = self._connected()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            by = f"{self._proxy}: " if self._proxy else ""
            raise Unreachable(by + _words_of(error)) from None
        interrupted: OSError | None = None
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            self._send(connection, {**headers, **self._headers}, data)
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
                raise NotSent(_words_of(interrupted)) from None
            unread = isinstance(error, http.client.HTTPException) and not isinstance(error, OSError)
            raise NoAnswer("its answer cannot be read" if unread else _words_of(error)) from None
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

    def _send(self, connection: http.client.HTTPConnection, headers: Mapping[str, str], data: bytes) -> None:
        """Sends all but the last byte, checks that the other side still listens, then sends the last byte.

        A request that lacks a byte is never carried out, so what breaks until then is known to have
        done nothing.
        """
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(memoryview(data)[:-1])
        if _has_spoken(connection.sock):
            raise ConnectionAbortedError("it did not wait for the end of the request")
        wait_until_sent(connection.sock, self._timeout)
        if not self.gate():
            raise NotSent("the run ended before it was handed over")
        connection.send(data[-1:])

    def _answer(self, connection: http.client.HTTPConnection) -> HttpAnswer:
        response = connection.getresponse()
        body = b""
        complete = False
        # The status is the answer. If the rest of it goes missing, it still is.
        with suppress(OSError, http.client.HTTPException):
            body = response.read(_MOST_ANSWER_BYTES)
            complete = response.isclosed() or not response.read(1)
        if not complete or response.will_close:
            self.close()
        return HttpAnswer(response.status, body, response.headers)


def _has_spoken(connection: socket.socket) -> bool:
    """Returns whether the other side has answered or hung up before the request was complete."""
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


def _words_of(error: BaseException) -> str:
    """Returns the reason why there was no answer, in words."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
        return "it closed the connection"
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(words, 200) or type(error).__name__

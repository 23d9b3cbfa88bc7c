"""Tells a port on which TLS is expected from the start from a server that greets slowly.

Both are silent at first: a TLS server waits for the client, and RFC 5321 section 4.5.3.2 allows five minutes
for a greeting. Postscreen waits for 6 seconds by default, other servers for 20 or 30.
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from typing import Final

__all__ = ["TlsHandshakeExpected", "await_greeting", "port_begins_with_tls"]

_USUAL_TLS_PORT: Final = 465
#: How long a server may be silent before its port is tried: at the usual port for TLS, and elsewhere, where
#: it is longer than postscreen's delay.
_SILENCE_SECONDS: Final = (2.0, 7.0)
_HANDSHAKE_SECONDS: Final = 5.0
#: How a TLS record begins that answers a handshake: an alert, or a handshake (RFC 8446 section 5.1).
_TLS_RECORDS: Final = (b"\x15", b"\x16")


class TlsHandshakeExpected(OSError):
    """Signals that the server expects a TLS handshake and sends no greeting before it."""


def await_greeting(connection: socket.socket, host: str, port: int, time_limit: float) -> None:
    """Waits until the server sends a greeting or is found to be slow; detects a server that expects TLS.

    Raises TlsHandshakeExpected if the server is silent and answers a TLS handshake on a second connection.
    Waits at most `time_limit` seconds, apart from the handshake.
    """
    silence = _SILENCE_SECONDS[0] if port == _USUAL_TLS_PORT else _SILENCE_SECONDS[1]
    if (
        silence < time_limit
        and not _has_data_within(connection, silence)
        and port_begins_with_tls(host, port)
    ):
        raise TlsHandshakeExpected("it waits for a TLS handshake")


def port_begins_with_tls(host: str, port: int, seconds: float = _HANDSHAKE_SECONDS) -> bool:
    """Returns whether the port answers a TLS handshake, even with an alert. Never raises OSError."""
    with suppress(OSError), socket.create_connection((host, port), seconds) as connection:
        connection.sendall(_client_hello(host))
        return connection.recv(1) in _TLS_RECORDS
    return False


def _client_hello(host: str) -> bytes:
    """Returns the first message of a TLS handshake (ClientHello)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    handshake = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()


def _has_data_within(connection: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))

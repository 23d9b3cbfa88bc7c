"""Runs the application with uvicorn: one process, no access log (paths hold tokens), no trust in proxies.

uvicorn waits for ever for a request that never becomes complete, and for a client that never reads its
answer. Here such a connection is closed, so that nobody can occupy all connections. uvicorn also accepts
connections until the process may open no more files; here half of the files stay free for the database and
for scheduled work. One client address may use a tenth of all connections while it has not sent a whole
request (see `peers`).
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import resource
import socket
import sys
import termios
from collections.abc import Callable
from types import FrameType
from typing import ClassVar, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailer.web.peers import PeerLimits, peer_of
from mailer.web.safety import with_absolute_targets

__all__ = ["HEAD_SECONDS", "STALL_SECONDS", "listen", "make_server"]

#: A request's line and header fields have to be here after so long. So has a body that nobody asked for,
#: once its request was answered.
HEAD_SECONDS = 10.0
#: In so long a reader has to take something of what waits for them.
STALL_SECONDS = 20.0
_LEAST_TAKEN = 4096  # bytes; on the slowest of lines it is more
_CONNECTIONS = 1000
#: One peer address has at most one in so many of the places for connections that owe a request.
_SHARE = 10
#: So many connections wait in the kernel until they are accepted; Linux cuts that to `net.core.somaxconn`.
_WAITING = 4096
#: Which peer an address counts for; None for one that is not limited. Tests have only loopback, and set it.
_peer_of = peer_of


class _LimitedProtocol(H11Protocol):
    """Closes connections that send no whole request in time, do not read the answer, or are too many."""

    peers: ClassVar[PeerLimits]
    _peer: str | None = None
    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _unread_answer: tuple[object, int] = (None, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        limit = self.limit_concurrency or _CONNECTIONS
        if len(self.connections) > limit + limit // 10:  # from `limit` on, a request is answered with 503
            transport.abort()
            return
        self._peer = _peer_of(self.client[0] if self.client else None)
        self._update_head_timer()
        self._count_for_peer()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._close_if_stalled)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_head_timer()
        self._count_for_peer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_head_timer()
        if self._peer is not None:
            self.peers.remove(self._peer, self)
        for timer in (self._body_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None:
            self.cycle.disconnected = True  # what it might still say has no place any more
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # the answer to HEAD has no body, or another was begun already
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_body_incomplete(self.cycle):
            # uvicorn's own timer ends with the next byte that comes, however few they are.
            self._body_timer = self.loop.call_later(HEAD_SECONDS, self._close_if_body_incomplete, self.cycle)
        self._count_for_peer()

    def has_unread_bytes(self) -> bool:
        """Returns whether bytes of the client have arrived that the event loop has not read yet."""
        if self.transport.is_closing():
            return False
        number = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
        return any(number)

    def _count_for_peer(self) -> None:
        """Counts this connection for its peer until a whole request has arrived.

        Aborts the oldest connections of the peer if it now has too many.
        """
        if self._peer is None:
            return
        owes = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing()
        if not owes:
            self.peers.remove(self._peer, self)
            return
        for oldest in self.peers.add(self._peer, self):
            cast(_LimitedProtocol, oldest)._abort()

    def _abort(self) -> None:
        self.connections.discard(self)  # its place is free at once, and not only after this turn of the loop
        self.transport.abort()

    def _is_body_incomplete(self, cycle: object) -> bool:
        """Returns whether the current request, `cycle`, was answered before its whole body had arrived."""
        same = self.cycle is cycle and self.cycle.response_complete
        return same and self.conn.their_state is h11.SEND_BODY

    def _close_if_body_incomplete(self, cycle: object) -> None:
        if self._is_body_incomplete(cycle) and not self.transport.is_closing():
            self.transport.close()

    def _close_if_stalled(self) -> None:
        """Aborts the connection if its client has read too little of the answer since the last call.

        A connection that is closing is checked too, because it still waits for its client.
        """
        waiting = self.transport.get_write_buffer_size()
        cycle, before = self._unread_answer
        if waiting and before and cycle is self.cycle and waiting > before - _LEAST_TAKEN:
            self.transport.abort()
            return
        self._unread_answer = (self.cycle, waiting)
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._close_if_stalled)

    def _update_head_timer(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._cancel_head_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close_if_head_incomplete)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close_if_head_incomplete(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


class _SignallingServer(uvicorn.Server):
    """Calls `on_signal` when a signal asks the server to end. Requests in progress are still answered.

    The server accepts few connections at a time, so that connections over the limit use few file descriptors
    until they are closed. Connections that are not accepted yet wait in the kernel.
    """

    def __init__(self, config: uvicorn.Config, on_signal: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_signal = on_signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the server and begins to listen on `sockets`."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_WAITING)  # `backlog` is also how many are accepted at a time

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_signal()
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, on_signal: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """Returns a server for `app`, which the method `run` starts. Errors are logged to standard error.

    `on_signal` is called in the signal handler when a signal asks the server to end.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each body that is no form
    max_connections = _max_connections()
    share = max(1, max_connections // _SHARE)

    class Protocol(_LimitedProtocol):
        peers = PeerLimits(share)

    return _SignallingServer(
        uvicorn.Config(
            with_absolute_targets(app),
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=max_connections,
            backlog=max(1, share // 2),
            timeout_keep_alive=5,
            timeout_graceful_shutdown=10,
        ),
        on_signal,
    )


def _max_connections() -> int:
    """Returns the number of connections to accept: at most half of the files that the process may open.

    First raises the process's limit on open files, if the system allows that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * _CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(_CONNECTIONS, soft // 2))


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens on `host` and `port`. Raises OSError, for example for a used port."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener

"""Runs the application with uvicorn: one process, no access log (addresses hold tokens), no trust in proxies.

uvicorn waits for ever for a request that never becomes complete, and for a reader who takes nothing of an
answer; here such a connection is closed, so that nobody can hold all there are. It also accepts connections
until the process may open no more files; here what is scheduled and the database keep theirs.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import sys
from collections.abc import Callable
from types import FrameType

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_SECONDS", "STALL_SECONDS", "listen", "make_server"]

#: A request's line and header fields have to be here after so long. So has a body that nobody asked for,
#: once its request was answered.
HEAD_SECONDS = 10.0
#: In so long a reader has to take something of what waits for them.
STALL_SECONDS = 20.0
_LEAST_TAKEN = 4096  # bytes; on the slowest of lines it is more
_CONNECTIONS = 1000


class _Protocol(H11Protocol):
    """Closes a connection whose request does not arrive, or whose answer is not taken."""

    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _untaken: tuple[object, int] = (None, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most = self.limit_concurrency or _CONNECTIONS
        if len(self.connections) > most + most // 10:  # from `most` on, a request is answered with 503
            transport.abort()
            return
        self._watch()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._look_for_progress)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
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
        if self._owes_a_body(self.cycle):
            # uvicorn's own timer ends with the next byte that comes, however few they are.
            self._body_timer = self.loop.call_later(HEAD_SECONDS, self._too_late, self.cycle)

    def _owes_a_body(self, cycle: object) -> bool:
        """Whether this request was answered before all of it was here."""
        same = self.cycle is cycle and self.cycle.response_complete
        return same and self.conn.their_state is h11.SEND_BODY

    def _too_late(self, cycle: object) -> None:
        if self._owes_a_body(cycle) and not self.transport.is_closing():
            self.transport.close()

    def _look_for_progress(self) -> None:
        """Also a connection that is closing waits for its reader."""
        waiting = self.transport.get_write_buffer_size()
        cycle, before = self._untaken
        if waiting and before and cycle is self.cycle and waiting > before - _LEAST_TAKEN:
            self.transport.abort()
            return
        self._untaken = (self.cycle, waiting)
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._look_for_progress)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Tells when a signal asks it to end, while it still answers what is under way."""

    def __init__(self, config: uvicorn.Config, on_signal: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_signal = on_signal

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_signal()
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, on_signal: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A server to `run(sockets=[…])`. Errors go to standard error, one line each.

    `on_signal` is called in the signal handler, when the server is asked to end.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return _Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_room(),
            timeout_keep_alive=5,
            timeout_graceful_shutdown=10,
        ),
        on_signal,
    )


def _room() -> int:
    """How many connections there may be: they get half of the files that the process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * _CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(_CONNECTIONS, soft // 2))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError, as where the port is in use."""
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

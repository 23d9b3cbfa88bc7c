"""Limits the size and time of every request's body, and adds headers that protect the reader.

No answer ever sets a cookie. A protecting header that a handler sets stays; any other gets its strictest
value.
"""

from __future__ import annotations

import asyncio
import logging
import re
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "BODY_SECONDS",
    "LARGEST_BODY",
    "RETRY_AFTER",
    "SafetyMiddleware",
    "add_safe_headers",
    "with_absolute_targets",
]

_log = logging.getLogger("mailer.web")

#: No form of ours, and no one-click POST, comes near this.
LARGEST_BODY = 64 * 1024
#: A body that takes longer is not a browser's.
BODY_SECONDS = 20.0

#: After how many seconds a client may try again that could not be answered.
RETRY_AFTER = "30"
_NO_THREAD = (
    "This could not be answered just now. Please try again in a minute, or reply to the newsletter and a "
    "person will help.\n"
)
_ABSOLUTE = re.compile(rb"https?://[^/]*", re.IGNORECASE)

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def add_safe_headers(headers: MutableHeaders) -> None:
    """Adds each protecting header that the handler did not set itself, with its strictest value."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


def with_absolute_targets(app: ASGIApp) -> ASGIApp:
    """Returns an application that handles a request for `http://HOST/PATH` as one for `/PATH`.

    HTTP servers must accept both forms (RFC 9112, section 3.2.2). Neither HOST nor the Host field is checked.
    """

    async def answer_with_path_only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (absolute := _ABSOLUTE.match(scope.get("raw_path") or b"")):
            raw = scope["raw_path"][absolute.end() :] or b"/"
            scope = {**scope, "raw_path": raw, "path": unquote(raw.decode("ascii"))}
        await app(scope, receive, send)

    return answer_with_path_only


class SafetyMiddleware:
    """Limits request bodies (413 and 408) and sets protecting headers, as ASGI middleware.

    `max_bytes` limits the size of a body, and `max_seconds` the time until the whole body has arrived. If the
    system gives the process no more threads, the middleware answers with 503.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int = LARGEST_BODY, max_seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request to the application, and ends it with an error if its body exceeds a limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._max_seconds
        size, complete, begun = 0, False, False

        async def receive_limited() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - loop.time())
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            size += len(message.get("body", b""))
            if size > self._max_bytes:
                raise HTTPException(413, headers={"Connection": "close"})
            complete = not message.get("more_body", False)
            return message

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                add_safe_headers(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive_limited, send_guarded)
        except RuntimeError as error:
            if begun or not _is_thread_shortage(error):
                raise
            _log.error("a request could not be answered: the system gives this process no more threads")
            busy = PlainTextResponse(_NO_THREAD, 503, {"Retry-After": RETRY_AFTER})
            await busy(scope, receive, send_guarded)


def _is_thread_shortage(error: RuntimeError) -> bool:
    """Returns whether a RuntimeError means that no thread could be started, judging by its message."""
    return "start new thread" in str(error)

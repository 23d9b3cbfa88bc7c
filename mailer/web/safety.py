"""Applies limits to every request's body, and adds headers that protect the reader.

No answer ever sets a cookie. Headers that a handler sets stay; the others get the strictest value.
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

__all__ = ["BODY_SECONDS", "LARGEST_BODY", "RETRY_AFTER", "Safety", "make_safe", "with_origin_form"]

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


def make_safe(headers: MutableHeaders) -> None:
    """Adds the safe value of each header that a handler did not set itself."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


def with_origin_form(app: ASGIApp) -> ASGIApp:
    """Returns an application that treats `http://HOST/PATH` as `/PATH` (RFC 9112, section 3.2.2).

    Neither the host in the target nor the Host field is checked.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (absolute := _ABSOLUTE.match(scope.get("raw_path") or b"")):
            raw = scope["raw_path"][absolute.end() :] or b"/"
            scope = {**scope, "raw_path": raw, "path": unquote(raw.decode("ascii"))}
        await app(scope, receive, send)

    return answer


class Safety:
    """Limits request bodies (413 and 408) and sets safe headers, as ASGI middleware.

    Where the system has no thread for the answer, it answers 503 itself: a page of the application would need
    a thread, too.
    """

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        size, complete, begun = 0, False, False

        async def limited() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - loop.time())
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            size += len(message.get("body", b""))
            if size > self._largest:
                raise HTTPException(413, headers={"Connection": "close"})
            complete = not message.get("more_body", False)
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                make_safe(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, limited, guarded)
        except RuntimeError as error:
            if begun or not _is_no_thread(error):
                raise
            _log.error("a request could not be answered: the system gives this process no more threads")
            busy = PlainTextResponse(_NO_THREAD, 503, {"Retry-After": RETRY_AFTER})
            await busy(scope, receive, guarded)


def _is_no_thread(error: RuntimeError) -> bool:
    """Returns whether Python failed to start a thread; it has no exception type of its own for that."""
    return "start new thread" in str(error)

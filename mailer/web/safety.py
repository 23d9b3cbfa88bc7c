"""Around every answer: headers that keep a reader safe, and limits that keep the server alive.

No answer ever sets a cookie. What a handler sets itself stays; the rest gets the strictest value.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BODY_SECONDS", "LARGEST_BODY", "Safety", "make_safe"]

#: No form of ours, and no one-click POST, comes near this.
LARGEST_BODY = 64 * 1024
#: A body that takes longer is not a browser's.
BODY_SECONDS = 20.0

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def make_safe(headers: MutableHeaders) -> None:
    """Adds what a handler did not set itself."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class Safety:
    """ASGI middleware. Raises 413 and 408 into the application, which answers with a page."""

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        size, complete = 0, False

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
            if message["type"] == "http.response.start":
                make_safe(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, limited, guarded)

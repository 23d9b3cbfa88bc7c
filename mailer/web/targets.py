"""Finds readers' links in request paths, even if their letter case or slashes were changed on the way."""

from __future__ import annotations

import re

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["LinkPathMiddleware"]


class LinkPathMiddleware:
    """Corrects the paths of readers' links to /u/TOKEN and /p/TOKEN, as ASGI middleware.

    `prefix` is the path of publication.base_url, with which a link may begin.
    """

    def __init__(self, app: ASGIApp, *, prefix: str = "") -> None:
        self._app = app
        beginning = "/+".join(map(re.escape, filter(None, prefix.split("/"))))
        self._link = re.compile(rf"/*(?:{beginning}/+)?([up])(?:/+(.*))?", re.IGNORECASE | re.DOTALL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request to the application, with the corrected path."""
        if scope["type"] == "http":
            path = scope["path"]
            link = self._link.fullmatch(path)
            if link:
                # As a browser sees it: what is encoded is no slash.
                raw = scope.get("raw_path") or path.encode("utf-8", "replace")
                up = "../" * (raw.count(b"/") - path[: link.end(1)].count("/"))
                path = f"/{link[1].lower()}/{link[2] or ''}"
                scope = {**scope, "path": path, "path_params": {"up": up}}
        await self._app(scope, receive, send)


class _RestOfPath(Convertor[str]):
    """Matches the rest of a path, including slashes and line breaks, which a damaged token may contain."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rest", _RestOfPath())

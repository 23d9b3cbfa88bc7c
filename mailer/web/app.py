"""The web application: which address is answered by whom, and what is said when something is wrong.

    /u/TOKEN          leave: GET shows a button, POST unsubscribes (RFC 8058)
    /p/TOKEN          choose editions, or come back
    /archive/…        what was sent, the same for everybody
    /healthz          for a load balancer: 503 where a POST could not be recorded now

Where publication.base_url has a path, everything is also found below it. GET never changes anything.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.language.reader_language import accepted
from mailer.services.readers.reader_actions import Desk
from mailer.site.archive_pages import Shelf
from mailer.site.pages import Pages
from mailer.store.database import explain
from mailer.web.health import Health
from mailer.web.preferences import PreferencesPage
from mailer.web.safety import Safety, make_safe
from mailer.web.targets import Targets
from mailer.web.unsubscribe import UnsubscribePage

__all__ = ["create_app"]

_log = logging.getLogger("mailer.web")
#: After a busy database, when to try again (seconds).
_RETRY_AFTER = "30"


def create_app(settings: Settings) -> Starlette:
    """The application for a workspace. Raises ConfigError without a secret key."""
    pages = Pages(settings)
    desk = Desk(settings)
    unsubscribe, preferences = UnsubscribePage(desk, pages), PreferencesPage(settings, desk, pages)
    shelf = Shelf(settings, pages)

    health = Health(desk.check)

    def healthz(_request: Request) -> Response:
        if health.is_well():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("unavailable\n", 503, {"Retry-After": _RETRY_AFTER})

    def no_icon(_request: Request) -> Response:
        return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})

    # As readers see it, also where a proxy takes it away.
    outer = urlsplit(settings.publication.base_url).path.rstrip("/")
    prefix = unquote(outer)

    def front(_request: Request) -> Response:
        return RedirectResponse(f"{outer}/archive/", 307)

    routes: list[BaseRoute] = [
        Route("/u/{token:whatever}", _by_method(unsubscribe), methods=["GET", "POST"]),
        Route("/p/{token:whatever}", _by_method(preferences), methods=["GET", "POST"]),
        Route("/archive", front),
        Route("/archive/", shelf.index),
        Route("/archive/{slug}", shelf.to_folder),
        Route("/archive/{slug}/", shelf.page),
        Route("/archive/{slug}/images/{name}", shelf.image),
        Route("/healthz", healthz),
        Route("/favicon.ico", no_icon),
        Route("/", front),
    ]
    if prefix:
        routes += [Route(prefix, front), Mount(prefix, routes=list(routes))]

    def page(name: str, request: Request, status: int) -> Response:
        """A page for somebody unknown, in a language that their browser asks for."""
        return pages.page(name, accepted(request.headers.get("accept-language", "")), status=status)

    def wrong(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        response = page("not-found" if status == 404 else "refused", request, status)
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    def unavailable(request: Request, error: Exception) -> Response:
        _log.error("%s", explain(error, settings.database) if isinstance(error, sqlite3.Error) else error)
        response = page("unavailable", request, 503)
        response.headers["Retry-After"] = _RETRY_AFTER
        return response

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody is there to read it, and no thread is needed

    def broken(request: Request, _error: Exception) -> Response:
        response = page("unavailable", request, 500)
        make_safe(response.headers)  # this one is made outside the middleware
        return response

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Safety), Middleware(Targets, prefix=prefix)],
        exception_handlers={
            HTTPException: wrong,
            ClientDisconnect: gone,
            MailerError: unavailable,
            sqlite3.Error: unavailable,
            OSError: unavailable,
            Exception: broken,
        },
    )
    app.router.redirect_slashes = False  # it would build its answer from the Host header
    return app


def _by_method(page: UnsubscribePage | PreferencesPage) -> Callable[[Request], Awaitable[Response]]:
    """GET shows and POST acts, in one route: so a 405 names both."""

    async def answer(request: Request) -> Response:
        return await (
            page.act(request) if request.method == "POST" else run_in_threadpool(page.show, request)
        )

    return answer

"""Builds the web application, with a handler for each address.

    /u/TOKEN          leave: GET shows a button, POST unsubscribes (RFC 8058)
    /p/TOKEN          choose editions, or come back
    /archive/…        what was sent, the same for everybody
    /healthz          for a load balancer: 503 where a POST could not be recorded now

Where publication.base_url has a path, everything is also found below it. GET never changes anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from mailer.config import Settings
from mailer.services.readers.reader_actions import ReaderActions
from mailer.site.archive_pages import PublicArchive
from mailer.site.pages import Pages
from mailer.web.archive import ArchiveHandlers
from mailer.web.failures import FailurePages
from mailer.web.health import Health
from mailer.web.readers.preferences import PreferencesPage
from mailer.web.readers.unsubscribe import UnsubscribePage
from mailer.web.safety import RETRY_AFTER, Safety
from mailer.web.targets import Targets

__all__ = ["create_app"]


def create_app(settings: Settings) -> Starlette:
    """Returns the application for a workspace. Raises ConfigError without a secret key."""
    pages = Pages(settings)
    outer = urlsplit(settings.publication.base_url).path.rstrip("/")  # also where a proxy takes it away
    prefix = unquote(outer)
    app = Starlette(
        routes=_routes(settings, pages, outer, prefix),
        middleware=[Middleware(Safety), Middleware(Targets, prefix=prefix)],
        exception_handlers=FailurePages(settings, pages).handlers(),
    )
    app.router.redirect_slashes = False  # it would build its answer from the Host header
    return app


def _routes(settings: Settings, pages: Pages, outer: str, prefix: str) -> list[BaseRoute]:
    """Returns the routes, repeated below `prefix`, the path of publication.base_url.

    `outer` is that path, percent-encoded.
    """
    desk = ReaderActions(settings)
    unsubscribe, preferences = UnsubscribePage(desk, pages), PreferencesPage(settings, desk, pages)
    archive = ArchiveHandlers(settings, PublicArchive(settings, pages))

    def front(_request: Request) -> Response:
        return RedirectResponse(f"{outer}/archive/", 307)

    routes: list[BaseRoute] = [
        Route("/u/{token:rest}", _by_method(unsubscribe), methods=["GET", "POST"]),
        Route("/p/{token:rest}", _by_method(preferences), methods=["GET", "POST"]),
        Route("/archive", front),
        Route("/archive/", archive.index),
        Route("/archive/{slug}", archive.redirect_to_folder),
        Route("/archive/{slug}/", archive.page),
        Route("/archive/{slug}/images/{name}", archive.image),
        Route("/healthz", _health_answer(Health(desk.check_database))),
        Route("/favicon.ico", _no_icon),
        Route("/", front),
    ]
    return [*routes, Route(prefix, front), Mount(prefix, routes=list(routes))] if prefix else routes


def _by_method(page: UnsubscribePage | PreferencesPage) -> Callable[[Request], Awaitable[Response]]:
    """Returns a handler that shows the page for GET and acts for POST.

    As one route, its 405 names both methods.
    """

    async def answer(request: Request) -> Response:
        return await (
            page.act(request) if request.method == "POST" else run_in_threadpool(page.show, request)
        )

    return answer


def _health_answer(health: Health) -> Callable[[Request], Response]:
    def answer(_request: Request) -> Response:
        if health.is_well():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("unavailable\n", 503, {"Retry-After": RETRY_AFTER})

    return answer


def _no_icon(_request: Request) -> Response:
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})

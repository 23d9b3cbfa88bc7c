"""Builds the web application, with a handler for each path.

    /u/TOKEN          unsubscribing: GET shows a button, POST unsubscribes (RFC 8058)
    /p/TOKEN          choosing editions, and subscribing again
    /archive/…        the sent issues, the same for everybody
    /healthz          for a load balancer: 503 while no unsubscribe could be recorded

If publication.base_url has a path, all of these are also served below that path. GET never changes anything.
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
from mailer.site.pages import ReaderPages
from mailer.web.archive import ArchiveHandlers
from mailer.web.failures import FailurePages
from mailer.web.health import HealthCheck
from mailer.web.readers.preferences import PreferencesPage
from mailer.web.readers.unsubscribe import UnsubscribePage
from mailer.web.safety import RETRY_AFTER, SafetyMiddleware
from mailer.web.targets import LinkPathMiddleware

__all__ = ["create_app"]


def create_app(settings: Settings) -> Starlette:
    """Returns the application for a workspace. Raises ConfigError if the workspace has no secret key."""
    pages = ReaderPages(settings)
    quoted_prefix = urlsplit(settings.publication.base_url).path.rstrip(
        "/"
    )  # also where a proxy takes it away
    prefix = unquote(quoted_prefix)
    app = Starlette(
        routes=_routes(settings, pages, quoted_prefix, prefix),
        middleware=[Middleware(SafetyMiddleware), Middleware(LinkPathMiddleware, prefix=prefix)],
        exception_handlers=FailurePages(settings, pages).handlers_by_exception(),
    )
    app.router.redirect_slashes = False  # it would build its answer from the Host header
    return app


def _routes(settings: Settings, pages: ReaderPages, quoted_prefix: str, prefix: str) -> list[BaseRoute]:
    """Returns the routes of the application: each at the root and once more below `prefix`.

    `prefix` is the path of publication.base_url, decoded, and `quoted_prefix` the same path percent-encoded.
    """
    actions = ReaderActions(settings)
    unsubscribe, preferences = UnsubscribePage(actions, pages), PreferencesPage(settings, actions, pages)
    archive = ArchiveHandlers(settings, PublicArchive(settings, pages))

    def redirect_to_archive(_request: Request) -> Response:
        return RedirectResponse(f"{quoted_prefix}/archive/", 307)

    routes: list[BaseRoute] = [
        Route("/u/{token:rest}", _handler_of_get_and_post(unsubscribe), methods=["GET", "POST"]),
        Route("/p/{token:rest}", _handler_of_get_and_post(preferences), methods=["GET", "POST"]),
        Route("/archive", redirect_to_archive),
        Route("/archive/", archive.serve_index),
        Route("/archive/{slug}", archive.redirect_to_folder),
        Route("/archive/{slug}/", archive.serve_web_page),
        Route("/archive/{slug}/images/{name}", archive.serve_picture),
        Route("/healthz", _health_handler(HealthCheck(actions.check_database))),
        Route("/favicon.ico", _answer_icon_request_with_204),
        Route("/", redirect_to_archive),
    ]
    return (
        [*routes, Route(prefix, redirect_to_archive), Mount(prefix, routes=list(routes))]
        if prefix
        else routes
    )


def _handler_of_get_and_post(
    page: UnsubscribePage | PreferencesPage,
) -> Callable[[Request], Awaitable[Response]]:
    """Returns one handler for GET and POST, so that the answer 405 to any other method lists both."""

    async def answer_get_or_post(request: Request) -> Response:
        return await (
            page.answer_post(request)
            if request.method == "POST"
            else run_in_threadpool(page.answer_get, request)
        )

    return answer_get_or_post


def _health_handler(health: HealthCheck) -> Callable[[Request], Response]:
    def answer_health_request(_request: Request) -> Response:
        if health.can_record_writes():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("unavailable\n", 503, {"Retry-After": RETRY_AFTER})

    return answer_health_request


def _answer_icon_request_with_204(_request: Request) -> Response:
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})

"""Answers requests that failed, with a page that says so and the status and headers of the failure."""

from __future__ import annotations

import logging
import sqlite3

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.site.pages import Pages
from mailer.store.database import to_store_error
from mailer.web.responses import page_for_browser
from mailer.web.safety import RETRY_AFTER, make_safe

__all__ = ["FailurePages"]

_log = logging.getLogger("mailer.web")


class FailurePages:
    """Makes the answer to each kind of failure, with a page in a language that the browser asks for."""

    def __init__(self, settings: Settings, pages: Pages) -> None:
        self._settings = settings
        self._pages = pages

    def handlers(self) -> dict[int | type[Exception], ExceptionHandler]:
        """Returns the handler of each exception, for Starlette."""
        return {
            HTTPException: self._refused,
            ClientDisconnect: _disconnected,
            MailerError: self._unavailable,
            sqlite3.Error: self._unavailable,
            OSError: self._unavailable,
            Exception: self._defect,
        }

    def _refused(self, request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        name = "not-found" if status == 404 else "refused"
        response = page_for_browser(self._pages, name, request, status)
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    def _unavailable(self, request: Request, error: Exception) -> Response:
        known = to_store_error(error, self._settings.database) if isinstance(error, sqlite3.Error) else error
        _log.error("%s", known)
        response = page_for_browser(self._pages, "unavailable", request, 503)
        response.headers["Retry-After"] = RETRY_AFTER
        return response

    def _defect(self, request: Request, _error: Exception) -> Response:
        response = page_for_browser(self._pages, "unavailable", request, 500)
        make_safe(response.headers)  # Starlette makes this answer outside of the middleware
        return response


async def _disconnected(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it, and no thread is needed

"""Answers a failed request with a page that explains the failure, and with a fitting status."""

from __future__ import annotations

import logging
import sqlite3

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.site.pages import ReaderPages
from mailer.store.database import to_store_error
from mailer.web.responses import page_for_browser
from mailer.web.safety import RETRY_AFTER, add_safe_headers

__all__ = ["FailurePages"]

_log = logging.getLogger("mailer.web")


class FailurePages:
    """Answers each kind of failure with a page in a language that the browser asks for."""

    def __init__(self, settings: Settings, pages: ReaderPages) -> None:
        self._settings = settings
        self._pages = pages

    def handlers_by_exception(self) -> dict[int | type[Exception], ExceptionHandler]:
        """Returns the handler for each class of exceptions, as Starlette's `exception_handlers`."""
        return {
            HTTPException: self._answer_refused_request,
            ClientDisconnect: _answer_disconnected,
            MailerError: self._answer_unavailable,
            sqlite3.Error: self._answer_unavailable,
            OSError: self._answer_unavailable,
            Exception: self._answer_defect,
        }

    def _answer_refused_request(self, request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        name = "not-found" if status == 404 else "refused"
        response = page_for_browser(self._pages, name, request, status)
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    def _answer_unavailable(self, request: Request, error: Exception) -> Response:
        explained = (
            to_store_error(error, self._settings.database) if isinstance(error, sqlite3.Error) else error
        )
        _log.error("%s", explained)
        response = page_for_browser(self._pages, "unavailable", request, 503)
        response.headers["Retry-After"] = RETRY_AFTER
        return response

    def _answer_defect(self, request: Request, _error: Exception) -> Response:
        response = page_for_browser(self._pages, "unavailable", request, 500)
        add_safe_headers(response.headers)  # Starlette makes this answer outside of the middleware
        return response


async def _answer_disconnected(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it, and no thread is needed

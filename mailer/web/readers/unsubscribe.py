"""Serves /u/TOKEN: the unsubscribe page with one button, and the one-click POST of mail programs (RFC 8058).

Mail gateways open every link, so GET only shows the page. If a link names no reader of this workspace, GET
and POST both answer that nothing was changed.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.links.urls import Purpose
from mailer.services.readers.reader_actions import LinkVisit, ReaderActions
from mailer.site.pages import ReaderPages
from mailer.web.readers.forms import read_form
from mailer.web.readers.unknown_reader import page_for_unknown_reader
from mailer.web.responses import page_response

__all__ = ["LONGEST_REASON", "UnsubscribePage"]

#: Of a reader's own words, this many characters are kept.
LONGEST_REASON = 500
#: Who has not left. They are shown the button, also where they give a reason: nothing was done.
_HERE = ("active", "pending", "bounced")


class UnsubscribePage:
    """Answers GET with a page with one button, and unsubscribes the reader on POST.

    A second POST may add a reason.
    """

    def __init__(self, actions: ReaderActions, pages: ReaderPages) -> None:
        self._actions = actions
        self._pages = pages

    def answer_get(self, request: Request) -> Response:
        """Shows the page with the button. Changes nothing."""
        visit = self._actions.identify_reader(request.path_params["token"], Purpose.UNSUBSCRIBE)
        return self._page_response("unsubscribe", request, visit)

    async def answer_post(self, request: Request) -> Response:
        """Unsubscribes the reader, or adds a reason. Answers only when the change is recorded."""
        text, form = request.path_params["token"], await read_form(request)
        step = form.get("step", ["one-click"])[0]
        reason = form.get("reason", [""])[0][:LONGEST_REASON]
        if step == "reason":
            visit = await run_in_threadpool(self._actions.add_unsubscribe_reason, text, reason=reason)
        else:
            source = "page" if step == "page" else "one-click"
            visit = await run_in_threadpool(
                self._actions.unsubscribe_from_all, text, reason=reason, source=source
            )
        gone = visit.person is not None and visit.person.status not in _HERE
        return self._page_response(
            "done" if gone else "unsubscribe", request, visit, after_reason=step == "reason"
        )

    def _page_response(
        self, name: str, request: Request, visit: LinkVisit, *, after_reason: bool = False
    ) -> Response:
        if visit.person is None:
            return page_for_unknown_reader(self._pages, request, visit)
        page = self._pages.render_page(
            name,
            visit.person.language,
            preferences=request.path_params["up"]
            + "p/"
            + self._actions.make_token(Purpose.PREFERENCES, visit),
            longest_reason=LONGEST_REASON,
            thanks=after_reason,
        )
        return page_response(page)

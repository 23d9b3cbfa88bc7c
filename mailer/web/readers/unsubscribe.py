"""Serves /u/TOKEN: the unsubscribe page with one button, and the one-click POST of mail programs (RFC 8058).

Mail gateways open every link, so GET only shows the page. Where a link names nobody here, GET and POST both
answer truthfully that nothing was changed.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.links.urls import Purpose
from mailer.services.readers.reader_actions import LinkVisit, ReaderActions
from mailer.site.pages import Pages
from mailer.web.readers.forms import read_form
from mailer.web.readers.unknown_reader import page_for_unknown_reader
from mailer.web.responses import page_response

__all__ = ["LONGEST_REASON", "UnsubscribePage"]

#: Of a reader's own words, this many characters are kept.
LONGEST_REASON = 500
#: Who has not left. They are shown the button, also where they give a reason: nothing was done.
_HERE = ("active", "pending", "bounced")


class UnsubscribePage:
    """Shows the button for GET, and unsubscribes for POST; a later POST may add a reason."""

    def __init__(self, desk: ReaderActions, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def show(self, request: Request) -> Response:
        """Shows the button and changes nothing."""
        visit = self._desk.identify_reader(request.path_params["token"], Purpose.UNSUBSCRIBE)
        return self._answer("unsubscribe", request, visit)

    async def act(self, request: Request) -> Response:
        """Unsubscribes the reader. The answer is 200 only once that is recorded."""
        text, form = request.path_params["token"], await read_form(request)
        step = form.get("step", ["one-click"])[0]
        reason = form.get("reason", [""])[0][:LONGEST_REASON]
        if step == "reason":
            visit = await run_in_threadpool(self._desk.add_unsubscribe_reason, text, reason=reason)
        else:
            source = "page" if step == "page" else "one-click"
            visit = await run_in_threadpool(
                self._desk.unsubscribe_from_all, text, reason=reason, source=source
            )
        gone = visit.person is not None and visit.person.status not in _HERE
        return self._answer("done" if gone else "unsubscribe", request, visit, thanks=step == "reason")

    def _answer(self, name: str, request: Request, visit: LinkVisit, *, thanks: bool = False) -> Response:
        if visit.person is None:
            return page_for_unknown_reader(self._pages, request, visit)
        page = self._pages.page(
            name,
            visit.person.language,
            preferences=f"{request.path_params['up']}p/{self._desk.make_token(Purpose.PREFERENCES, visit)}",
            longest_reason=LONGEST_REASON,
            thanks=thanks,
        )
        return page_response(page)

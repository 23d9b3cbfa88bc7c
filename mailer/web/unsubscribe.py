"""/u/TOKEN: one button, and what mail programs POST for a reader (RFC 8058).

Gateways open every link, so GET only shows. A token that is unknown, forged or of an erased person gets the
same pages and changes nothing.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.audience.subscribers import Subscriber
from mailer.links import Purpose, Token
from mailer.web.desk import Desk
from mailer.web.forms import read_form
from mailer.web.pages import Pages

__all__ = ["LONGEST_REASON", "UnsubscribePage"]

#: Of a reader's own words, this many characters are kept.
LONGEST_REASON = 500


class UnsubscribePage:
    """GET shows the button; POST unsubscribes, and may bring a reason afterwards."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    def show(self, request: Request) -> Response:
        """Changes nothing."""
        token = self._token(request)
        return self._answer("unsubscribe", token, self._desk.reader(token))

    async def act(self, request: Request) -> Response:
        """Answers 200 once it is recorded, never before."""
        token, form = self._token(request), await read_form(request)
        step = form.get("step", ["one-click"])[0]
        reason = form.get("reason", [""])[0][:LONGEST_REASON]
        if step == "reason":
            person = await run_in_threadpool(self._desk.explain_leaving, token, reason=reason)
        else:
            source = "page" if step == "page" else "one-click"
            person = await run_in_threadpool(self._desk.leave, token, reason=reason, source=source)
        return self._answer("done", token, person, thanks=step == "reason")

    def _token(self, request: Request) -> Token:
        return self._desk.read(request.path_params["token"], Purpose.UNSUBSCRIBE)

    def _answer(
        self, name: str, token: Token, person: Subscriber | None, *, thanks: bool = False
    ) -> Response:
        return self._pages.page(
            name,
            person.language if person else "",
            preferences=f"../p/{self._desk.token(Purpose.PREFERENCES, token)}",
            longest_reason=LONGEST_REASON,
            thanks=thanks,
        )

"""Serves /p/TOKEN, where a reader chooses editions, or subscribes again after an unsubscribe."""

from __future__ import annotations

from collections.abc import Collection

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.audience.subscribers import Subscriber
from mailer.config import Settings
from mailer.links.urls import Purpose
from mailer.services.readers.reader_actions import LinkVisit, ReaderActions
from mailer.site.pages import ReaderPages
from mailer.web.readers.forms import read_form
from mailer.web.readers.unknown_reader import page_for_unknown_reader
from mailer.web.responses import page_response

__all__ = ["PreferencesPage"]

#: Whose choice counts; with anybody else, nothing is ticked for them in advance.
_READING = ("active", "pending")


class PreferencesPage:
    """Answers GET with a form to choose editions, and saves the reader's choice on POST."""

    def __init__(self, settings: Settings, actions: ReaderActions, pages: ReaderPages) -> None:
        self._editions = settings.editions
        self._actions = actions
        self._pages = pages

    def answer_get(self, request: Request) -> Response:
        """Shows the reader's choice of editions. Changes nothing."""
        return self._page_response(
            request, self._actions.identify_reader(request.path_params["token"], Purpose.PREFERENCES)
        )

    async def answer_post(self, request: Request) -> Response:
        """Saves the choice of editions that the form holds. A POST without this form saves nothing."""
        text, form = request.path_params["token"], await read_form(request)
        if form.get("step") != ["save"]:
            return self._page_response(
                request, await run_in_threadpool(self._actions.identify_reader, text, Purpose.PREFERENCES)
            )
        wanted = [edition for edition in form.get("edition", ()) if edition in self._editions]
        visit = await run_in_threadpool(self._actions.choose_editions, text, wanted)
        return self._page_response(request, visit, is_saved=True, has_chosen=bool(wanted))

    def _page_response(
        self, request: Request, visit: LinkVisit, *, is_saved: bool = False, has_chosen: bool = False
    ) -> Response:
        person = visit.person
        if person is None:
            return page_for_unknown_reader(self._pages, request, visit)
        away = person.status not in _READING
        refused = visit.refused or (has_chosen and away)
        page = self._pages.render_page(
            "preferences",
            person.language,
            chosen=_chosen_editions(person),
            away=away,
            saved=is_saved and not refused,
            refused=refused,
            unsubscribe=request.path_params["up"]
            + "u/"
            + self._actions.make_token(Purpose.UNSUBSCRIBE, visit),
        )
        return page_response(page)


def _chosen_editions(person: Subscriber) -> Collection[str]:
    return set(person.editions) if person.status in _READING else set()

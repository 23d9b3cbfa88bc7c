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
from mailer.site.pages import Pages
from mailer.web.readers.forms import read_form
from mailer.web.readers.unknown_reader import page_for_unknown_reader
from mailer.web.responses import page_response

__all__ = ["PreferencesPage"]

#: Whose choice counts; with anybody else, nothing is ticked for them in advance.
_READING = ("active", "pending")


class PreferencesPage:
    """Shows the choice of editions for GET, and saves it for POST."""

    def __init__(self, settings: Settings, desk: ReaderActions, pages: Pages) -> None:
        self._editions = settings.editions
        self._desk = desk
        self._pages = pages

    def show(self, request: Request) -> Response:
        """Shows the choice of a reader and changes nothing."""
        return self._answer(
            request, self._desk.identify_reader(request.path_params["token"], Purpose.PREFERENCES)
        )

    async def act(self, request: Request) -> Response:
        """Saves the choice in the form; a POST that is not of our form saves nothing."""
        text, form = request.path_params["token"], await read_form(request)
        if form.get("step") != ["save"]:
            return self._answer(
                request, await run_in_threadpool(self._desk.identify_reader, text, Purpose.PREFERENCES)
            )
        wanted = [edition for edition in form.get("edition", ()) if edition in self._editions]
        visit = await run_in_threadpool(self._desk.choose_editions, text, wanted)
        return self._answer(request, visit, saved=True, wanted=bool(wanted))

    def _answer(
        self, request: Request, visit: LinkVisit, *, saved: bool = False, wanted: bool = False
    ) -> Response:
        person = visit.person
        if person is None:
            return page_for_unknown_reader(self._pages, request, visit)
        away = person.status not in _READING
        refused = visit.refused or (wanted and away)
        page = self._pages.page(
            "preferences",
            person.language,
            editions=self._editions,
            chosen=_chosen_by(person),
            away=away,
            saved=saved and not refused,
            refused=refused,
            unsubscribe=f"{request.path_params['up']}u/{self._desk.make_token(Purpose.UNSUBSCRIBE, visit)}",
        )
        return page_response(page)


def _chosen_by(person: Subscriber) -> Collection[str]:
    return set(person.editions) if person.status in _READING else set()

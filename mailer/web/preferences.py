"""/p/TOKEN: which editions somebody gets. Also the way back for a person who had left, by their own act."""

from __future__ import annotations

from collections.abc import Collection

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mailer.audience.subscribers import Subscriber
from mailer.config import Settings
from mailer.links import Purpose, Token
from mailer.web.desk import Desk
from mailer.web.forms import read_form
from mailer.web.pages import Pages

__all__ = ["PreferencesPage"]

#: Whose choice counts; with anybody else, nothing is ticked for them in advance.
_READING = ("active", "pending")


class PreferencesPage:
    """GET shows the choice, POST saves it."""

    def __init__(self, settings: Settings, desk: Desk, pages: Pages) -> None:
        self._editions = settings.editions
        self._desk = desk
        self._pages = pages

    def show(self, request: Request) -> Response:
        """Changes nothing."""
        token = self._token(request)
        person = self._desk.reader(token)
        return self._answer(token, person, _chosen_by(person))

    async def act(self, request: Request) -> Response:
        """Saves what the form says; a POST that is not of our form saves nothing."""
        token, form = self._token(request), await read_form(request)
        if form.get("step") != ["save"]:
            person = await run_in_threadpool(self._desk.reader, token)
            return self._answer(token, person, _chosen_by(person))
        wanted = [edition for edition in form.get("edition", ()) if edition in self._editions]
        person = await run_in_threadpool(self._desk.choose, token, wanted)
        refused = bool(person and wanted and person.status not in _READING)
        return self._answer(token, person, wanted if person is None else _chosen_by(person), True, refused)

    def _token(self, request: Request) -> Token:
        return self._desk.read(request.path_params["token"], Purpose.PREFERENCES)

    def _answer(
        self,
        token: Token,
        person: Subscriber | None,
        chosen: Collection[str],
        saved: bool = False,
        refused: bool = False,
    ) -> Response:
        return self._pages.page(
            "preferences",
            person.language if person else "",
            editions=self._editions,
            chosen=set(chosen),
            away=bool(person and person.status not in _READING),
            saved=saved and not refused,
            refused=refused,
            unsubscribe=f"../u/{self._desk.token(Purpose.UNSUBSCRIBE, token)}",
        )


def _chosen_by(person: Subscriber | None) -> Collection[str]:
    return person.editions if person and person.status in _READING else ()

"""Makes the page for a link whose token names no reader of this workspace: nothing was changed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mailer.services.readers.reader_actions import LinkState, LinkVisit
from mailer.site.pages import ReaderPages
from mailer.web.responses import page_for_browser

__all__ = ["page_for_unknown_reader"]

#: Links of an erased reader, and of a test copy: their answer is 200, because nothing is left to be done.
_WELL = (LinkState.ERASED, LinkState.COPY)


def page_for_unknown_reader(pages: ReaderPages, request: Request, visit: LinkVisit) -> Response:
    """Returns the page for a link that names no reader, in a language that the browser asks for.

    The status is 200 for the link of an erased reader or of a test copy, else 404.
    """
    return page_for_browser(pages, visit.state.value, request, 200 if visit.state in _WELL else 404)

"""What is said of a link that names nobody here: what is so, and that nothing was changed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mailer.language.reader_language import accepted
from mailer.services.readers.reader_actions import Standing, Visit
from mailer.site.pages import Pages

__all__ = ["page_for_nobody"]

#: What the link asks for is so already, or was never meant. Of others nothing could be recorded.
_WELL = (Standing.ERASED, Standing.COPY)


def page_for_nobody(pages: Pages, request: Request, visit: Visit) -> Response:
    """The page, in a language that the browser asks for: 200 or 404."""
    status = 200 if visit.standing in _WELL else 404
    return pages.page(
        visit.standing.value, accepted(request.headers.get("accept-language", "")), status=status
    )

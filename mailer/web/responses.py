"""Makes HTTP responses of finished pages, with the status and the headers that protect a reader."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailer.language.reader_language import accepted_languages
from mailer.site.pages import Page, ReaderPages

__all__ = ["page_for_browser", "page_response"]


def page_response(page: Page, status: int = 200) -> HTMLResponse:
    """Returns the page as a response. If the page is not complete, the status is 503 and not 200."""
    styles = " ".join(f"'sha256-{style}'" for style in page.styles) or "'none'"
    policy = (
        f"default-src 'none'; style-src {styles}; img-src 'self' https: data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Content-Language": page.language}
    return HTMLResponse(page.body, 503 if status == 200 and not page.complete else status, headers)


def page_for_browser(pages: ReaderPages, name: str, request: Request, status: int) -> HTMLResponse:
    """Returns the page `name` as a response, in a language that the browser asks for.

    Use it for visitors who are not known to be a reader, so that no language is known either.
    """
    page = pages.render_page(name, accepted_languages(request.headers.get("accept-language", "")))
    return page_response(page, status)

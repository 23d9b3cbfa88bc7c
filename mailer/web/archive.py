"""Serves the public archive at /archive/, with caching and security headers for each kind of file."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailer.config import Settings
from mailer.site.archive_pages import PublicArchive, PublicFile
from mailer.web.responses import page_response

__all__ = ["ArchiveHandlers"]

_IMMUTABLE = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=300"


class ArchiveHandlers:
    """Answers requests for the public archive. Anything that is not public is answered with 404."""

    def __init__(self, settings: Settings, archive: PublicArchive) -> None:
        self._archive = archive
        base = urlsplit(settings.publication.base_url)
        self._prefix = base.path.rstrip("/")  # as readers see it, also where a proxy takes it away
        # Archived pages style themselves inline, and their pictures stand under the base URL.
        self._policy = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data: "
            f"{base.scheme}://{base.netloc}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )

    def serve_index(self, request: Request) -> Response:
        """Serves a page of the list of public campaigns, newest first.

        `?page=2` asks for the second page, `?edition=KEY` for the campaigns of one edition.
        """
        wanted_page = request.query_params.get("page", "1")
        page = self._archive.index_page(
            int(wanted_page)
            if wanted_page.isascii() and wanted_page.isdigit() and len(wanted_page) < 6
            else 0,
            request.query_params.get("edition", ""),
        )
        if page is None:
            raise HTTPException(404)
        response = page_response(page)
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["X-Robots-Tag"] = "all"
        return response

    def redirect_to_folder(self, request: Request) -> Response:
        """Redirects /archive/SLUG to /archive/SLUG/, so that relative URLs of pictures work in the page."""
        slug = request.path_params["slug"]
        if not self._archive.has_page(slug):
            raise HTTPException(404)
        return RedirectResponse(f"{self._prefix}/archive/{slug}/", 308)

    def serve_web_page(self, request: Request) -> Response:
        """Serves the web page of a campaign."""
        response = _file_response(request, self._archive.web_page(request.path_params["slug"]))
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["Cache-Control"] = _SHORTLY
        response.headers["X-Robots-Tag"] = "all"
        return response

    def serve_picture(self, request: Request) -> Response:
        """Serves a picture, which browsers may cache for ever, because its name holds a hash of its bytes."""
        values = request.path_params
        response = _file_response(request, self._archive.picture(values["slug"], values["name"]))
        response.headers["Cache-Control"] = _IMMUTABLE
        response.headers["X-Robots-Tag"] = "all"
        # Mail programs and web mail show it from elsewhere.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


def _file_response(request: Request, file: PublicFile | None) -> Response:
    """Returns a response with the file, or with status 304 if the browser has the file already.

    See RFC 9110, section 13.1.2. Raises HTTPException (404) if `file` is None.
    """
    if file is None:
        raise HTTPException(404)
    etag = f'"{file.digest}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    data = file.read()
    if data is None:
        raise HTTPException(404)
    return Response(data, media_type=file.media_type, headers={"ETag": etag})

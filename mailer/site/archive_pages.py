"""/archive/: the campaigns that were sent, for everybody. Only what a manifest lists, as it was sent.

A campaign of an edition with `archive = false` has no page and is not listed; its pictures, which mails
show, are there under their own names.
"""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailer.archive.campaign import Archived, list_campaigns
from mailer.archive.manifest import has_public_page, hash_of, mark_of, read_manifest
from mailer.archive.paths import is_file_name, is_slug, shown
from mailer.config import Settings
from mailer.errors import ArchiveError
from mailer.site.pages import Pages

__all__ = ["Shelf"]

_log = logging.getLogger("mailer.web")
_PER_PAGE = 60
_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=300"


class Shelf:
    """Serves the archive. A campaign is public once its sending has started."""

    def __init__(self, settings: Settings, pages: Pages) -> None:
        self._settings = settings
        self._pages = pages
        self._manifests: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
        self._known: dict[str, tuple[object, Archived]] = {}
        base = urlsplit(settings.publication.base_url)
        self._prefix = base.path.rstrip("/")  # as readers see it, also where a proxy takes it away
        # Archived pages style themselves inline, and their pictures stand under the base URL.
        self._policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data: "
            f"{base.scheme}://{base.netloc}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )

    def index(self, request: Request) -> Response:
        """All public campaigns, newest first, some on each page (`?page=2`)."""
        public = [c for c in self._listed() if c.started_at and c.public and not c.problem]
        wish = request.query_params.get("page", "1")
        number = int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 6 else 0
        last = max(1, -(-len(public) // _PER_PAGE))
        if not 1 <= number <= last:
            raise HTTPException(404)
        there = public[(number - 1) * _PER_PAGE : number * _PER_PAGE]
        response = self._pages.page(
            "archive",
            "",
            campaigns=[
                {
                    "slug": c.slug,
                    "subject": c.subject or c.slug,
                    "language": c.language,
                    "edition": self._edition_name(c.edition),
                    "date": _day(c.date),
                }
                for c in there
            ],
            newer=number - 1 if number > 1 else None,
            older=number + 1 if number < last else None,
        )
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["X-Robots-Tag"] = "all"
        return response

    def to_folder(self, request: Request) -> Response:
        """The address without its last slash, where pictures would not be found."""
        slug, _ = self._public(request)
        return RedirectResponse(f"{self._prefix}/archive/{slug}/", 308)

    def page(self, request: Request) -> Response:
        """The web page of a campaign: nobody's token is in it."""
        slug, manifest = self._public(request)
        response = self._file(request, slug, manifest, "web.html", "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["Cache-Control"] = _SHORTLY
        response.headers["X-Robots-Tag"] = "all"
        return response

    def image(self, request: Request) -> Response:
        """A picture of a campaign; its name holds its content's hash, so it may be kept for ever."""
        slug, manifest = self._campaign(request)
        name = request.path_params["name"]
        kind = _TYPES.get(name.rpartition(".")[2].lower())
        if not is_file_name(name) or kind is None:
            raise HTTPException(404)
        response = self._file(request, slug, manifest, f"images/{name}", kind)
        response.headers["Cache-Control"] = _IMMUTABLE
        response.headers["X-Robots-Tag"] = "all"
        # Mail programs and web mail show it from elsewhere.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _public(self, request: Request) -> tuple[str, dict[str, Any]]:
        slug, manifest = self._campaign(request)
        if not has_public_page(manifest):
            raise HTTPException(404)
        return slug, manifest

    def _campaign(self, request: Request) -> tuple[str, dict[str, Any]]:
        slug = request.path_params["slug"]
        if not is_slug(slug):
            raise HTTPException(404)
        try:
            manifest = self._manifest(self._settings.campaigns / slug)
        except (ArchiveError, OSError):
            raise HTTPException(404) from None
        if not manifest["started_at"]:
            raise HTTPException(404)
        return slug, manifest

    def _manifest(self, folder: Path) -> dict[str, Any]:
        """The manifest, read again only when its file is another one."""
        mark = mark_of(folder)
        known = self._manifests.get(folder)
        if known is None or known[0] != mark:
            known = self._manifests[folder] = (mark, read_manifest(folder))
        return known[1]

    def _file(
        self, request: Request, slug: str, manifest: dict[str, Any], name: str, media_type: str
    ) -> Response:
        folder = self._settings.campaigns / slug
        digest = manifest["files"].get(name)
        path = folder / name
        if digest is None or path.is_symlink() or not path.is_file():
            raise HTTPException(404)
        etag = f'"{digest}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        data = path.read_bytes()
        if hash_of(data) != digest:
            _log.error(
                "%s is not what was sent, so it is not shown; verify the campaign", shown(folder, name)
            )
            raise HTTPException(404)
        return Response(data, media_type=media_type, headers={"ETag": etag})

    def _listed(self) -> list[Archived]:
        return list_campaigns(self._settings.campaigns, self._known)

    def _edition_name(self, key: str) -> str:
        edition = self._settings.editions.get(key)
        return edition.name if edition else key


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None

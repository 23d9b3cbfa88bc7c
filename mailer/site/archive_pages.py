"""Finds the public pages and files of sent campaigns. Only files that a manifest lists are public.

A campaign of an edition with `archive = false` has no page and is not listed. The pictures of such a campaign
are public nevertheless, because its mails show them.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mailer.archive.campaign import ArchivedCampaign, list_campaigns
from mailer.archive.manifest import has_public_page, manifest_fingerprint, read_manifest, sha256_hex
from mailer.archive.paths import display_path, is_published_file_name
from mailer.campaign.slug import is_slug
from mailer.config import Settings
from mailer.errors import ArchiveError
from mailer.site.pages import Page, ReaderPages

__all__ = ["ListedEdition", "ListedIssue", "ListedMonth", "PublicArchive", "PublicFile"]

_log = logging.getLogger("mailer.web")
_PER_PAGE = 60
_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "ics": "text/calendar; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class PublicFile:
    """Describes a public file in the folder of a campaign.

    `name` is the path of the file in `folder`. `digest` is the SHA-256 in hex that the manifest has for the
    file.
    """

    folder: Path
    name: str
    digest: str
    media_type: str

    def read(self) -> bytes | None:
        """Returns the bytes of the file. Logs an error and returns None if it has changed since it was sent.

        Raises OSError if the file cannot be read.
        """
        data = (self.folder / self.name).read_bytes()
        if sha256_hex(data) == self.digest:
            return data
        place = display_path(self.folder, self.name)
        _log.error("%s is not what was sent, so it is not shown; run `mailer campaigns verify`", place)
        return None


@dataclass(frozen=True, slots=True)
class ListedIssue:
    """Describes a campaign in the list of issues, for the template of the list.

    `edition` is the name of the edition in the campaign's language, `language` a language tag or "", and
    `date` None if it is not known.
    """

    slug: str
    title: str
    preheader: str
    subject: str
    edition: str
    language: str
    date: dt.date | None


@dataclass(frozen=True, slots=True)
class ListedMonth:
    """Holds the listed issues of one month, newest first. `first` is a day of the month, or None."""

    first: dt.date | None
    campaigns: tuple[ListedIssue, ...]


@dataclass(frozen=True, slots=True)
class ListedEdition:
    """Describes an edition by which the list can be filtered: its key, name and the name's language tag."""

    key: str
    name: str
    language: str


class PublicArchive:
    """Finds the public pages and files of the archive. A campaign is public once its sending has started."""

    def __init__(self, settings: Settings, pages: ReaderPages) -> None:
        self._settings = settings
        self._pages = pages
        self._manifests: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
        self._cache: dict[str, tuple[object, ArchivedCampaign]] = {}

    def index_page(self, page_number: int, edition: str = "") -> Page | None:
        """Returns a page of the list of public campaigns, newest first, or None if there is no such page.

        `page_number` counts from 1. `edition` is the key of the edition whose campaigns are listed, or "" for
        all of them.
        """
        listed = list_campaigns(self._settings.campaigns, self._cache)
        public = [c for c in listed if c.started_at and c.public and not c.problem]
        shown = [c for c in public if edition in ("", c.edition)]
        last = max(1, -(-len(shown) // _PER_PAGE))
        if not 1 <= page_number <= last or (edition and not shown):
            return None
        issues = [
            self._listed_issue(c) for c in shown[(page_number - 1) * _PER_PAGE : page_number * _PER_PAGE]
        ]
        return self._pages.render_page(
            "archive",
            "",
            campaigns=issues,
            months=_months_of(issues),
            edition=edition,
            filters=self._filters(public),
            newer=page_number - 1 if page_number > 1 else None,
            older=page_number + 1 if page_number < last else None,
        )

    def _listed_issue(self, campaign: ArchivedCampaign) -> ListedIssue:
        subject = campaign.subject or campaign.slug
        edition = self._settings.editions.get(campaign.edition)
        wanted = (campaign.language, self._settings.publication.language)
        return ListedIssue(
            slug=campaign.slug,
            title=campaign.title or subject,
            preheader=campaign.preheader,
            subject=subject,
            edition=edition.name.in_language(*wanted) if edition else campaign.edition,
            language=campaign.language,
            date=_parsed_date(campaign.date),
        )

    def _filters(self, public: Sequence[ArchivedCampaign]) -> tuple[ListedEdition, ...]:
        """Returns the editions that have public campaigns, or () if there is only one."""
        settings, keys = self._settings, {campaign.edition for campaign in public}
        found = tuple(
            ListedEdition(key, edition.name, edition.name.language or settings.edition_language(key))
            for key, edition in settings.editions.items()
            if key in keys
        )
        return found if len(found) > 1 else ()

    def has_page(self, slug: str) -> bool:
        """Returns whether a campaign has a public page."""
        manifest = self._started_manifest(slug)
        return manifest is not None and has_public_page(manifest)

    def web_page(self, slug: str) -> PublicFile | None:
        """Returns the public page of a campaign, without personal links; None if it has no such page."""
        manifest = self._started_manifest(slug)
        if manifest is None or not has_public_page(manifest):
            return None
        return self._public_file(slug, manifest, "web.html", "text/html; charset=utf-8")

    def picture(self, slug: str, name: str) -> PublicFile | None:
        """Returns the picture with this file name in a campaign, or None if there is none."""
        manifest = self._started_manifest(slug)
        media_type = _TYPES.get(name.rpartition(".")[2].lower())
        if manifest is None or media_type is None or not is_published_file_name(name):
            return None
        return self._public_file(slug, manifest, f"images/{name}", media_type)

    def _started_manifest(self, slug: str) -> dict[str, Any] | None:
        """Returns the manifest of a campaign, or None if its sending has not started."""
        if not is_slug(slug):
            return None
        try:
            manifest = self._cached_manifest(self._settings.campaigns / slug)
        except (ArchiveError, OSError):
            return None
        return manifest if manifest["started_at"] else None

    def _cached_manifest(self, folder: Path) -> dict[str, Any]:
        """Returns the manifest of the campaign in `folder`. Reads the file only if it has changed."""
        mark = manifest_fingerprint(folder)
        cached = self._manifests.get(folder)
        if cached is None or cached[0] != mark:
            cached = self._manifests[folder] = (mark, read_manifest(folder))
        return cached[1]

    def _public_file(
        self, slug: str, manifest: dict[str, Any], name: str, media_type: str
    ) -> PublicFile | None:
        folder = self._settings.campaigns / slug
        digest = manifest["files"].get(name)
        path = folder / name
        if digest is None or path.is_symlink() or not path.is_file():
            return None
        return PublicFile(folder, name, digest, media_type)


def _months_of(issues: Sequence[ListedIssue]) -> tuple[ListedMonth, ...]:
    """Returns the issues by month, in the same order."""
    groups = groupby(issues, key=lambda issue: issue.date and issue.date.replace(day=1))
    return tuple(ListedMonth(first, tuple(group)) for first, group in groups)


def _parsed_date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None

"""Makes the views of the pictures of an issue, which are published when a template asks for an address."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from mailer.config import Settings
from mailer.errors import ConfigError, IssueError, MailerError, Problem
from mailer.issue.files.source_file import locate_file, read_bounded_file
from mailer.issue.pictures.limits import MAX_FILE, MAX_HEIGHT, MAX_WIDTH
from mailer.issue.yaml.tree import Key
from mailer.render.faults import Faults
from mailer.render.pictures.findings import remote_finding, size_finding
from mailer.render.pictures.pixels import background_of
from mailer.render.pictures.publish import Original, publish, read_header
from mailer.render.pictures.view import PictureView, PrintsHtml
from mailer.render.rendition import Picture
from mailer.render.source_positions import SourcePositions

__all__ = ["PictureViews", "WrittenPicture"]

#: The address that stands in for one that cannot be made. It is never sent.
_NOWHERE = "https://example.org/"

#: Gives the address and the file of a picture of so many CSS px.
Publish = Callable[[Original, int, int], tuple[str, Picture]]


@dataclass(frozen=True, slots=True)
class WrittenPicture:
    """Describes a picture as an issue has it.

    `src` is as written, at `key` and, in a text, at `line` (from 0).
    """

    src: str
    alt: str
    caption: PrintsHtml | str
    key: Key
    url: str = ""
    line: int = 0
    width: int | None = None


class PictureViews:
    """Makes the pictures of one rendering.

    `published` are those that templates asked for, by their names; `findings` are warnings about them.
    """

    def __init__(self, places: SourcePositions, settings: Settings, image_base: str, faults: Faults) -> None:
        self.faults = faults
        self.places = places
        self.settings = settings
        self.image_base = image_base
        self.published: dict[str, Picture] = {}
        self.findings: dict[Problem, None] = {}
        self._ground = background_of(settings.brand.paper)

    def picture(self, written: WrittenPicture) -> PictureView:
        """Returns the view of a picture. Problems of its file are added to `places`."""
        src, key, line, width = written.src, written.key, written.line, written.width

        def view(width: int | None, height: int | None, source: Original | str) -> PictureView:
            published = self._publisher(src, key, line)
            return PictureView(written.alt, written.caption, written.url, width, height, source, published)

        if src.startswith("https://"):
            self._note(remote_finding(src), self.places.at(key, line))
            return view(width and min(width, MAX_WIDTH), None, src)
        try:
            folder = posixpath.dirname(self.places.at(key)[0])
            original = read_header(self.places.loaded.picture_bytes(folder, src))
        except ValueError as error:
            if self.places.loaded.has_all_pictures:
                self.places.add_problem(f"the picture {src} {error}", key, line)
            return view(None, None, _NOWHERE)
        # A width that somebody chose says how high it may be, too.
        shown = original.shown(width) if width else original.shown(MAX_WIDTH, MAX_HEIGHT)
        return view(*shown, original)

    def logo(self) -> PictureView | None:
        """Returns the logo of the workspace, if it has one. A logo that cannot be used is a ConfigError."""
        brand, name = self.settings.brand, self.settings.publication.name
        if not brand.logo:
            return None
        if brand.logo.startswith("https://"):
            self._note(remote_finding(brand.logo), ("mailer.toml", None))
            return PictureView(name, "", "", brand.logo_width, None, brand.logo, self._publish_logo)
        root = self.settings.root.resolve()
        try:
            path = locate_file(root, root, brand.logo)
        except ValueError as error:  # which names the file
            self._no_logo(f"brand.logo: {error}")
            return None
        try:
            original = read_header(read_bounded_file(path, MAX_FILE))
        except ValueError as error:
            self._no_logo(f"brand.logo: {brand.logo} {error}")
            return None
        return PictureView(name, "", "", *original.shown(brand.logo_width), original, self._publish_logo)

    def _no_logo(self, message: str) -> None:
        self.faults.add(ConfigError(Problem(message, "mailer.toml")))

    def _publisher(self, src: str, key: Key, line: int) -> Publish:
        def made(original: Original, width: int, height: int) -> tuple[str, Picture]:
            try:
                address, picture = self._published(original, width, height)
            except ValueError as error:
                problem = Problem(f"the picture {src} {error}", *self.places.at(key, line))
                return self._unpublished(original, src, IssueError(problem))
            self._note(size_finding(src, picture), self.places.at(key, line))
            return address, picture

        return made

    def _publish_logo(self, original: Original, width: int, height: int) -> tuple[str, Picture]:
        logo = self.settings.brand.logo
        try:
            address, picture = self._published(original, width, height)
        except ValueError as error:
            return self._unpublished(
                original, logo, ConfigError(Problem(f"brand.logo: {logo} {error}", "mailer.toml"))
            )
        self._note(size_finding(logo, picture), ("mailer.toml", None))
        return address, picture

    def _unpublished(self, original: Original, src: str, error: MailerError) -> tuple[str, Picture]:
        """Reports the error, and returns a picture of no bytes in its place."""
        self.faults.add(error)
        return _NOWHERE, Picture(src, b"", *original.shown(MAX_WIDTH))

    def _published(self, original: Original, width: int, height: int) -> tuple[str, Picture]:
        picture = publish(original, width, height, ground=self._ground)
        # The same bytes may be shown in two sizes; what is published is the file.
        self.published.setdefault(picture.name, picture)
        return self.image_base + picture.name, picture

    def _note(self, message: str, place: tuple[str, int | None]) -> None:
        if message:
            self.findings[Problem(message, *place, severity="warning")] = None

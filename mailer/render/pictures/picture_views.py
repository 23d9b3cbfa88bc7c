"""Makes the views of an issue's pictures. Each picture is published when a template asks for the URL."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from mailer.config import Settings
from mailer.errors import ConfigError, IssueError, MailerError, Problem
from mailer.issue.files.source_file import locate_file, read_bounded_file
from mailer.issue.pictures.limits import MAX_FILE, MAX_HEIGHT, MAX_WIDTH
from mailer.issue.yaml.tree import Key
from mailer.render.faults import RenderingFaults
from mailer.render.pictures.findings import file_size_warning, remote_format_warning
from mailer.render.pictures.pixels import drawing_background
from mailer.render.pictures.publish import OriginalPicture, publish_picture, read_picture_header
from mailer.render.pictures.view import PictureView, PrintsHtml
from mailer.render.rendition import Picture
from mailer.render.source_positions import SourcePositions

__all__ = ["PictureViews", "WrittenPicture"]

#: The address that stands in for one that cannot be made. It is never sent.
_NOWHERE = "https://example.org/"

#: Gives the address and the file of a picture of so many CSS px.
Publish = Callable[[OriginalPicture, int, int], tuple[str, Picture]]


@dataclass(frozen=True, slots=True)
class WrittenPicture:
    """Describes a picture as it is written in an issue.

    `src` is the path or URL of the picture, and `url` the URL that the picture links to. `key` is the
    picture's position in the issue, and `line` (from 0) the picture's line within the text at `key`. `width`
    is in CSS px, or None if the issue gives no width. `credit` and `place` are those of a picture outside of
    texts.
    """

    src: str
    alt: str
    caption: PrintsHtml | str
    key: Key
    url: str = ""
    line: int = 0
    width: int | None = None
    credit: str = ""
    place: str = "above"


class PictureViews:
    """Makes the views of the pictures of one rendering.

    `published` holds, by file name, the pictures that templates have used until now. `findings` holds the
    warnings about these pictures. `image_base` is the beginning of the URLs of pictures.
    """

    def __init__(
        self, positions: SourcePositions, settings: Settings, image_base: str, faults: RenderingFaults
    ) -> None:
        self.faults = faults
        self.positions = positions
        self.settings = settings
        self.image_base = image_base
        self.published: dict[str, Picture] = {}
        self.findings: dict[Problem, None] = {}
        self._ground = drawing_background(settings.brand.paper)

    def picture_view(self, written: WrittenPicture) -> PictureView:
        """Returns the view of a picture. If the file cannot be used, adds a problem to `positions`."""
        src, key, line, width = written.src, written.key, written.line, written.width

        def make_view(width: int | None, height: int | None, source: OriginalPicture | str) -> PictureView:
            published = self._function_that_publishes(src, key, line)
            return PictureView(
                written.alt,
                written.caption,
                written.url,
                width,
                height,
                source,
                published,
                credit=written.credit,
                place=written.place,
            )

        if src.startswith("https://"):
            self._add_warning(remote_format_warning(src), self.positions.position_of(key, line))
            return make_view(width and min(width, MAX_WIDTH), None, src)
        try:
            folder = posixpath.dirname(self.positions.position_of(key)[0])
            original = read_picture_header(self.positions.loaded.picture_bytes(folder, src))
        except ValueError as error:
            if self.positions.loaded.has_all_pictures:
                self.positions.add_problem(f"the picture {src} {error}", key, line)
            return make_view(None, None, _NOWHERE)
        # A width that somebody chose says how high it may be, too.
        shown = original.displayed_size(width) if width else original.displayed_size(MAX_WIDTH, MAX_HEIGHT)
        return make_view(*shown, original)

    def publish_file(self, file: Picture) -> str:
        """Publishes a file beside the pictures, and returns its URL."""
        self.published.setdefault(file.name, file)
        return self.image_base + file.name

    def logo_view(self) -> PictureView | None:
        """Returns the view of the workspace's logo, or None if the workspace has no logo.

        If the logo cannot be used, a ConfigError is reported to `faults`.
        """
        brand, name = self.settings.brand, self.settings.publication.name
        if not brand.logo:
            return None
        if brand.logo.startswith("https://"):
            self._add_warning(remote_format_warning(brand.logo), ("mailer.toml", None))
            return PictureView(name, "", "", brand.logo_width, None, brand.logo, self._publish_logo)
        root = self.settings.root.resolve()
        try:
            path = locate_file(root, root, brand.logo)
        except ValueError as error:  # which names the file
            self._report_unusable_logo(f"brand.logo: {error}")
            return None
        try:
            original = read_picture_header(read_bounded_file(path, MAX_FILE))
        except ValueError as error:
            self._report_unusable_logo(f"brand.logo: {brand.logo} {error}")
            return None
        return PictureView(
            name, "", "", *original.displayed_size(brand.logo_width), original, self._publish_logo
        )

    def _report_unusable_logo(self, message: str) -> None:
        self.faults.raise_or_collect(ConfigError(Problem(message, "mailer.toml")))

    def _function_that_publishes(self, src: str, key: Key, line: int) -> Publish:
        def publish_issue_picture(original: OriginalPicture, width: int, height: int) -> tuple[str, Picture]:
            try:
                address, picture = self._publish_and_collect(original, width, height)
            except ValueError as error:
                problem = Problem(f"the picture {src} {error}", *self.positions.position_of(key, line))
                return self._report_and_replace(original, src, IssueError(problem))
            self._add_warning(file_size_warning(src, picture), self.positions.position_of(key, line))
            return address, picture

        return publish_issue_picture

    def _publish_logo(self, original: OriginalPicture, width: int, height: int) -> tuple[str, Picture]:
        logo = self.settings.brand.logo
        try:
            address, picture = self._publish_and_collect(original, width, height)
        except ValueError as error:
            return self._report_and_replace(
                original, logo, ConfigError(Problem(f"brand.logo: {logo} {error}", "mailer.toml"))
            )
        self._add_warning(file_size_warning(logo, picture), ("mailer.toml", None))
        return address, picture

    def _report_and_replace(
        self, original: OriginalPicture, src: str, error: MailerError
    ) -> tuple[str, Picture]:
        """Reports the error, and returns a URL and an empty file that replace the picture `src`."""
        self.faults.raise_or_collect(error)
        return _NOWHERE, Picture(src, b"", *original.displayed_size(MAX_WIDTH))

    def _publish_and_collect(self, original: OriginalPicture, width: int, height: int) -> tuple[str, Picture]:
        picture = publish_picture(original, width, height, background=self._ground)
        # The same bytes may be shown in two sizes; what is published is the file.
        self.published.setdefault(picture.name, picture)
        return self.image_base + picture.name, picture

    def _add_warning(self, message: str, position: tuple[str, int | None]) -> None:
        if message:
            self.findings[Problem(message, *position, severity="warning")] = None

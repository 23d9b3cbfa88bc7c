"""Makes views out of an issue: slots become markers, Markdown is read, pictures are found."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from urllib.parse import unquote

from mailer.config import Settings
from mailer.errors import ConfigError, IssueError, MailerError, Problem
from mailer.issue import model
from mailer.issue.expressions import ExpressionError, fill_slots
from mailer.issue.fields import SLOT
from mailer.issue.markdown.document import EMPTY
from mailer.issue.source import locate, read_bounded
from mailer.render.markdown import Rich, Source
from mailer.render.markers import Markers
from mailer.render.pictures import MAX_WIDTH, Original, look, publish
from mailer.render.places import Key, Places
from mailer.render.rendition import Picture
from mailer.render.views import (
    BrandView,
    CallToActionView,
    ColumnView,
    IssueView,
    ItemView,
    PictureView,
    RelatedView,
    SectionView,
    SourceView,
)

__all__ = ["Viewer"]


class Viewer:
    """Makes views for one rendering. `pictures` are those that were asked for, by their names.

    Faults of the logo and of pictures are raised, or added to `faults` where that is given.
    """

    def __init__(
        self,
        places: Places,
        settings: Settings,
        markers: Markers,
        image_base: str,
        faults: list[Problem] | None = None,
    ) -> None:
        self.faults = faults
        self.places = places
        self.settings = settings
        self.markers = markers
        self.image_base = image_base
        self.pictures: dict[str, Picture] = {}
        self.loaded = places.loaded
        self._number = 0
        self._made: list[tuple[str, Key]] = []  # what is wrong with defaults made from other texts

    def issue(self, issue: model.Issue) -> IssueView:
        """The view of an issue, or of a variant of it. Problems are left in `places`."""
        keys = self.places.keys_of(issue)
        title = self._line(issue.title, ("title",))
        items = tuple(self._item(item, keys[id(item)], 3, issue.language) for item in issue.items)
        sections = tuple(
            SectionView(
                number=number,
                anchor=f"section-{number}",
                title=self._line(section.title, (*keys[id(section)], "title")),
                intro=self._rich(section.intro, (*keys[id(section)], "intro"), 3),
                items=tuple(
                    self._item(item, keys[id(item)], 4, section.language or issue.language)
                    for item in section.items
                ),
                language=section.language or issue.language,
            )
            for number, section in enumerate(issue.sections, 1)
        )
        column, call = issue.column, issue.call_to_action
        view = IssueView(
            date=issue.date,
            title=title,
            subject=self._line(issue.subject, ("subject",)),
            preheader=self._line(issue.preheader, ("preheader",)),
            intro=self._rich(issue.intro, ("intro",), 2),
            items=items,
            sections=sections,
            all_items=(*items, *(item for section in sections for item in section.items)),
            body=self._rich(issue.body, ("body",), 2, anchors="heading"),
            column=None
            if column is None
            else ColumnView(
                title=self._line(column.title, ("column", "title")),
                byline=self._line(column.byline, ("column", "byline")),
                body=self._rich(column.body, ("column", "body"), 3),
                language=column.language or issue.language,
            ),
            call_to_action=None
            if call is None
            else CallToActionView(
                text=self._rich(call.text, ("call_to_action", "text"), 3),
                label=self._line(call.label, ("call_to_action", "label")),
                url=self._line(call.url, ("call_to_action", "url")),
            ),
            related=tuple(
                RelatedView(
                    self._line(each.title, ("related", i, "title")),
                    self._line(each.url, ("related", i, "url")),
                )
                for i, each in enumerate(issue.related)
            ),
            tags=tuple(self._line(tag, ("tags", i)) for i, tag in enumerate(issue.tags)),
            notice=self._rich(issue.notice, ("notice",), 3),
            language=issue.language,
        )
        if not self.places.problems:  # else what they were made from has been told
            for message, key in self._made:
                self.places.complain(f"{key[0]}: {message}", key)
        return view

    def brand(self) -> BrandView:
        """How the workspace looks. Raises ConfigError where the logo cannot be used."""
        if self.faults is None:
            return self._brand(self.settings.brand.logo)
        try:
            return self._brand(self.settings.brand.logo)
        except ConfigError as error:
            self.faults += error.problems
            return self._brand("")

    def _brand(self, logo: str) -> BrandView:
        brand = self.settings.brand
        colours = brand.model_dump(exclude={"logo"})
        if not logo:
            return BrandView(logo=None, **colours)
        name = self.settings.publication.name
        if brand.logo.startswith("https://"):
            return BrandView(
                PictureView(name, "", "", brand.logo_width, None, brand.logo, self._publish_logo), **colours
            )
        root = self.settings.root.resolve()
        try:
            path = locate(root, root, brand.logo)
        except ValueError as error:  # which names the file
            raise ConfigError(Problem(f"brand.logo: {error}", "mailer.toml")) from None
        try:
            original = look(read_bounded(path, 10_000_000))
        except ValueError as error:
            raise ConfigError(Problem(f"brand.logo: {brand.logo} {error}", "mailer.toml")) from None
        shown = original.shown(brand.logo_width)
        return BrandView(PictureView(name, "", "", *shown, original, self._publish_logo), **colours)

    def _item(self, item: model.Item, key: Key, level: int, language: str) -> ItemView:
        self._number += 1
        return ItemView(
            number=self._number,
            anchor=f"item-{self._number}",
            title=self._line(item.title, (*key, "title")),
            body=self._rich(item.body, (*key, "body"), level),
            comment=self._rich(item.comment, (*key, "comment"), level),
            source=None
            if item.source is None
            else SourceView(
                self._line(item.source.name, (*key, "source", "name")),
                self._line(item.source.url or "", (*key, "source", "url")),
            ),
            url=self._line(item.url or "", (*key, "url")),
            image=None if item.image is None else self._image(item.image, (*key, "image")),
            tags=tuple(self._line(tag, (*key, "tags", i)) for i, tag in enumerate(item.tags)),
            language=item.language or language,
        )

    def _filled(self, text: str, key: Key) -> str:
        """The text with markers for its slots."""
        try:
            return fill_slots(
                text, lambda paths, default: self.markers.make(paths, default, self.places.at(key))
            )
        except ExpressionError as error:
            if self.places.is_written(key):
                self.places.complain(str(error), key, error.line)
            else:
                self._made.append((str(error), key))
            return "" if self.faults is None else SLOT.sub("", text) or "https://example.org/"

    def _line(self, text: str, key: Key) -> str:
        return self._filled(text, key)

    def _rich(self, text: str, key: Key, level: int, *, anchors: str = "", one_line: bool = False) -> Rich:
        def find(src: str, alt: str, caption: str, line: int) -> PictureView | None:
            return self._picture(unquote(src), alt, caption, "", key, line)

        def change(words: str) -> str:
            place = self.places.at(key)
            return self.loaded.placeholders.replace(
                words, lambda paths, default: self.markers.make(paths, default, place)
            )

        document = self.loaded.documents.get(key, EMPTY) if text else EMPTY
        return Rich(Source(document, find, level, anchors, change), one_line=one_line)

    def _image(self, image: model.Image, key: Key) -> PictureView | None:
        caption = self._rich(image.caption, (*key, "caption"), 6, one_line=True)
        alt = self._line(image.alt, (*key, "alt"))
        url = self._line(image.url or "", (*key, "url"))
        return self._picture(image.src, alt, caption, url, (*key, "src"), 0)

    def _picture(
        self, src: str, alt: str, caption: Rich | str, url: str, key: Key, line: int
    ) -> PictureView | None:
        publish_it = self._publisher(src, key, line)
        if src.startswith("https://"):
            return PictureView(alt, caption, url, None, None, src, publish_it)
        try:
            original = look(self.loaded.picture(posixpath.dirname(self.places.at(key)[0]), src))
        except ValueError as error:
            self.places.complain(f"the picture {src} {error}", key, line)
            if self.faults is None:
                return None
            return PictureView(alt, caption, url, None, None, "https://example.org/", publish_it)
        shown = original.shown(MAX_WIDTH)
        return PictureView(alt, caption, url, *shown, original, publish_it)

    def _publisher(self, src: str, key: Key, line: int) -> Callable[[Original, int], tuple[str, Picture]]:
        def made(original: Original, width: int) -> tuple[str, Picture]:
            try:
                return self._published(original, width)
            except ValueError as error:
                problem = Problem(f"the picture {src} {error}", *self.places.at(key, line))
                return self._unpublished(original, src, IssueError(problem))

        return made

    def _publish_logo(self, original: Original, width: int) -> tuple[str, Picture]:
        try:
            return self._published(original, width)
        except ValueError as error:
            logo = self.settings.brand.logo or ""
            problem = Problem(f"brand.logo: {logo} {error}", "mailer.toml")
            return self._unpublished(original, logo, ConfigError(problem))

    def _unpublished(self, original: Original, src: str, error: MailerError) -> tuple[str, Picture]:
        """Raises the error; where faults are gathered, a picture of no bytes stands in its place."""
        if self.faults is None:
            raise error from None
        self.faults += error.problems
        return src, Picture(src, b"", *original.shown(MAX_WIDTH))

    def _published(self, original: Original, width: int) -> tuple[str, Picture]:
        picture = publish(original, width)
        # The same bytes may be shown in two sizes; what is published is the file.
        self.pictures.setdefault(picture.name, picture)
        return self.image_base + picture.name, picture

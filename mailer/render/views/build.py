"""Makes views out of an issue: slots become markers, Markdown is read, pictures are found."""

from __future__ import annotations

from mailer.config import Settings
from mailer.errors import Problem
from mailer.issue import model
from mailer.issue.markdown.document import EMPTY
from mailer.issue.pictures.pictures import path_of
from mailer.issue.texts.preheader import filler
from mailer.issue.values.expressions import ExpressionError, fill_slots
from mailer.issue.values.fields import SLOT
from mailer.issue.yaml.tree import Key
from mailer.language_tags import direction_of
from mailer.render.markdown.html import Rich, Source
from mailer.render.markdown.tables import FULL
from mailer.render.pictures.picture_views import PictureViews
from mailer.render.pictures.view import PictureView
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import Places
from mailer.render.views.values import (
    BrandView,
    CallToActionView,
    ColumnView,
    IssueView,
    ItemView,
    RelatedView,
    SectionView,
    SourceView,
)

__all__ = ["Viewer"]

#: By how many CSS px the text of a comment is set in, on both sides together.
_COMMENT = 40


class Viewer:
    """Makes views for one rendering. `album` has the pictures that were asked for.

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
        self.places = places
        self.settings = settings
        self.markers = markers
        self.faults = faults
        self.album = PictureViews(places, settings, image_base, faults)
        self.loaded = places.loaded
        self._number = 0
        self._language = ""
        self._made: list[tuple[str, Key]] = []  # what is wrong with defaults made from other texts

    def issue(self, issue: model.Issue) -> IssueView:
        """The view of an issue, or of a variant of it. Problems are left in `places`."""
        self._language = issue.language
        keys = self.places.keys_of(issue)
        title = self._line(issue.title, ("title",))
        items = tuple(self._item(item, keys[id(item)], 3, issue.language) for item in issue.items)
        sections = tuple(
            SectionView(
                number=number,
                anchor=f"section-{number}",
                title=self._line(section.title, (*keys[id(section)], "title")),
                intro=self._rich(
                    section.intro, (*keys[id(section)], "intro"), 3, language=section.language or ""
                ),
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
            filler=filler(issue.preheader),
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
                body=self._rich(column.body, ("column", "body"), 3, language=column.language or ""),
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
        colours = self.settings.brand.model_dump(exclude={"logo"})
        return BrandView(logo=self.album.logo(), **colours)

    def _item(self, item: model.Item, key: Key, level: int, language: str) -> ItemView:
        self._number += 1
        language = item.language or language
        return ItemView(
            number=self._number,
            anchor=f"item-{self._number}",
            title=self._line(item.title, (*key, "title")),
            body=self._rich(item.body, (*key, "body"), level, language=language),
            comment=self._rich(item.comment, (*key, "comment"), level, inset=_COMMENT, language=language),
            source=None
            if item.source is None
            else SourceView(
                self._line(item.source.name, (*key, "source", "name")),
                self._line(item.source.url or "", (*key, "source", "url")),
            ),
            url=self._line(item.url or "", (*key, "url")),
            image=None if item.image is None else self._image(item.image, (*key, "image")),
            tags=tuple(self._line(tag, (*key, "tags", i)) for i, tag in enumerate(item.tags)),
            language=language,
        )

    def _line(self, text: str, key: Key) -> str:
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

    def _rich(
        self,
        text: str,
        key: Key,
        level: int,
        *,
        anchors: str = "",
        one_line: bool = False,
        inset: int = 0,
        language: str = "",
    ) -> Rich:
        def find(src: str, alt: str, caption: str, line: int) -> PictureView | None:
            path = src if src.startswith("https://") else path_of(src)
            return self.album.picture(path, alt, caption, "", key, line)

        def change(words: str) -> str:
            place = self.places.at(key)
            return self.loaded.placeholders.replace(
                words, lambda paths, default: self.markers.make(paths, default, place)
            )

        document = self.loaded.documents.get(key, EMPTY) if text else EMPTY
        rtl = direction_of(language or self._language) == "rtl"
        source = Source(document, find, level, anchors, change, FULL - inset, rtl=rtl)
        return Rich(source, one_line=one_line)

    def _image(self, image: model.Image, key: Key) -> PictureView | None:
        caption = self._rich(image.caption, (*key, "caption"), 6, one_line=True)
        alt = self._line(image.alt, (*key, "alt"))
        url = self._line(image.url or "", (*key, "url"))
        return self.album.picture(image.src, alt, caption, url, (*key, "src"), 0, image.width)

"""Builds the views of an issue: slots become markers, Markdown becomes text, pictures are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mailer.config import Settings
from mailer.issue import model
from mailer.issue.markdown.document import EMPTY
from mailer.issue.pictures.pictures import unescaped_path
from mailer.issue.texts.preheader import preheader_filler
from mailer.issue.values.expressions import ExpressionError, replace_slots
from mailer.issue.values.fields import SLOT
from mailer.issue.yaml.tree import Key
from mailer.language_tags import direction_of
from mailer.render.faults import Faults
from mailer.render.markdown.html import MarkdownSource, MarkdownText
from mailer.render.markdown.tables import FULL
from mailer.render.pictures.picture_views import PictureViews, WrittenPicture
from mailer.render.pictures.view import PictureView
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions
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

__all__ = ["ViewBuilder"]

#: By how many CSS px the text of a comment is set in, on both sides together.
_COMMENT = 40


class ViewBuilder:
    """Builds the views of one rendering. `album` has the pictures that templates asked for."""

    def __init__(
        self, places: SourcePositions, settings: Settings, markers: Markers, image_base: str, faults: Faults
    ) -> None:
        self.places = places
        self.settings = settings
        self.markers = markers
        self.album = PictureViews(places, settings, image_base, faults)
        self.loaded = places.loaded
        self._number = 0
        self._language = ""
        self._made: list[tuple[str, Key]] = []  # what is wrong with defaults made from other texts

    def issue(self, issue: model.Issue) -> IssueView:
        """Returns the view of an issue, or of a variant of it. Problems are added to `places`."""
        self._language = issue.language
        keys = self.places.keys_of(issue)
        title = self._line(issue.title, ("title",))
        items = tuple(self._item(item, keys[id(item)], 3, issue.language) for item in issue.items)
        sections = tuple(
            self._section(section, number, keys) for number, section in enumerate(issue.sections, 1)
        )
        call = issue.call_to_action
        view = IssueView(
            date=issue.date,
            title=title,
            subject=self._line(issue.subject, ("subject",)),
            preheader=self._line(issue.preheader, ("preheader",)),
            filler=preheader_filler(issue.preheader),
            intro=self._rich(issue.intro, ("intro",), 2),
            items=items,
            sections=sections,
            all_items=(*items, *(item for section in sections for item in section.items)),
            body=self._rich(issue.body, ("body",), 2, anchors="heading"),
            column=None if issue.column is None else self._column(issue.column),
            call_to_action=None if call is None else self._call_to_action(call),
            related=tuple(self._related(each, i) for i, each in enumerate(issue.related)),
            tags=tuple(self._line(tag, ("tags", i)) for i, tag in enumerate(issue.tags)),
            notice=self._rich(issue.notice, ("notice",), 3),
            language=issue.language,
        )
        if not self.places.problems:  # else the errors of their sources are reported already
            for message, key in self._made:
                self.places.add_problem(f"{key[0]}: {message}", key)
        return view

    def brand(self) -> BrandView:
        """Returns the logo and the colours of the workspace. A logo that cannot be used is a ConfigError."""
        colours = self.settings.brand.model_dump(exclude={"logo"})
        return BrandView(logo=self.album.logo(), **colours)

    def _section(self, section: model.Section, number: int, keys: Mapping[int, Key]) -> SectionView:
        key, language = keys[id(section)], section.language or self._language
        return SectionView(
            number=number,
            anchor=f"section-{number}",
            title=self._line(section.title, (*key, "title")),
            intro=self._rich(section.intro, (*key, "intro"), 3, language=section.language or ""),
            items=tuple(self._item(item, keys[id(item)], 4, language) for item in section.items),
            language=language,
        )

    def _item(self, item: model.Item, key: Key, level: int, language: str) -> ItemView:
        self._number += 1
        language = item.language or language
        return ItemView(
            number=self._number,
            anchor=f"item-{self._number}",
            title=self._line(item.title, (*key, "title")),
            body=self._rich(item.body, (*key, "body"), level, language=language),
            comment=self._rich(item.comment, (*key, "comment"), level, inset=_COMMENT, language=language),
            source=None if item.source is None else self._source(item.source, key),
            url=self._line(item.url or "", (*key, "url")),
            image=None if item.image is None else self._image(item.image, (*key, "image")),
            tags=tuple(self._line(tag, (*key, "tags", i)) for i, tag in enumerate(item.tags)),
            language=language,
        )

    def _source(self, source: model.Source, key: Key) -> SourceView:
        return SourceView(
            self._line(source.name, (*key, "source", "name")),
            self._line(source.url or "", (*key, "source", "url")),
        )

    def _image(self, image: model.Image, key: Key) -> PictureView:
        caption = MarkdownText(self._markdown(image.caption, (*key, "caption"), 6), one_line=True)
        alt = self._line(image.alt, (*key, "alt"))
        url = self._line(image.url or "", (*key, "url"))
        return self.album.picture(
            WrittenPicture(image.src, alt, caption, (*key, "src"), url, width=image.width)
        )

    def _column(self, column: model.Column) -> ColumnView:
        return ColumnView(
            title=self._line(column.title, ("column", "title")),
            byline=self._line(column.byline, ("column", "byline")),
            body=self._rich(column.body, ("column", "body"), 3, language=column.language or ""),
            language=column.language or self._language,
        )

    def _call_to_action(self, call: model.CallToAction) -> CallToActionView:
        return CallToActionView(
            text=self._rich(call.text, ("call_to_action", "text"), 3),
            label=self._line(call.label, ("call_to_action", "label")),
            url=self._line(call.url, ("call_to_action", "url")),
        )

    def _related(self, related: model.Related, index: int) -> RelatedView:
        return RelatedView(
            self._line(related.title, ("related", index, "title")),
            self._line(related.url, ("related", index, "url")),
        )

    def _line(self, text: str, key: Key) -> str:
        """Returns the text with markers for its slots, or a harmless text where a slot is wrong."""
        try:
            return replace_slots(
                text, lambda paths, default: self.markers.make(paths, default, self.places.at(key))
            )
        except ExpressionError as error:
            if self.places.is_written(key):
                self.places.add_problem(str(error), key, error.line)
            else:
                self._made.append((str(error), key))
            return SLOT.sub("", text) or "https://example.org/"

    def _rich(
        self, text: str, key: Key, level: int, *, anchors: str = "", inset: int = 0, language: str = ""
    ) -> MarkdownText:
        source = self._markdown(text, key, level, language)
        return MarkdownText(replace(source, anchors=anchors, room=FULL - inset))

    def _markdown(self, text: str, key: Key, level: int, language: str = "") -> MarkdownSource:
        """Returns the parsed text, with the functions that make its pictures and markers."""

        def find(src: str, alt: str, caption: str, line: int) -> PictureView:
            path = src if src.startswith("https://") else unescaped_path(src)
            return self.album.picture(WrittenPicture(path, alt, caption, key, line=line))

        def change(words: str) -> str:
            place = self.places.at(key)
            return self.loaded.placeholders.replace_placeholders(
                words, lambda paths, default: self.markers.make(paths, default, place)
            )

        document = self.loaded.documents.get(key, EMPTY) if text else EMPTY
        rtl = direction_of(language or self._language) == "rtl"
        return MarkdownSource(document, find, level, change=change, rtl=rtl)

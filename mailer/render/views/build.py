"""Builds the views of an issue: the objects that templates read.

In a view, each slot is replaced by a marker. Templates can print Markdown texts and pictures directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from mailer.render.faults import RenderingFaults
from mailer.render.markdown.html import MarkdownSource, MarkdownText
from mailer.render.markdown.tables import FULL
from mailer.render.pictures.picture_views import PictureViews, WrittenPicture
from mailer.render.pictures.view import PictureView
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions
from mailer.render.views.prominence import has_lead, is_compact
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
from mailer.render.views.with_language import TagView

__all__ = ["ViewBuilder"]

#: By how many CSS px the text of a comment is set in, on both sides together.
_COMMENT = 32


class ViewBuilder:
    """Builds the views of one rendering. `album` collects the pictures that the templates use."""

    def __init__(
        self,
        positions: SourcePositions,
        settings: Settings,
        markers: Markers,
        image_base: str,
        faults: RenderingFaults,
    ) -> None:
        self.positions = positions
        self.settings = settings
        self.markers = markers
        self.album = PictureViews(positions, settings, image_base, faults)
        self.loaded = positions.loaded
        self._number = 0
        self._language = self._layout = ""
        self._made: list[tuple[str, Key]] = []  # what is wrong with defaults made from other texts

    def issue_view(self, issue: model.Issue) -> IssueView:
        """Returns the view of the issue, or of a variant of the issue. Adds problems to `positions`."""
        self._language, self._layout = issue.language, self.settings.editions[issue.edition].layout
        keys = self.positions.keys_by_id(issue)
        title = self._text_with_markers(issue.title, ("title",))
        items = tuple(self._item_view(item, keys[id(item)], 3, issue.language) for item in issue.items)
        sections = tuple(
            self._section_view(section, number, keys) for number, section in enumerate(issue.sections, 1)
        )
        call = issue.call_to_action
        view = IssueView(
            date=issue.date,
            title=title,
            has_title=self.loaded.has_own_title,
            subject=self._text_with_markers(issue.subject, ("subject",)),
            preheader=self._text_with_markers(issue.preheader, ("preheader",)),
            filler=preheader_filler(issue.preheader),
            intro=self._markdown_text(issue.intro, ("intro",), 2),
            items=items,
            sections=sections,
            all_items=(*items, *(item for section in sections for item in section.items)),
            body=self._markdown_text(issue.body, ("body",), 2, anchors="heading"),
            column=None if issue.column is None else self._column_view(issue.column),
            call_to_action=None if call is None else self._call_to_action_view(call),
            related=tuple(self._related_view(each, i) for i, each in enumerate(issue.related)),
            tags=self._tag_views(issue.tags, (), issue.language),
            notice=self._markdown_text(issue.notice, ("notice",), 3),
            language=issue.language,
        )
        if not self.positions.problems:  # else the errors of their sources are reported already
            for message, key in self._made:
                self.positions.add_problem(f"{key[0]}: {message}", key)
        return view

    def brand_view(self) -> BrandView:
        """Returns the view of the workspace's logo and colours.

        If the logo cannot be used, a ConfigError is reported to the RenderingFaults of this object.
        """
        colours = self.settings.brand.model_dump(exclude={"logo"})
        return BrandView(logo=self.album.logo_view(), **colours)

    def _section_view(self, section: model.Section, number: int, keys: Mapping[int, Key]) -> SectionView:
        key, language = keys[id(section)], section.language or self._language
        return SectionView(
            number=number,
            anchor=f"section-{number}",
            title=self._text_with_markers(section.title, (*key, "title")),
            intro=self._markdown_text(section.intro, (*key, "intro"), 3, language=section.language or ""),
            items=tuple(
                self._item_view(item, keys[id(item)], 4, language, place)
                for place, item in enumerate(section.items)
            ),
            language=language,
        )

    def _item_view(self, item: model.Item, key: Key, level: int, language: str, place: int = -1) -> ItemView:
        """Returns the view of an item. `place` is its index in its section, or -1 outside sections."""
        self._number += 1
        language = item.language or language
        lead = self._number == 1 and has_lead(self._layout)
        body = self.loaded.documents.get((*key, "body"), EMPTY)
        return ItemView(
            number=self._number,
            anchor=f"item-{self._number}",
            title=self._text_with_markers(item.title, (*key, "title")),
            body=self._markdown_text(item.body, (*key, "body"), level, language=language),
            comment=self._markdown_text(
                item.comment, (*key, "comment"), level, inset=_COMMENT, language=language
            ),
            source=None if item.source is None else self._source_view(item.source, key),
            url=self._text_with_markers(item.url or "", (*key, "url")),
            image=None if item.image is None else self._image_view(item.image, (*key, "image")),
            tags=self._tag_views(item.tags, key, language),
            lead=lead,
            compact=not lead and is_compact(item, body, self._layout, place, self.loaded.placeholders),
            language=language,
        )

    def _tag_views(self, tags: Sequence[str], key: Key, language: str) -> tuple[TagView, ...]:
        """Returns the views of the tags of an item, or of the issue itself if `key` is ()."""
        return tuple(
            TagView.of(self._text_with_markers(tag, (*key, "tags", i)), language)
            for i, tag in enumerate(tags)
        )

    def _source_view(self, source: model.Source, key: Key) -> SourceView:
        return SourceView(
            self._text_with_markers(source.name, (*key, "source", "name")),
            self._text_with_markers(source.url or "", (*key, "source", "url")),
        )

    def _image_view(self, image: model.Image, key: Key) -> PictureView:
        caption = MarkdownText(self._markdown_source(image.caption, (*key, "caption"), 6), one_line=True)
        alt = self._text_with_markers(image.alt, (*key, "alt"))
        url = self._text_with_markers(image.url or "", (*key, "url"))
        return self.album.picture_view(
            WrittenPicture(image.src, alt, caption, (*key, "src"), url, width=image.width)
        )

    def _column_view(self, column: model.Column) -> ColumnView:
        return ColumnView(
            title=self._text_with_markers(column.title, ("column", "title")),
            byline=self._text_with_markers(column.byline, ("column", "byline")),
            body=self._markdown_text(column.body, ("column", "body"), 3, language=column.language or ""),
            language=column.language or self._language,
        )

    def _call_to_action_view(self, call: model.CallToAction) -> CallToActionView:
        return CallToActionView(
            text=self._markdown_text(call.text, ("call_to_action", "text"), 3),
            label=self._text_with_markers(call.label, ("call_to_action", "label")),
            url=self._text_with_markers(call.url, ("call_to_action", "url")),
        )

    def _related_view(self, related: model.Related, index: int) -> RelatedView:
        return RelatedView(
            self._text_with_markers(related.title, ("related", index, "title")),
            self._text_with_markers(related.url, ("related", index, "url")),
        )

    def _text_with_markers(self, text: str, key: Key) -> str:
        """Returns the text with markers for its slots. A faulty slot is reported and left out."""
        try:
            return replace_slots(
                text,
                lambda paths, default: self.markers.make_marker(
                    paths, default, self.positions.position_of(key)
                ),
            )
        except ExpressionError as error:
            if self.positions.is_written(key):
                self.positions.add_problem(str(error), key, error.line)
            else:
                self._made.append((str(error), key))
            return SLOT.sub("", text) or "https://example.org/"

    def _markdown_text(
        self, text: str, key: Key, level: int, *, anchors: str = "", inset: int = 0, language: str = ""
    ) -> MarkdownText:
        source = self._markdown_source(text, key, level, language)
        return MarkdownText(replace(source, anchors=anchors, width=FULL - inset))

    def _markdown_source(self, text: str, key: Key, level: int, language: str = "") -> MarkdownSource:
        """Returns the parsed Markdown text at `key`, with the functions that make its pictures and markers.

        `level` is the level (1 to 6) for the highest heading of the text. `language` is a language tag, or ""
        for the issue's language.
        """

        def find_picture(src: str, alt: str, caption: str, line: int) -> PictureView:
            path = src if src.startswith("https://") else unescaped_path(src)
            return self.album.picture_view(WrittenPicture(path, alt, caption, key, line=line))

        def replace_slots(words: str) -> str:
            place = self.positions.position_of(key)
            return self.loaded.placeholders.replace_placeholders(
                words, lambda paths, default: self.markers.make_marker(paths, default, place)
            )

        document = self.loaded.documents.get(key, EMPTY) if text else EMPTY
        is_rtl = direction_of(language or self._language) == "rtl"
        return MarkdownSource(document, find_picture, level, replace_slots=replace_slots, is_rtl=is_rtl)

"""Builds the texts of views: one-line texts with markers, and Markdown texts that templates can print."""

from __future__ import annotations

from dataclasses import replace

from mailer.issue.markdown.document import EMPTY, Document
from mailer.issue.pictures.pictures import unescaped_path
from mailer.issue.values.expressions import ExpressionError, replace_slots, text_for_everybody
from mailer.issue.values.fields import SLOT
from mailer.issue.yaml.tree import Key
from mailer.language_tags import direction_of
from mailer.render.markdown.html import MarkdownSource, MarkdownText
from mailer.render.markdown.tables import FULL
from mailer.render.pictures.picture_views import PictureViews, WrittenPicture
from mailer.render.pictures.view import PictureView
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions

__all__ = ["TextViews"]


class TextViews:
    """Builds the texts of the views of one issue. Faulty slots are reported to `positions`.

    `language` is the language of the issue. `album` makes the views of pictures in Markdown texts.
    """

    def __init__(
        self, positions: SourcePositions, markers: Markers, album: PictureViews, language: str
    ) -> None:
        self.positions = positions
        self.markers = markers
        self.album = album
        self.language = language
        #: What is wrong with defaults that were made from other texts: (message, key).
        self.faults_of_defaults: list[tuple[str, Key]] = []

    def line(self, text: str | None, key: Key) -> str:
        """Returns the text with markers for its slots. A faulty slot is reported and left out."""
        text = text or ""
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
                self.faults_of_defaults.append((str(error), key))
            return SLOT.sub("", text) or "https://example.org/"

    def plain(self, text: str | None) -> str:
        """Returns the text as a file shows it that is the same for all readers: slots are their defaults."""
        try:
            return text_for_everybody(text or "")
        except ExpressionError:  # is reported with the text itself
            return SLOT.sub("", text or "")

    def markdown(
        self, text: str, key: Key, level: int, *, anchors: str = "", inset: int = 0, language: str = ""
    ) -> MarkdownText:
        """Returns the Markdown text at `key`, or an empty one if `text` is "".

        `level` is the level (1 to 6) for the highest heading of the text, and `anchors` the prefix of the ids
        of headings. The text is set in by `inset` CSS px in all. `language` is a language tag, or "" for the
        issue's language.
        """
        source = self._markdown_source(text, key, level, language)
        return MarkdownText(replace(source, anchors=anchors, width=FULL - inset))

    def caption(self, text: str, key: Key) -> MarkdownText:
        """Returns the caption of a picture, which is written without paragraphs."""
        return MarkdownText(self._markdown_source(text, key, 6), one_line=True)

    def document(self, key: Key) -> Document:
        """Returns the parsed Markdown text at `key`, or an empty document if there is none."""
        return self.positions.loaded.documents.get(key, EMPTY)

    def _markdown_source(self, text: str, key: Key, level: int, language: str = "") -> MarkdownSource:
        """Returns the parsed Markdown text at `key`, with functions for its pictures and markers."""

        def find_picture(src: str, alt: str, caption: str, line: int) -> PictureView:
            path = src if src.startswith("https://") else unescaped_path(src)
            return self.album.picture_view(WrittenPicture(path, alt, caption, key, line=line))

        def replace_placeholders(words: str) -> str:
            place = self.positions.position_of(key)
            return self.positions.loaded.placeholders.replace_placeholders(
                words, lambda paths, default: self.markers.make_marker(paths, default, place)
            )

        is_rtl = direction_of(language or self.language) == "rtl"
        document = self.document(key) if text else EMPTY
        return MarkdownSource(
            document, find_picture, level, replace_slots=replace_placeholders, is_rtl=is_rtl
        )

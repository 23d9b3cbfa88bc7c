"""Defines the values that a template sees of an issue and of the workspace: frozen, and safe to print.

docs/themes.md describes every name here for designers. A view is made once for a variant and serves its mail,
its text and its web page. `called` is its name in error messages.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from mailer.language_tags import direction_of
from mailer.render.markdown.html import MarkdownText
from mailer.render.pictures.view import PictureView

__all__ = [
    "CallToActionView",
    "ColumnView",
    "EditionView",
    "IssueView",
    "ItemView",
    "LinksView",
    "BrandView",
    "RelatedView",
    "SectionView",
    "SourceView",
]


class _Written:
    """Represents a part of an issue that is in one language."""

    language: str

    @property
    def dir(self) -> str:
        """Returns the direction of its language: `ltr` or `rtl`."""
        return direction_of(self.language)


@dataclass(frozen=True)
class SourceView:
    """Describes the source of a story."""

    called: ClassVar[str] = "a source"

    name: str
    url: str


@dataclass(frozen=True)
class ItemView(_Written):
    """Holds one item: a headline with its text."""

    called: ClassVar[str] = "an item"

    number: int
    anchor: str
    title: str
    body: MarkdownText
    comment: MarkdownText
    source: SourceView | None
    url: str
    image: PictureView | None
    tags: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class SectionView(_Written):
    """Holds a group of items."""

    called: ClassVar[str] = "a section"

    number: int
    anchor: str
    title: str
    intro: MarkdownText
    items: tuple[ItemView, ...]
    language: str


@dataclass(frozen=True)
class ColumnView(_Written):
    """Holds the editor's column."""

    called: ClassVar[str] = "the column"

    title: str
    byline: str
    body: MarkdownText
    language: str


@dataclass(frozen=True)
class CallToActionView:
    """Holds a button and the text above it."""

    called: ClassVar[str] = "the call to action"

    text: MarkdownText
    label: str
    url: str


@dataclass(frozen=True)
class RelatedView:
    """Holds a link to something else worth reading."""

    called: ClassVar[str] = "a related link"

    title: str
    url: str


@dataclass(frozen=True)
class IssueView(_Written):
    """Holds an issue as one variant shows it."""

    called: ClassVar[str] = "issue"

    date: dt.date
    title: str
    subject: str
    preheader: str
    filler: str
    intro: MarkdownText
    items: tuple[ItemView, ...]
    sections: tuple[SectionView, ...]
    all_items: tuple[ItemView, ...]
    body: MarkdownText
    column: ColumnView | None
    call_to_action: CallToActionView | None
    related: tuple[RelatedView, ...]
    tags: tuple[str, ...]
    notice: MarkdownText
    language: str

    @property
    def parts(self) -> tuple[ItemView | SectionView | ColumnView, ...]:
        """Returns all parts that may have a language of their own."""
        return (*self.sections, *self.all_items, *((self.column,) if self.column else ()))


@dataclass(frozen=True)
class EditionView:
    """Describes the edition that the issue belongs to."""

    called: ClassVar[str] = "edition"

    key: str
    name: str
    description: str
    layout: str


@dataclass(frozen=True)
class BrandView:
    """Holds the logo and the colours of the workspace."""

    called: ClassVar[str] = "brand"

    logo: PictureView | None
    logo_width: int
    accent: str
    accent_dark: str
    ink: str
    paper: str
    background: str


@dataclass(frozen=True)
class LinksView:
    """Holds the links that are the same for every reader; those of one reader are slots.

    `archive` is that of the public page, '' where the edition has none.
    """

    called: ClassVar[str] = "links"

    archive: str

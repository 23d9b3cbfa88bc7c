"""Defines the immutable values by which a template sees an issue and the workspace.

docs/themes.md describes each name in this module for designers. A view is built once for a variant, and the
templates of its mail, text and web page use it. `called` is the name of a view in error messages.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from mailer.render.markdown.html import MarkdownText
from mailer.render.pictures.view import PictureView
from mailer.render.views.with_language import TagView, ViewWithLanguage

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


@dataclass(frozen=True)
class SourceView:
    """Holds the source of an item: its name and URL."""

    called: ClassVar[str] = "a source"

    name: str
    url: str


@dataclass(frozen=True)
class ItemView(ViewWithLanguage):
    """Holds one item: a headline with its text.

    `lead` is True for the first item of an issue whose layout has a lead. `compact` is True for an item that
    is shown as a compact line. Not both are True.
    """

    called: ClassVar[str] = "an item"

    number: int
    anchor: str
    title: str
    body: MarkdownText
    comment: MarkdownText
    source: SourceView | None
    url: str
    image: PictureView | None
    tags: tuple[TagView, ...]
    lead: bool
    compact: bool
    language: str


@dataclass(frozen=True)
class SectionView(ViewWithLanguage):
    """Holds a section of an issue: a title with a group of items."""

    called: ClassVar[str] = "a section"

    number: int
    anchor: str
    title: str
    intro: MarkdownText
    items: tuple[ItemView, ...]
    language: str


@dataclass(frozen=True)
class ColumnView(ViewWithLanguage):
    """Holds the editor's column."""

    called: ClassVar[str] = "the column"

    title: str
    byline: str
    body: MarkdownText
    language: str


@dataclass(frozen=True)
class CallToActionView:
    """Holds the call to action: a button and the text above the button."""

    called: ClassVar[str] = "the call to action"

    text: MarkdownText
    label: str
    url: str


@dataclass(frozen=True)
class RelatedView:
    """Holds a link to further reading."""

    called: ClassVar[str] = "a related link"

    title: str
    url: str


@dataclass(frozen=True)
class IssueView(ViewWithLanguage):
    """Holds an issue as one variant shows it.

    `has_title` is False if the title is made from the edition's title pattern.
    """

    called: ClassVar[str] = "issue"

    date: dt.date
    title: str
    has_title: bool
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
    tags: tuple[TagView, ...]
    notice: MarkdownText
    language: str

    @property
    def parts(self) -> tuple[ItemView | SectionView | ColumnView, ...]:
        """Returns the sections, items and column of the issue, each of which may have its own language."""
        return (*self.sections, *self.all_items, *((self.column,) if self.column else ()))

    @property
    def all_tags(self) -> tuple[TagView, ...]:
        """Returns the tags of the issue, then those of its items in the order of the issue, each once."""
        tags = (*self.tags, *(tag for item in self.all_items for tag in item.tags))
        return tuple(dict.fromkeys(tags))


@dataclass(frozen=True)
class EditionView:
    """Describes the edition that the issue belongs to.

    `name` and `description` are in the language of the issue. `rhythm` is 'daily', 'weekly', 'monthly' or ''.
    """

    called: ClassVar[str] = "edition"

    key: str
    name: str
    description: str
    layout: str
    rhythm: str


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
    """Holds the links that are the same for every reader. Personal links are slots instead.

    `archive` is the URL of the public page, or '' if the edition has no public pages.
    """

    called: ClassVar[str] = "links"

    archive: str

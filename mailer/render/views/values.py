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
from mailer.render.views.item_values import (
    EventView,
    ItemView,
    JobView,
    LinkView,
    QuoteView,
    SourceView,
)
from mailer.render.views.with_language import TagView, ViewWithLanguage

__all__ = [
    "CallToActionView",
    "ColumnView",
    "EditionView",
    "EventView",
    "IssueView",
    "ItemView",
    "JobView",
    "LinkView",
    "LinksView",
    "BrandView",
    "NoticeView",
    "QuoteView",
    "RelatedGroupView",
    "RelatedView",
    "SectionView",
    "SourceView",
]


@dataclass(frozen=True)
class SectionView(ViewWithLanguage):
    """Holds a section of an issue: a title with a text, a group of items, or both.

    `listed` is True if its items are entries of a compact list.
    """

    called: ClassVar[str] = "a section"

    number: int
    anchor: str
    title: str
    intro: MarkdownText
    image: PictureView | None
    body: MarkdownText
    items: tuple[ItemView, ...]
    listed: bool
    language: str

    @property
    def count(self) -> int:
        """Returns the number of the items that are counted."""
        return sum(item.is_story for item in self.items)

    @property
    def tells_stories(self) -> bool:
        """Returns whether the word "stories" fits its items: not for a list, nor events and jobs alone."""
        return not self.listed and any(item.is_story and not (item.event or item.job) for item in self.items)


@dataclass(frozen=True)
class ColumnView(ViewWithLanguage):
    """Holds the editor's column. `label` is what stands above its title, or "" for the words of the theme."""

    called: ClassVar[str] = "the column"

    title: str
    label: str
    byline: str
    body: MarkdownText
    language: str


@dataclass(frozen=True)
class CallToActionView:
    """Holds the call to action: a button, the text above it, and the condition and links below it.

    Without a `url` there is no button.
    """

    called: ClassVar[str] = "the call to action"

    text: MarkdownText
    label: str
    url: str
    condition: MarkdownText
    links: tuple[LinkView, ...]


@dataclass(frozen=True)
class RelatedView:
    """Holds an entry of further reading. `url`, `kind` and `date` are "" where there is none."""

    called: ClassVar[str] = "a related link"

    title: str
    url: str
    kind: str
    date: str


@dataclass(frozen=True)
class RelatedGroupView:
    """Holds entries of further reading under the heading `title`, or "" for the words of the theme."""

    called: ClassVar[str] = "a group of related links"

    title: str
    url: str
    items: tuple[RelatedView, ...]


@dataclass(frozen=True)
class NoticeView:
    """Holds a piece of small print. `place` is `before`, `after` or `footer`."""

    called: ClassVar[str] = "a notice"

    text: MarkdownText
    place: str


@dataclass(frozen=True)
class IssueView(ViewWithLanguage):
    """Holds an issue as one variant shows it.

    `has_title` is False if the title is made from the edition's title pattern. `contents` is True or False if
    the editor decided whether the list of contents is shown, else None. `numbering` is `through`,
    `by-section` or `none`, or "" for that of the layout. `listed` is True if the items outside sections are
    entries of a compact list.
    """

    called: ClassVar[str] = "issue"

    date: dt.date
    number: str
    kicker: str
    title: str
    has_title: bool
    subject: str
    preheader: str
    filler: str
    standfirst: MarkdownText
    byline: str
    intro: MarkdownText
    image: PictureView | None
    contents: bool | None
    numbering: str
    items: tuple[ItemView, ...]
    listed: bool
    sections: tuple[SectionView, ...]
    all_items: tuple[ItemView, ...]
    body: MarkdownText
    column: ColumnView | None
    call_to_action: CallToActionView | None
    related_groups: tuple[RelatedGroupView, ...]
    tags: tuple[TagView, ...]
    notices: tuple[NoticeView, ...]
    notice: MarkdownText
    language: str

    @property
    def related(self) -> tuple[RelatedView, ...]:
        """Returns all entries of further reading, without their groups."""
        return tuple(entry for group in self.related_groups for entry in group.items)

    @property
    def stories(self) -> tuple[ItemView, ...]:
        """Returns the items that are counted, in reading order."""
        return tuple(item for item in self.all_items if item.is_story)

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

"""What a template sees of an issue and of the workspace: plain, frozen, and already safe.

docs/themes.md describes every name here for designers. A view is made once for a variant and serves its
mail, its text and its web page. `called` is what error messages call it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from mailer.language_tags import direction_of
from mailer.render.markdown.html import Rich
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
    """What is written in one language."""

    language: str

    @property
    def dir(self) -> str:
        """Which way its language is written: `ltr` or `rtl`."""
        return direction_of(self.language)


@dataclass(frozen=True)
class SourceView:
    """Where a story comes from."""

    called: ClassVar[str] = "a source"

    name: str
    url: str


@dataclass(frozen=True)
class ItemView(_Written):
    """One headline."""

    called: ClassVar[str] = "an item"

    number: int
    anchor: str
    title: str
    body: Rich
    comment: Rich
    source: SourceView | None
    url: str
    image: PictureView | None
    tags: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class SectionView(_Written):
    """A group of items."""

    called: ClassVar[str] = "a section"

    number: int
    anchor: str
    title: str
    intro: Rich
    items: tuple[ItemView, ...]
    language: str


@dataclass(frozen=True)
class ColumnView(_Written):
    """The editor's column."""

    called: ClassVar[str] = "the column"

    title: str
    byline: str
    body: Rich
    language: str


@dataclass(frozen=True)
class CallToActionView:
    """A button."""

    called: ClassVar[str] = "the call to action"

    text: Rich
    label: str
    url: str


@dataclass(frozen=True)
class RelatedView:
    """A link to something else."""

    called: ClassVar[str] = "a related link"

    title: str
    url: str


@dataclass(frozen=True)
class IssueView(_Written):
    """An issue, as one variant shows it."""

    called: ClassVar[str] = "issue"

    date: dt.date
    title: str
    subject: str
    preheader: str
    filler: str
    intro: Rich
    items: tuple[ItemView, ...]
    sections: tuple[SectionView, ...]
    all_items: tuple[ItemView, ...]
    body: Rich
    column: ColumnView | None
    call_to_action: CallToActionView | None
    related: tuple[RelatedView, ...]
    tags: tuple[str, ...]
    notice: Rich
    language: str

    @property
    def parts(self) -> tuple[ItemView | SectionView | ColumnView, ...]:
        """All that may be in a language of its own."""
        return (*self.sections, *self.all_items, *((self.column,) if self.column else ()))


@dataclass(frozen=True)
class EditionView:
    """The edition that the issue belongs to."""

    called: ClassVar[str] = "edition"

    key: str
    name: str
    description: str
    layout: str


@dataclass(frozen=True)
class BrandView:
    """How the workspace looks."""

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
    """Addresses that are the same for everybody. Those of one person are slots.

    `archive` is that of the public page, '' where the edition has none.
    """

    called: ClassVar[str] = "links"

    archive: str

"""Defines the immutable values by which a template sees an item and its parts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from mailer.render.markdown.html import MarkdownText
from mailer.render.pictures.view import PictureView
from mailer.render.views.with_language import TagView, ViewWithLanguage

__all__ = ["EventView", "ItemView", "JobView", "LinkView", "QuoteView", "SourceView"]


@dataclass(frozen=True)
class SourceView:
    """Holds the source of an item: its name and URL."""

    called: ClassVar[str] = "a source"

    name: str
    url: str


@dataclass(frozen=True)
class LinkView:
    """Holds a further link of an item or of the call to action: its text and URL."""

    called: ClassVar[str] = "a link"

    text: str
    url: str


@dataclass(frozen=True)
class EventView:
    """Holds when and where an event is.

    `starts` and `ends` are dates or datetimes. The texts are in the words of the issue's language: `month`,
    `day` and `weekday` are the short names of the first day, `hours` the hours or the interval, and `whole`
    everything.
    """

    called: ClassVar[str] = "an event"

    starts: dt.date
    ends: dt.date | None
    month: str
    day: str
    weekday: str
    hours: str
    whole: str
    venue: str
    address: str
    url: str
    _publish: Callable[[], str] = field(repr=False, compare=False)

    @property
    def calendar(self) -> str:
        """Returns the URL of the event's calendar file. The file is published with this call."""
        return self._publish()


@dataclass(frozen=True)
class JobView:
    """Holds the facts of a vacancy. `url` is where to apply."""

    called: ClassVar[str] = "a job"

    organisation: str
    place: str
    salary: str
    url: str


@dataclass(frozen=True)
class QuoteView:
    """Holds words that somebody said or wrote, and the name of the person.

    `is_long` is True for a quote of more than 40 words, or of several blocks, which is set in text size.
    """

    called: ClassVar[str] = "a quote"

    text: MarkdownText
    by: str
    url: str
    is_long: bool


@dataclass(frozen=True)
class ItemView(ViewWithLanguage):
    """Holds one item: a headline with its text.

    `number` is the number that is shown where items are numbered; 0 for an item that has none.
    At most one of `lead`, `compact` and `entry` is True: the largest item of an issue, an item that is
    shown as a compact line, and an entry of a list. `label` is the text of the link to `url`, or of the
    event or job; "" for the words of the theme.
    """

    called: ClassVar[str] = "an item"

    number: int
    anchor: str
    title: str
    byline: str
    body: MarkdownText
    quote: QuoteView | None
    comment: MarkdownText
    source: SourceView | None
    url: str
    label: str
    links: tuple[LinkView, ...]
    images: tuple[PictureView, ...]
    event: EventView | None
    job: JobView | None
    tags: tuple[TagView, ...]
    sponsored: bool
    lead: bool
    compact: bool
    entry: bool
    language: str

    @cached_property
    def is_bare(self) -> bool:
        """Returns whether the item has nothing but a headline and the URL that it leads to."""
        texts = (self.byline, self.body, self.comment, self.label, self.quote)
        return not any((*texts, self.source, self.links, self.images, self.event, self.job))

    @property
    def image(self) -> PictureView | None:
        """Returns the first picture of the item, or None."""
        return self.images[0] if self.images else None

    @property
    def is_story(self) -> bool:
        """Returns whether the item is counted and stands in contents: neither an advertisement nor a quote
        without a headline."""
        return bool(self.title) and not self.sponsored

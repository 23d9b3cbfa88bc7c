"""Defines the parts that items, sections and issues are made of: pictures, links, events, quotes …"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator

from mailer.config.fields import Language
from mailer.issue.values.choices import ImagePlace, Moment, NoticePlace, is_before
from mailer.issue.values.fields import Article, Body, Line, Name, PictureSource, Pixels, Url

__all__ = [
    "CallToAction",
    "Column",
    "Event",
    "FrozenModel",
    "Image",
    "ImageList",
    "Job",
    "Link",
    "Notice",
    "Quote",
    "QuoteOrText",
    "Related",
    "RelatedLink",
    "Source",
    "SourceOrName",
]


class FrozenModel(BaseModel):
    """Is the base of all parts of an issue: immutable, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Source(FrozenModel):
    """The source of a story: its name, and the URL of the original."""

    name: Name
    url: Url | None = None


def _source_from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


SourceOrName = Annotated[Source, BeforeValidator(_source_from_name, json_schema_input_type=Name | Source)]


class Image(FrozenModel):
    """A picture. `src` is a path relative to the issue's file, or an https URL.

    `width` is the maximum width in CSS px. A picture is never shown wider than its own pixels or its column.
    `place` is where a picture of an item stands: above the headline, below it, or after the text. `credit`
    names the photographer or the agency.
    """

    src: PictureSource
    alt: Name
    caption: Body = ""
    credit: Line = ""
    url: Url | None = None
    width: Pixels | None = None
    place: ImagePlace = "above"


def _list_from_one(value: Any) -> Any:
    return [value] if isinstance(value, dict | Image) else value


#: One picture or a list of them.
ImageList = Annotated[
    tuple[Image, ...], BeforeValidator(_list_from_one, json_schema_input_type=Image | tuple[Image, ...])
]


class Link(FrozenModel):
    """A further link of an item, such as its discussion or its paper."""

    text: Name
    url: Url


class Event(FrozenModel):
    """The date and place of an event. A time without an offset is in the publication's time zone.

    `ends` without an offset has that of `starts`.
    """

    starts: Moment
    ends: Moment | None = None
    venue: Line = ""
    address: Line = ""
    url: Url | None = None

    @field_validator("ends", mode="after")
    @classmethod
    def _fits_the_start(cls, ends: Moment | None, info: ValidationInfo) -> Moment | None:
        starts = info.data.get("starts")
        if ends is None or starts is None:
            return ends
        if isinstance(ends, dt.datetime) and isinstance(starts, dt.datetime):
            if ends.tzinfo is not None and starts.tzinfo is None:
                raise ValueError("has an offset, and starts has none; add one to starts, or remove this one")
            ends = ends if ends.tzinfo else ends.replace(tzinfo=starts.tzinfo)
        if is_before(ends, starts):
            raise ValueError("an event must not end before it starts; correct one of the two")
        if isinstance(ends, dt.datetime) and not isinstance(starts, dt.datetime):
            raise ValueError("has a time, and starts has none; add one to starts, or remove this one")
        return ends


class Job(FrozenModel):
    """The facts of a vacancy. `url` is where to apply."""

    organisation: Line = ""
    place: Line = ""
    salary: Line = ""
    url: Url | None = None


class Quote(FrozenModel):
    """Words that somebody said or wrote: `text` in Markdown, and `by`, the name and office of the person."""

    text: Article
    by: Line = ""
    url: Url | None = None


def _quote_from_text(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


QuoteOrText = Annotated[Quote, BeforeValidator(_quote_from_text, json_schema_input_type=Article | Quote)]


class Column(FrozenModel):
    """The editor's column. A column without a `language` has that of the issue.

    `label` stands above the title, instead of the words of the theme.
    """

    title: Line = ""
    label: Line = ""
    byline: Line = ""
    body: Article
    language: Language = ""


class CallToAction(FrozenModel):
    """A button with a text above it.

    `condition` tells for whom it is, below the button. `links` are further links, such as a privacy policy.
    Without a `url` there is no button, and the label is text.
    """

    text: Body = ""
    label: Line = ""
    url: Url | None = None
    condition: Body = ""
    links: tuple[Link, ...] = ()


class RelatedLink(FrozenModel):
    """Something else that is worth reading, with or without a URL. `kind` is a word such as `PDF`."""

    title: Name
    url: Url | None = None
    kind: Line = ""
    date: Line = ""


class Related(RelatedLink):
    """An entry of `related`: a link, or a group of links under the heading `title`."""

    items: tuple[RelatedLink, ...] = ()


class Notice(FrozenModel):
    """Small print at a place of its own: before the body, after it, or in the footer."""

    text: Article
    place: NoticePlace = "after"

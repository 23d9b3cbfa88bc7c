"""Defines the model of an issue: a frozen value without file positions and without layout.

Texts are kept as written: Markdown is not parsed here, and a slot such as `{{ subscriber.name or "reader" }}`
stays a slot. `load_issue` fills in the language, title, subject and preheader that are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mailer.config.fields import Language
from mailer.display_text import nearest_word
from mailer.issue.parts import (
    CallToAction,
    Column,
    Event,
    FrozenModel,
    Image,
    ImageList,
    Job,
    Link,
    Notice,
    QuoteOrText,
    Related,
    SourceOrName,
)
from mailer.issue.values.choices import ListStyle, Numbering, Switch
from mailer.issue.values.fields import Body, Date, Line, Name, Tag, Url

__all__ = [
    "MAX_ONLY",
    "MISSING_TITLE",
    "Issue",
    "Item",
    "Section",
    "issue_for_variant",
    "reader_conditions",
    "keys_and_reader_conditions",
]

#: The most different `only` expressions of an issue: each doubles the number of possible variants.
MAX_ONLY = 16
#: A title of an advertisement, as desks write it.
_ADVERTISEMENT = re.compile(
    r"\s*(?:(?:sponsor|sponsored(?: by| post| content)?|advertisement|advert|anzeige|publicité|publicidad"
    r"|广告|廣告|赞助|贊助|推广|推廣)\s*[:：]|[\[【(（](?:ad|sponsor|sponsored|广告|廣告|赞助|贊助|推广|推廣)[\]】)）])",
    re.IGNORECASE,
)
#: The type of the error about an item that has neither a title nor a quote.
MISSING_TITLE = "missing_title"


def _checked_edition(value: str, info: ValidationInfo) -> str:
    known: Iterable[str] = (info.context or {}).get("editions", (value,))
    if value in known:
        return value
    best = nearest_word(value, known)
    advice = f'did you mean "{best}"?' if best else f"mailer.toml has {', '.join(known)}"
    raise ValueError(f'"{value}" is not an edition of mailer.toml; {advice}')


def _checked_title(value: str, info: ValidationInfo) -> str:
    if not value and info.data.get("quote", ...) is None:
        raise PydanticCustomError(MISSING_TITLE, "title must not be empty")
    return value


class Item(FrozenModel):
    """A headline with its texts, links and pictures. An item without a `language` has that of its section.

    `title` may be left out only beside a `quote`. An item that is `sponsored` is an advertisement. `lead`
    makes an item the largest of the issue. `label` is the text of the link to the URL of the event or of the
    job, otherwise to `url`.
    """

    quote: QuoteOrText | None = None
    title: Annotated[Line, AfterValidator(_checked_title)] = Field("", validate_default=True)
    byline: Line = ""
    body: Body = ""
    source: SourceOrName | None = None
    comment: Body = ""
    url: Url | None = None
    label: Line = ""
    links: tuple[Link, ...] = ()
    image: ImageList = ()
    event: Event | None = None
    job: Job | None = None
    sponsored: Switch | None = None
    lead: Switch = False
    tags: tuple[Tag, ...] = ()
    language: Language = ""
    only: Name | None = None

    @field_validator("lead", mode="after")
    @classmethod
    def _is_no_advertisement(cls, lead: bool, info: ValidationInfo) -> bool:
        if lead and info.data.get("sponsored"):
            raise ValueError("an item that is sponsored cannot be the lead; remove one of the two")
        return lead

    @field_validator("event", "job", mode="after")
    @classmethod
    def _has_title(cls, value: Event | Job | None, info: ValidationInfo) -> Event | Job | None:
        if value is not None and info.data.get("title") == "":
            raise ValueError("needs a title, also beside a quote; add title: to this item")
        return value

    @property
    def is_story(self) -> bool:
        """Returns whether the item is counted, numbered and told in contents, subject and preheader.

        An advertisement and a quote without a headline are not.
        """
        return bool(self.title) and not self.is_advertisement

    @property
    def is_advertisement(self) -> bool:
        """Returns `sponsored` where the editor wrote it, else whether the title says so ("Sponsor: …")."""
        return bool(_ADVERTISEMENT.match(self.title)) if self.sponsored is None else self.sponsored


class Section(FrozenModel):
    """A group of items under a heading, or a text under a heading, or both.

    A section without a `language` has that of the issue. With the style `list` its items are set as a compact
    list.
    """

    title: Name
    intro: Body = ""
    image: Image | None = None
    body: Body = ""
    style: ListStyle | None = None
    items: tuple[Item, ...] = ()
    language: Language = ""
    only: Name | None = None


class Issue(FrozenModel):
    """The content of an edition on one date.

    `style` is that of the items outside sections. `contents` shows or hides the list of what is in the issue;
    otherwise the layout decides.
    """

    edition: Annotated[Name, AfterValidator(_checked_edition)]
    date: Date
    number: Line = ""
    language: Language = ""
    kicker: Line = ""
    title: Line = ""
    subject: Line = ""
    preheader: Line = ""
    standfirst: Body = ""
    byline: Line = ""
    intro: Body = ""
    image: Image | None = None
    contents: Switch | None = None
    numbering: Numbering | None = None
    style: ListStyle | None = None
    items: tuple[Item, ...] = ()
    sections: tuple[Section, ...] = ()
    body: Body = ""
    column: Column | None = None
    call_to_action: CallToAction | None = None
    related: tuple[Related, ...] = ()
    tags: tuple[Tag, ...] = ()
    notices: tuple[Notice, ...] = ()
    notice: Body = ""

    @property
    def all_items(self) -> tuple[Item, ...]:
        """Returns the items outside sections, then those of the sections, in reading order."""
        return (*self.items, *(item for section in self.sections for item in section.items))


def reader_conditions(issue: Issue) -> tuple[str, ...]:
    """Returns the different conditions on readers (`only`) in an issue, in reading order.

    A valid issue has at most MAX_ONLY of them.
    """
    return tuple(dict.fromkeys(only for _, only in keys_and_reader_conditions(issue)))


def keys_and_reader_conditions(issue: Issue) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields the keys and the text of each condition on readers (`only`), in reading order."""
    for i, item in enumerate(issue.items):
        if item.only:
            yield ("items", i, "only"), item.only
    for i, section in enumerate(issue.sections):
        if section.only:
            yield ("sections", i, "only"), section.only
        for j, item in enumerate(section.items):
            if item.only:
                yield ("sections", i, "items", j, "only"), item.only


def issue_for_variant(issue: Issue, variant: int) -> Issue:
    """Returns the issue as the readers of a variant see it.

    Bit i of `variant` is set if these readers meet condition i of `reader_conditions`. Items and sections
    whose condition these readers do not meet are left out, and so are sections that become empty.
    """
    hidden = {only for bit, only in enumerate(reader_conditions(issue)) if not variant >> bit & 1}
    if not hidden:
        return issue

    def visible_items(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(item for item in items if item.only not in hidden)

    sections = tuple(
        section.model_copy(update={"items": visible_items(section.items)})
        for section in issue.sections
        if section.only not in hidden
    )
    return issue.model_copy(
        update={
            "items": visible_items(issue.items),
            "sections": tuple(
                each for each in sections if each.items or each.intro or each.body or each.image
            ),
        }
    )

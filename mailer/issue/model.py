"""Defines the model of an issue: a frozen value, without its places in files and without its layout.

Texts are kept as written: Markdown is not read here, and a slot such as `{{ subscriber.name or "reader" }}`
stays a slot. After `load_issue` nothing that has a default is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from mailer.config.fields import Language
from mailer.display_text import nearest_word
from mailer.issue.values.fields import Article, Body, Date, Line, Name, PictureSource, Pixels, Tag, Url

__all__ = [
    "MAX_ONLY",
    "CallToAction",
    "Column",
    "Image",
    "Issue",
    "Item",
    "Related",
    "Section",
    "Source",
    "for_variant",
    "only_expressions",
    "only_places",
]

#: The most different `only` expressions of an issue: each doubles the number of possible variants.
MAX_ONLY = 16


def _source(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _edition(value: str, info: ValidationInfo) -> str:
    known: Iterable[str] = (info.context or {}).get("editions", (value,))
    if value in known:
        return value
    best = nearest_word(value, known)
    advice = f'did you mean "{best}"?' if best else f"mailer.toml has {', '.join(known)}"
    raise ValueError(f'"{value}" is not an edition of mailer.toml; {advice}')


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Source(_Frozen):
    """Where a story comes from."""

    name: Name
    url: Url | None = None


class Image(_Frozen):
    """A picture. `src` is a path relative to the issue's file, or an https address.

    `width` is the most CSS px that it is shown in; it has at most its own pixels, and those of its column.
    """

    src: PictureSource
    alt: Name
    caption: Body = ""
    url: Url | None = None
    width: Pixels | None = None


class Item(_Frozen):
    """One headline with what belongs to it. `language` is that of its section where it has none."""

    title: Name
    body: Body = ""
    source: Annotated[Source | None, BeforeValidator(_source, json_schema_input_type=Name | Source)] = None
    comment: Body = ""
    url: Url | None = None
    image: Image | None = None
    tags: tuple[Tag, ...] = ()
    language: Language = ""
    only: Name | None = None


class Section(_Frozen):
    """A group of items under a heading. `language` is the issue's where it has none."""

    title: Name
    intro: Body = ""
    items: tuple[Item, ...] = ()
    language: Language = ""
    only: Name | None = None


class Column(_Frozen):
    """The editor's column. `language` is the issue's where it has none."""

    title: Name
    byline: Line = ""
    body: Article
    language: Language = ""


class CallToAction(_Frozen):
    """A button, and a text above it."""

    text: Body = ""
    label: Name
    url: Url


class Related(_Frozen):
    """A link to something else worth reading."""

    title: Name
    url: Url


class Issue(_Frozen):
    """One edition's content."""

    edition: Annotated[Name, AfterValidator(_edition)]
    date: Date
    language: Language = ""
    title: Line = ""
    subject: Line = ""
    preheader: Line = ""
    intro: Body = ""
    items: tuple[Item, ...] = ()
    sections: tuple[Section, ...] = ()
    body: Body = ""
    column: Column | None = None
    call_to_action: CallToAction | None = None
    related: tuple[Related, ...] = ()
    tags: tuple[Tag, ...] = ()
    notice: Body = ""


def only_expressions(issue: Issue) -> tuple[str, ...]:
    """Returns the different `only` expressions in reading order. There are at most MAX_ONLY."""
    return tuple(dict.fromkeys(only for _, only in only_places(issue)))


def only_places(issue: Issue) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Returns the key and the expression of each `only`, in reading order."""
    for i, item in enumerate(issue.items):
        if item.only:
            yield ("items", i, "only"), item.only
    for i, section in enumerate(issue.sections):
        if section.only:
            yield ("sections", i, "only"), section.only
        for j, item in enumerate(section.items):
            if item.only:
                yield ("sections", i, "items", j, "only"), item.only


def for_variant(issue: Issue, variant: int) -> Issue:
    """Returns the issue as a variant shows it.

    Bit i of `variant` is set where the i-th of `only_expressions` holds. An item or section whose bit is
    clear is left out, and so is a section that has nothing left.
    """
    hidden = {only for bit, only in enumerate(only_expressions(issue)) if not variant >> bit & 1}
    if not hidden:
        return issue

    def shown(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(item for item in items if item.only not in hidden)

    sections = tuple(
        section.model_copy(update={"items": shown(section.items)})
        for section in issue.sections
        if section.only not in hidden
    )
    return issue.model_copy(
        update={
            "items": shown(issue.items),
            "sections": tuple(section for section in sections if section.items or section.intro),
        }
    )

"""Defines the model of an issue: a frozen value without file positions and without layout.

Texts are kept as written: Markdown is not parsed here, and a slot such as `{{ subscriber.name or "reader" }}`
stays a slot. `load_issue` fills in the language, title, subject and preheader that are left out.
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
    "issue_for_variant",
    "reader_conditions",
    "keys_and_reader_conditions",
]

#: The most different `only` expressions of an issue: each doubles the number of possible variants.
MAX_ONLY = 16


def _source_from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _checked_edition(value: str, info: ValidationInfo) -> str:
    known: Iterable[str] = (info.context or {}).get("editions", (value,))
    if value in known:
        return value
    best = nearest_word(value, known)
    advice = f'did you mean "{best}"?' if best else f"mailer.toml has {', '.join(known)}"
    raise ValueError(f'"{value}" is not an edition of mailer.toml; {advice}')


class _FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Source(_FrozenModel):
    """The source of a story: its name, and the URL of the original."""

    name: Name
    url: Url | None = None


class Image(_FrozenModel):
    """A picture. `src` is a path relative to the issue's file, or an https URL.

    `width` is the maximum width in CSS px. A picture is never shown wider than its own pixels or its column.
    """

    src: PictureSource
    alt: Name
    caption: Body = ""
    url: Url | None = None
    width: Pixels | None = None


class Item(_FrozenModel):
    """A headline with its texts, links and picture. An item without a `language` has that of its section."""

    title: Name
    body: Body = ""
    source: Annotated[
        Source | None, BeforeValidator(_source_from_name, json_schema_input_type=Name | Source)
    ] = None
    comment: Body = ""
    url: Url | None = None
    image: Image | None = None
    tags: tuple[Tag, ...] = ()
    language: Language = ""
    only: Name | None = None


class Section(_FrozenModel):
    """A group of items under a heading. A section without a `language` has that of the issue."""

    title: Name
    intro: Body = ""
    items: tuple[Item, ...] = ()
    language: Language = ""
    only: Name | None = None


class Column(_FrozenModel):
    """The editor's column. A column without a `language` has that of the issue."""

    title: Name
    byline: Line = ""
    body: Article
    language: Language = ""


class CallToAction(_FrozenModel):
    """A button with a text above it."""

    text: Body = ""
    label: Name
    url: Url


class Related(_FrozenModel):
    """A link to another page that is worth reading."""

    title: Name
    url: Url


class Issue(_FrozenModel):
    """The content of an edition on one date."""

    edition: Annotated[Name, AfterValidator(_checked_edition)]
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
            "sections": tuple(section for section in sections if section.items or section.intro),
        }
    )

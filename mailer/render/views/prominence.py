"""Decides how prominently an item is shown: as the lead, a story, a compact line, or an entry of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailer.issue import model
from mailer.issue.markdown.document import Document, words_of
from mailer.issue.markdown.placeholders import Placeholders

__all__ = ["Form", "ItemPlace", "form_of_item", "is_list"]

#: How an item is shown.
Form = Literal["lead", "story", "line", "entry"]

#: The layouts in which the first item is not larger than the others. A feature has only a chosen one.
_WITHOUT_LEAD = ("brief", "feature")
#: The body of a compact line has at most so many characters, except in a digest.
_LONGEST_COMPACT_BODY = 120
#: From so many items on, items without texts are a list by themselves.
_SHORTEST_LIST = 2


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Describes the place of an item.

    `index` is the index of the item in its section, from 0, or -1 for an item outside sections. `language` is
    the language around the item. `is_list` is True in a group that is set as a compact list, `as_stories` in
    one whose items are all to be set as stories. `placeholders` are those of the issue's texts.
    """

    index: int
    language: str
    is_list: bool
    as_stories: bool
    placeholders: Placeholders


def is_list(items: Sequence[model.Item], style: str | None, layout: str) -> bool:
    """Returns whether a group of items is set as a compact list.

    `style` is what the editor chose, or None: then items of which none has a text are a list. The layout
    brief has no lists, because each of its items is one paragraph anyway.
    """
    if layout == "brief" or style == "stories":
        return False
    stories = [item for item in items if item.is_story and not item.lead]
    if style == "list":
        return True
    return len(stories) >= _SHORTEST_LIST and not any(
        item.body or item.comment or item.image or item.event or item.job or item.quote for item in stories
    )


def form_of_item(item: model.Item, body: Document, layout: str, place: ItemPlace, is_lead: bool) -> Form:
    """Returns how an item is shown. `body` is its parsed body.

    `is_lead` is True for the item that leads the issue if its layout has a lead.
    """
    if is_lead and layout != "brief" and (item.lead or layout not in _WITHOUT_LEAD):
        return "lead"
    if not item.is_story or item.event or item.job or item.quote:
        return "story"
    if place.is_list:
        return "entry"
    return "line" if _is_compact(item, body, layout, place) else "story"


def _is_compact(item: model.Item, body: Document, layout: str, place: ItemPlace) -> bool:
    """Returns whether an item is shown as a compact line: headline, body and source in small print.

    A slot in the body counts with its default. In a digest every item whose words fit into one paragraph is
    compact. In a brief, and where the editor chose stories, none is.
    """
    if layout == "brief" or place.as_stories or not _fits_one_paragraph(item, body):
        return False
    if layout == "digest":
        return True
    words = "".join(words_of(token.children or ()) for token in body.tokens)
    shown = place.placeholders.replace_placeholders(words, lambda _paths, default: default)
    return place.index > 0 and len(shown) <= _LONGEST_COMPACT_BODY


def _fits_one_paragraph(item: model.Item, body: Document) -> bool:
    """Returns whether the item has at most one paragraph, and nothing that a compact line leaves out."""
    if item.comment or item.byline or item.label or item.links or len(item.image) > 1:
        return False
    if any(image.caption or image.credit or image.url or image.place != "above" for image in item.image):
        return False
    is_paragraph = len(body.tokens) == 3 and body.tokens[0].type == "paragraph_open"
    return not body.tokens or (is_paragraph and not any(body.picture_tokens()))

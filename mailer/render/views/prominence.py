"""Decides how prominently an item is shown: as the lead of the issue, as a story, or as a compact line."""

from __future__ import annotations

from mailer.issue import model
from mailer.issue.markdown.document import Document, words_of
from mailer.issue.markdown.placeholders import Placeholders

__all__ = ["has_lead", "is_compact"]

#: The layouts in which no item is larger than the others.
_WITHOUT_LEAD = ("brief", "feature")
#: The body of a compact line has at most so many characters, except in a digest.
_LONGEST_COMPACT_BODY = 120


def has_lead(layout: str) -> bool:
    """Returns whether the first item of an issue with this layout is its lead."""
    return layout not in _WITHOUT_LEAD


def is_compact(item: model.Item, body: Document, layout: str, place: int, placeholders: Placeholders) -> bool:
    """Returns whether an item is shown as a compact line: headline, body and source in small print.

    `body` is the parsed body of the item. `place` is the index of the item in its section, from 0, or -1 for
    an item outside sections. `placeholders` are those in `body`; a slot counts with its default. In a digest
    every item whose words fit into one paragraph is compact. In a brief none is.
    """
    if layout == "brief" or not _fits_one_paragraph(item, body):
        return False
    if layout == "digest":
        return True
    words = "".join(words_of(token.children or ()) for token in body.tokens)
    shown = placeholders.replace_placeholders(words, lambda _paths, default: default)
    return place > 0 and len(shown) <= _LONGEST_COMPACT_BODY


def _fits_one_paragraph(item: model.Item, body: Document) -> bool:
    """Returns whether the item has no comment, at most one paragraph, and nothing that a thumbnail drops."""
    picture = item.image
    if item.comment or (picture is not None and (picture.caption or picture.url)):
        return False
    is_paragraph = len(body.tokens) == 3 and body.tokens[0].type == "paragraph_open"
    return not body.tokens or (is_paragraph and not any(body.picture_tokens()))

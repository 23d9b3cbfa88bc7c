"""Takes words from a text for use on one line: its first paragraphs, or its headings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from mailer.issue.markdown.document import Document, words_of
from mailer.issue.values.line_ends import joins_without_space

__all__ = ["headings_of", "first_words"]

#: What is left out, from its opening to its closing token.
_LEFT_OUT = {"table_open": "table_close", "notes_open": "notes_close"}


def first_words(document: Document, enough: int) -> str:
    """Returns the words of the first paragraphs as one line of at least `enough` characters, if possible.

    A paragraph that ends without a mark, as entries of lists do, is parted from the next one by a dot.
    """
    found = ""
    for words in _words(document, "paragraph_open"):
        if len(found) >= enough:
            break
        found += _between(found, words) + words
    return found


def headings_of(document: Document) -> list[str]:
    """Returns the words of its headings, in order."""
    return list(_words(document, "heading_open"))


def _words(document: Document, opened: str) -> Iterator[str]:
    closing = ""
    for before, token in pairwise(document.tokens):
        closing = closing or _LEFT_OUT.get(before.type, "")
        if before.type == closing:
            closing = ""
        if not closing and before.type == opened and token.type == "inline":
            words = words_of([child for child in token.children or () if child.type != "image"])
            if words:
                yield words


def _between(before: str, after: str) -> str:
    if not before:
        return ""
    if not unicodedata.category(before[-1]).startswith(("P", "S")):
        return " · "
    return "" if joins_without_space(before, after) else " "

"""Takes words from a text for use on one line: its first paragraphs, or its headings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from mailer.issue.markdown.document import Document, words_of
from mailer.issue.values.line_ends import joins_without_space

__all__ = ["heading_texts", "first_words"]

#: Blocks that are left out: their opening and closing tokens.
_LEFT_OUT = {"table_open": "table_close", "notes_open": "notes_close"}


def first_words(document: Document, min_characters: int) -> str:
    """Returns the words of the first paragraphs, on one line.

    Paragraphs are added until the line has `min_characters` characters, or to the end of the text. A middle
    dot separates a paragraph that ends without punctuation, such as the entry of a list, from the next one.
    """
    found = ""
    for words in _words_of_blocks(document, "paragraph_open"):
        if len(found) >= min_characters:
            break
        found += _separator_between(found, words) + words
    return found


def heading_texts(document: Document) -> list[str]:
    """Returns the words of each heading in the document, in order."""
    return list(_words_of_blocks(document, "heading_open"))


def _words_of_blocks(document: Document, opening_token_type: str) -> Iterator[str]:
    closing = ""
    for before, token in pairwise(document.tokens):
        closing = closing or _LEFT_OUT.get(before.type, "")
        if before.type == closing:
            closing = ""
        if not closing and before.type == opening_token_type and token.type == "inline":
            words = words_of([child for child in token.children or () if child.type != "image"])
            if words:
                yield words


def _separator_between(before: str, after: str) -> str:
    if not before:
        return ""
    if not unicodedata.category(before[-1]).startswith(("P", "S")):
        return " · "
    return "" if joins_without_space(before, after) else " "

"""Lets words that are longer than a line of a phone break anywhere, such as a long address.

Mail programs differ in where they break such a word, and one unbroken word makes the whole mail wider than
the window. Only the word itself gets the style, because a style on the paragraph or on a table would let
short words break too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import copy

from markdown_it.token import Token
from markupsafe import Markup, escape

from mailer.render.markdown.cell_widths import split_cell_text
from mailer.render.markdown.tokens import styled_words, with_attributes
from mailer.render.text.display_columns import MARKER

__all__ = ["ANYWHERE", "breakable", "has_long_word", "let_long_words_break"]

ANYWHERE = "overflow-wrap:anywhere"
#: The narrowest line outside tables, in em: a list within a quotation, on a phone 320 px wide.
_LINE = 12.0
#: What may be longer than such a line: letters, digits and signs without a place to break a line.
_CANDIDATE = re.compile(r"[^\s\u2e80-\u9fff\uac00-\ud7ff\uff00-\uffef]{13,}")


def has_long_word(tokens: Sequence[Token]) -> bool:
    """Returns whether a text may have a word that is longer than a line, outside of tables."""
    return any(
        _CANDIDATE.search(token.content)
        for token in tokens
        if token.type in ("inline", "fence", "code_block")
    )


def let_long_words_break(tokens: Sequence[Token]) -> list[Token]:
    """Returns the tokens of a text, with a style on each word outside of tables that is longer than a line.

    The given tokens stay as they are.
    """
    out: list[Token] = []
    tables = 0
    for token in tokens:
        tables += token.nesting if token.type in ("table_open", "table_close") else 0
        if tables:
            out.append(token)
        elif token.type == "inline" and _CANDIDATE.search(token.content):
            made = copy(token)
            made.children = list(_with_breakable_words(token.children or ()))
            out.append(made)
        else:
            out.append(_with_breakable_code(token) if token.type in ("fence", "code_block") else token)
    return out


def breakable(text: str) -> str:
    """Returns a plain text as HTML for a mail, with a style on each word that is longer than a line."""
    if not _CANDIDATE.search(MARKER.sub("x", text)):
        return text
    pieces = [
        Markup('<span style="{}">{}</span>').format(ANYWHERE, piece) if kind == "long" else escape(piece)
        for piece, kind in split_cell_text(str(text), _LINE)
    ]
    return Markup("").join(pieces)


def _with_breakable_words(children: Sequence[Token]) -> Iterator[Token]:
    """Returns inline tokens, with a style on each long word. A link that is one such word, as an address is,
    has the style itself."""
    whole = {index for index in range(1, len(children) - 1) if _is_whole_link(children, index)}
    for index, child in enumerate(children):
        if index + 1 in whole:
            yield with_attributes(child, {"style": ANYWHERE})
        elif child.type == "code_inline":
            yield _with_breakable_code(child)
        elif child.type == "text" and index not in whole and _has_long_piece(child.content):
            yield from styled_words(child.content, _LINE, {"long": ANYWHERE})
        else:
            yield child


def _with_breakable_code(token: Token) -> Token:
    return with_attributes(token, {"style": ANYWHERE}) if _has_long_piece(token.content) else token


def _is_whole_link(children: Sequence[Token], index: int) -> bool:
    before, child, after = children[index - 1 : index + 2]
    return (
        (before.type, child.type, after.type) == ("link_open", "text", "link_close")
        and not re.search(r"\s", child.content)
        and _has_long_piece(child.content)
    )


def _has_long_piece(text: str) -> bool:
    return _CANDIDATE.search(MARKER.sub("x", text)) is not None and any(
        kind == "long" for _, kind in split_cell_text(text, _LINE)
    )

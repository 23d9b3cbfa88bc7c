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
from mailer.render.text.display_columns import MARKER

__all__ = ["ANYWHERE", "breakable", "has_long_word", "let_long_words_break", "with_breakable_words"]

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
        if tables or not _CANDIDATE.search(token.content):
            out.append(token)
            continue
        made = copy(token)
        if token.type == "inline":
            made.children = list(with_breakable_words(token.children or (), _LINE))
        elif token.type in ("fence", "code_block") and _has_long_piece(token.content):
            made.attrs = {**token.attrs, "style": ANYWHERE}
        out.append(made)
    return out


def with_breakable_words(children: Sequence[Token], line_width: float) -> Iterator[Token]:
    """Returns inline tokens, with a style on each word that is longer than `line_width` em.

    A link that is one such word, as an address is, has the style itself.
    """
    whole = {index for index in range(1, len(children) - 1) if _is_whole_link(children, index, line_width)}
    for index, child in enumerate(children):
        if index + 1 in whole:
            yield _styled(child)
        elif index in whole or not _may_be_long(child):
            yield child
        elif child.type == "code_inline":
            yield _styled(child) if _has_long_piece(child.content) else child
        else:
            for text, kind in split_cell_text(child.content, line_width):
                if kind == "long":
                    yield Token("span_open", "span", 1, attrs={"style": ANYWHERE})
                    yield Token("text", "", 0, content=text)
                    yield Token("span_close", "span", -1)
                else:
                    yield Token("text", "", 0, content=text)


def breakable(text: str) -> str:
    """Returns a plain text as HTML for a mail, with a style on each word that is longer than a line."""
    if not _CANDIDATE.search(MARKER.sub("x", text)):
        return text
    pieces = [
        Markup('<span style="{}">{}</span>').format(ANYWHERE, piece) if kind == "long" else escape(piece)
        for piece, kind in split_cell_text(str(text), _LINE)
    ]
    return Markup("").join(pieces)


def _is_whole_link(children: Sequence[Token], index: int, line_width: float) -> bool:
    before, child, after = children[index - 1 : index + 2]
    return (
        (before.type, child.type, after.type) == ("link_open", "text", "link_close")
        and _may_be_long(child)
        and not re.search(r"\s", child.content)
        and any(kind == "long" for _, kind in split_cell_text(child.content, line_width))
    )


def _may_be_long(token: Token) -> bool:
    return token.type in ("text", "code_inline") and bool(_CANDIDATE.search(MARKER.sub("x", token.content)))


def _has_long_piece(text: str) -> bool:
    return any(kind == "long" for _, kind in split_cell_text(text, _LINE))


def _styled(token: Token) -> Token:
    made = copy(token)
    made.attrs = {**token.attrs, "style": ANYWHERE}
    return made

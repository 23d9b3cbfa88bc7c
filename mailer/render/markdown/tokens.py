"""Makes and copies tokens of markdown-it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Literal

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import split_cell_text

__all__ = ["styled_words", "tag_token", "text_token", "with_attributes"]


def text_token(content: str) -> Token:
    """Returns a token of plain text."""
    return Token("text", "", 0, content=content)


def tag_token(
    name: str, tag: str, nesting: Literal[1, -1], attrs: dict[str, str | int | float] | None = None
) -> Token:
    """Returns the token of a start tag (if `nesting` is 1) or of an end tag (if it is -1)."""
    return Token(name, tag, nesting, attrs=attrs or {})


def with_attributes(token: Token, attrs: dict[str, str | int | float]) -> Token:
    """Returns a copy of a token with `attrs` added to its attributes."""
    made = copy(token)
    made.attrs = {**token.attrs, **attrs}
    return made


def styled_words(text: str, line_width: float, styles: Mapping[str, str]) -> Iterator[Token]:
    """Returns the tokens of a text, with a `<span>` around each word of a kind that has a style in `styles`.

    The kinds are those of `split_cell_text`. `line_width` is the width of a line, in em.
    """
    for piece, kind in split_cell_text(text, line_width):
        style = styles.get(kind)
        if style is None:
            yield text_token(piece)
        else:
            yield tag_token("span_open", "span", 1, {"style": style})
            yield text_token(piece)
            yield tag_token("span_close", "span", -1)

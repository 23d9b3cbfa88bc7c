"""Computes the width available for a picture in a sentence, a list, a quotation or a table cell.

The numbers are those of the built-in theme. On a narrower page, `max-width` still shrinks a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

__all__ = ["ICON", "STYLES", "available_widths", "picture_style"]

#: The properties of `style` that pictures have.
STYLES = frozenset(("width", "max-width", "max-height", "height"))
_INDENT = {"bullet_list": 24, "ordered_list": 24, "blockquote": 23}
_CELL_PADDING = 8
_LEAST = 16
#: A picture of at most so many CSS px fits everywhere and keeps its size. A percentage would allow a table
#: to take its room away.
ICON = 80


def available_widths(tokens: Sequence[Token], text_width: int) -> Iterator[tuple[Token, int]]:
    """Yields each inline token of a document, with the width (CSS px) available for pictures in the token.

    `text_width` is the width of the whole text, in CSS px.
    """
    taken, cells = 0, 0
    for index, token in enumerate(tokens):
        name, _, end = token.type.rpartition("_")
        if name in _INDENT:
            taken += _INDENT[name] if end == "open" else -_INDENT[name]
        elif name == "table":
            cells = _column_count(tokens, index) if end == "open" else 0
        elif token.type == "inline":
            room = text_width - taken
            yield token, max(_LEAST, room // cells - _CELL_PADDING if cells else room)


def _column_count(tokens: Sequence[Token], start: int) -> int:
    """Returns the number of columns of a table. `start` is the index of the table's first token."""
    number = 0
    for token in tokens[start:]:
        if token.type == "tr_close":
            break
        number += token.type == "th_open"
    return max(1, number)


def picture_style(width: int | None) -> str:
    """Returns the `style` of a picture that is `width` CSS px wide, or whose width is unknown (None)."""
    if width is None:
        return "max-width:100%;height:auto"
    if width <= ICON:
        return f"width:{width}px;height:auto"
    return f"width:100%;max-width:{width}px;height:auto"

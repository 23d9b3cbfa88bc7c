"""Computes the width available for a picture in a sentence, a list, a quotation or a table cell.

The numbers are those of the built-in theme. A narrower page still shrinks what is wider than its column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.issue.pictures.limits import MAX_HEIGHT

__all__ = ["ICON", "STYLES", "available_widths", "style_of"]

#: The properties of `style` that pictures have.
STYLES = frozenset(("width", "max-width", "max-height", "height"))
_INDENT = {"bullet_list": 24, "ordered_list": 24, "blockquote": 23}
_CELL_PADDING = 8
_LEAST = 16
#: A picture of at most so many CSS px fits everywhere and keeps its size. A percentage would allow a table
#: to take its room away.
ICON = 80


def available_widths(tokens: Sequence[Token], column: int) -> Iterator[tuple[Token, int]]:
    """Returns each inline token of a document with the width for its pictures, in CSS px."""
    taken, cells = 0, 0
    for index, token in enumerate(tokens):
        name, _, end = token.type.rpartition("_")
        if name in _INDENT:
            taken += _INDENT[name] if end == "open" else -_INDENT[name]
        elif name == "table":
            cells = _columns(tokens, index) if end == "open" else 0
        elif token.type == "inline":
            room = column - taken
            yield token, max(_LEAST, room // cells - _CELL_PADDING if cells else room)


def _columns(tokens: Sequence[Token], start: int) -> int:
    """Returns the number of columns of the table that opens at `start`."""
    number = 0
    for token in tokens[start:]:
        if token.type == "tr_close":
            break
        number += token.type == "th_open"
    return max(1, number)


def style_of(width: int | None) -> str:
    """Returns the CSS of a picture in a text that is `width` CSS px wide, or of unknown width."""
    if width is None:
        return f"max-width:100%;max-height:{MAX_HEIGHT}px;height:auto"
    if width <= ICON:
        return f"width:{width}px;height:auto"
    return f"width:{width}px;max-width:100%;height:auto"

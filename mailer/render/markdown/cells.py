"""Reads the cells of a Markdown table, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import TextRun, text_runs
from mailer.render.markdown.picture_widths import ICON

__all__ = ["Cell", "table_rows"]


@dataclass(frozen=True)
class Cell:
    """Holds a cell of a table.

    `open` is the token of the start tag, `inline` the token of the content, and `runs` the text in pieces of
    one typeface.
    """

    open: Token
    inline: Token
    runs: list[TextRun]

    @property
    def text(self) -> str:
        """Returns the text of the cell, without markup."""
        return "".join(run.text for run in self.runs)

    @property
    def is_empty(self) -> bool:
        """Returns whether the cell shows nothing."""
        return not self.text.strip() and not self.images

    @property
    def images(self) -> list[Token]:
        """Returns the tokens of the pictures in the cell."""
        return [child for child in self.inline.children or () if child.type == "image"]

    @property
    def icon_width(self) -> int:
        """Returns the width in CSS px of the widest icon in the cell, 0 if there is none.

        An icon is a picture so small that it is never shrunk.
        """
        widths = (int(image.attrs.get("width", 0)) for image in self.images)
        return max((width for width in widths if width <= ICON), default=0)


def table_rows(tokens: Sequence[Token]) -> list[list[Cell]]:
    """Returns the cells of a table, row by row, beginning with the row of column heads."""
    rows: list[list[Cell]] = []
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            inline = tokens[index + 1]
            rows[-1].append(Cell(token, inline, text_runs(inline.children or ())))
    return rows

"""Reads the cells of a Markdown table, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import TextRun, cell_runs
from mailer.render.markdown.picture_widths import ICON

__all__ = ["Cell", "rows_of"]


@dataclass(frozen=True)
class Cell:
    """Holds a cell of a table: its inline token, its text in pieces, and the token of its element."""

    open: Token
    inline: Token
    runs: list[TextRun]

    @property
    def text(self) -> str:
        """Returns the text of the cell."""
        return "".join(run.text for run in self.runs)

    @property
    def images(self) -> list[Token]:
        """Returns the tokens of its pictures."""
        return [child for child in self.inline.children or () if child.type == "image"]

    @property
    def icon(self) -> int:
        """Returns the width in CSS px of its widest picture that is small enough to keep its size."""
        widths = (int(image.attrs.get("width", 0)) for image in self.images)
        return max((width for width in widths if width <= ICON), default=0)


def rows_of(tokens: Sequence[Token]) -> list[list[Cell]]:
    """Returns the rows of a table, beginning with the row of its heads."""
    rows: list[list[Cell]] = []
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            inline = tokens[index + 1]
            rows[-1].append(Cell(token, inline, cell_runs(inline.children or ())))
    return rows

"""The cells of a Markdown table, in rows, with what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.render.markdown.cell_widths import Run, cell_runs
from mailer.render.markdown.picture_widths import ICON

__all__ = ["Cell", "rows_of"]


@dataclass(frozen=True)
class Cell:
    """A cell: its inline token, its text as it is measured, and its element's token."""

    open: Token
    inline: Token
    runs: list[Run]

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(run.text for run in self.runs)

    @property
    def images(self) -> list[Token]:
        """Its pictures."""
        return [child for child in self.inline.children or () if child.type == "image"]

    @property
    def icon(self) -> int:
        """The width of its widest picture of those that keep their size, in CSS px."""
        widths = (int(image.attrs.get("width", 0)) for image in self.images)
        return max((width for width in widths if width <= ICON), default=0)


def rows_of(tokens: Sequence[Token]) -> list[list[Cell]]:
    """The rows of a table, that of its heads first."""
    rows: list[list[Cell]] = []
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            inline = tokens[index + 1]
            rows[-1].append(Cell(token, inline, cell_runs(inline.children or ())))
    return rows

"""Holds plain text before it is wrapped: lines that may be wrapped, lines that may not, and tables.

`plain` makes it of Markdown, and `wrap` lays it out. The marks below stand in what a template gives and are
gone from the finished part (see `slots/text_part.py`). They are noncharacters of Unicode, which no text uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailer.render.text.tables import Table

__all__ = ["BREAK", "KEEP", "LEAD", "MARKS", "SPACE", "Line", "PlainText", "TableLines"]

#: Ends what stands before the text of a line that belongs to a wrapped paragraph with slots. In the first
#: line it ends also what would stand before a second one.
LEAD = "\ufdd0"
#: Stand at the end of such a line where the paragraph goes on: with a space, or with nothing between.
SPACE, BREAK = "\ufdd1", "\ufdd2"
#: Stands in a line that is kept as it is, also where it is empty: code.
KEEP = "\ufdd3"
MARKS = re.compile(f"[{LEAD}{SPACE}{BREAK}{KEEP}]")


@dataclass(frozen=True, slots=True)
class Line:
    """Holds a line of plain text.

    `first` stands before it, `rest` before each further line it is wrapped into.
    """

    text: str
    first: str = ""
    rest: str = ""
    kind: Literal["flowing", "fixed", "code"] = "flowing"

    def shown(self) -> str:
        """Returns the line without wrapping it."""
        return (self.first + self.text).rstrip()


@dataclass(frozen=True, slots=True)
class TableLines:
    """Holds a table that is laid out once the width is known."""

    table: Table
    first: str = ""
    rest: str = ""

    def lines(self, room: int) -> list[Line]:
        """Returns its lines for a number of columns."""
        found = self.table.laid_out(room)
        return [
            Line(text, self.rest if number else self.first, self.rest + "  ", "fixed" if fixed else "flowing")
            for number, (text, fixed) in enumerate(found)
        ]

    def shown(self) -> str:
        """Returns its lines for a page of the usual width."""
        return "\n".join(line.shown() for line in self.lines(72))


class PlainText(str):
    """Represents plain text that keeps its lines. As a str it is not wrapped and has no marks."""

    __slots__ = ("lines",)
    lines: tuple[Line | TableLines, ...]

    @classmethod
    def of(cls, lines: Sequence[Line | TableLines]) -> PlainText:
        """Returns the text of these lines."""
        made = cls("\n".join(line.shown() for line in lines))
        made.lines = tuple(lines)
        return made

    @property
    def marked(self) -> PlainText:
        """Returns the same text with marks that keep empty lines of code, for a template to print."""
        shown = [
            line.first + KEEP + line.text if isinstance(line, Line) and line.kind == "code" else line.shown()
            for line in self.lines
        ]
        made = PlainText("\n".join(shown))
        made.lines = self.lines
        return made

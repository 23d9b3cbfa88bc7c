"""Plain text before it is wrapped: lines that may be wrapped, lines that may not, and tables.

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
    """One line: `first` stands before it, `rest` before each further line that it is wrapped into.

    A fixed line is never wrapped. Code is not even tidied.
    """

    text: str
    first: str = ""
    rest: str = ""
    kind: Literal["flowing", "fixed", "code"] = "flowing"

    def shown(self) -> str:
        """The line, not wrapped."""
        return (self.first + self.text).rstrip()


@dataclass(frozen=True, slots=True)
class TableLines:
    """A table, which is laid out where the width is known."""

    table: Table
    first: str = ""
    rest: str = ""

    def lines(self, room: int) -> list[Line]:
        """Its lines for that many columns, beside what stands before them."""
        found = self.table.laid_out(room)
        return [
            Line(text, self.rest if number else self.first, self.rest + "  ", "fixed" if fixed else "flowing")
            for number, (text, fixed) in enumerate(found)
        ]

    def shown(self) -> str:
        """The lines for a page of the usual width."""
        return "\n".join(line.shown() for line in self.lines(72))


class PlainText(str):
    """Plain text that still knows its lines. As a text it is not wrapped, and has no marks."""

    __slots__ = ("lines",)
    lines: tuple[Line | TableLines, ...]

    @classmethod
    def of(cls, lines: Sequence[Line | TableLines]) -> PlainText:
        """The text of these lines."""
        made = cls("\n".join(line.shown() for line in lines))
        made.lines = tuple(lines)
        return made

    @property
    def marked(self) -> PlainText:
        """The same with marks, to be printed by a template as it is: empty lines of code stay."""
        shown = [
            line.first + KEEP + line.text if isinstance(line, Line) and line.kind == "code" else line.shown()
            for line in self.lines
        ]
        made = PlainText("\n".join(shown))
        made.lines = self.lines
        return made

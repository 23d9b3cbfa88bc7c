"""Defines plain text that is not wrapped yet: lines that may be wrapped, fixed lines, and tables.

The module `plain` makes such text from Markdown, and `wrap` wraps it. The marks below stand in the output of
a template, and `slots/text_part.py` removes them. They are noncharacters of Unicode, which no text uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailer.render.text.tables import PlainTable

__all__ = ["BREAK", "KEEP", "LEAD", "MARKS", "SPACE", "TextLine", "PlainText", "TableLines"]

#: Ends what stands before the text of a line that belongs to a wrapped paragraph with slots. In the first
#: line it ends also what would stand before a second one.
LEAD = "\ufdd0"
#: Stand at the end of such a line where the paragraph goes on: with a space, or with nothing between.
SPACE, BREAK = "\ufdd1", "\ufdd2"
#: Stands in a line that is kept as it is, also where it is empty: code.
KEEP = "\ufdd3"
MARKS = re.compile(f"[{LEAD}{SPACE}{BREAK}{KEEP}]")


@dataclass(frozen=True, slots=True)
class TextLine:
    """Holds a line of plain text, which may be wrapped into several lines if its `kind` is "flowing".

    `first` is printed before the first of these lines (such as a bullet), and `rest` before each other line.
    A line of another kind is printed as it is.
    """

    text: str
    first: str = ""
    rest: str = ""
    kind: Literal["flowing", "fixed", "code"] = "flowing"

    def unwrapped(self) -> str:
        """Returns the line as text, not wrapped."""
        return (self.first + self.text).rstrip()


@dataclass(frozen=True, slots=True)
class TableLines:
    """Holds a table that is laid out as lines once the width of the page is known.

    `first` is printed before the first line (such as a bullet), and `rest` before each other line.
    """

    table: PlainTable
    first: str = ""
    rest: str = ""

    def lines(self, max_columns: int) -> list[TextLine]:
        """Returns the lines of the table, laid out in about `max_columns` columns."""
        found = self.table.lay_out(max_columns)
        return [
            TextLine(
                text, self.rest if number else self.first, self.rest + "  ", "fixed" if fixed else "flowing"
            )
            for number, (text, fixed) in enumerate(found)
        ]

    def unwrapped(self) -> str:
        """Returns the table as text, laid out for a page of the usual width."""
        return "\n".join(line.unwrapped() for line in self.lines(72))


class PlainText(str):
    """Holds plain text as a string and as `lines`. The string is not wrapped and has no marks."""

    __slots__ = ("lines",)
    lines: tuple[TextLine | TableLines, ...]

    @classmethod
    def of(cls, lines: Sequence[TextLine | TableLines]) -> PlainText:
        """Returns the plain text that consists of these lines and tables."""
        made = cls("\n".join(line.unwrapped() for line in lines))
        made.lines = tuple(lines)
        return made

    @property
    def marked(self) -> PlainText:
        """Returns the same text for a template to print, with marks that keep the empty lines of code."""
        shown = [
            line.first + KEEP + line.text
            if isinstance(line, TextLine) and line.kind == "code"
            else line.unwrapped()
            for line in self.lines
        ]
        made = PlainText("\n".join(shown))
        made.lines = self.lines
        return made

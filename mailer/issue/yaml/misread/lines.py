"""The lines of a text that is being looked through, and what can be done with them."""

from __future__ import annotations

from mailer.issue.yaml.characters import INVISIBLE, lines_of
from mailer.issue.yaml.faults import Fault, show

__all__ = ["TextLines"]

#: More than these help nobody.
_MAX_FAULTS = 1_000


class TextLines:
    """A text by lines. Rows and columns count from 0; no change alters the length of a line."""

    def __init__(self, text: str, faults: list[Fault]) -> None:
        self.lines, self.ends = lines_of(text)
        self.faults = faults
        #: Where the blocks that began with > begin.
        self.folded: set[int] = set()
        self.starts = [0]
        for line, end in zip(self.lines, self.ends, strict=True):
            self.starts.append(self.starts[-1] + len(line) + len(end))

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))

    def fault(self, row: int, column: int, message: str) -> None:
        """Tells what is wrong at a place, counted from 0."""
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(row + 1, column + 1, message))

    def put(self, row: int, column: int, length: int, sign: str) -> None:
        """Puts so many of one sign in the place of what stands there."""
        line = self.lines[row]
        self.lines[row] = line[:column] + sign * length + line[column + length :]

    def indent(self, row: int) -> int:
        """The number of spaces before a line."""
        line = self.lines[row]
        return len(line) - len(line.lstrip(" "))

    def blank(self, row: int) -> bool:
        """Whether a line has nothing on it."""
        return not self.lines[row].strip(" \t")

    def below(self, row: int, parent: int) -> int:
        """The first line after `row` that stands no deeper than `parent`."""
        row += 1
        while row < len(self.lines) and (self.blank(row) or self.indent(row) > parent):
            row += 1
        return row

    def drop(self, row: int, parent: int) -> int:
        """Leaves out what belongs to the value on a line; its end."""
        end = self.below(row, parent)
        for each in range(row + 1, end):
            self.put(each, 0, len(self.lines[each]), " ")
        return end

    def indentation(self, row: int) -> int:
        """The column of the first character; other white space than spaces is told."""
        line = self.lines[row]
        column = 0
        while column < len(line) and (line[column] in " \t" or INVISIBLE.match(line[column])):
            column += 1
        found = next((at for at in range(column) if line[at] != " "), None)
        if found is not None:
            sign = line[found]
            told = (
                "a tab is used for indentation; use spaces"
                if sign == "\t"
                else f"this line is indented with {show(sign)}; use the spaces of the keyboard"
            )
            if sign != "\t" and found == 0 and column == 1 and not sign.isspace():
                told = f"this line begins with {show(sign)}; delete it"
            self.fault(row, found, told)
            self.put(row, 0, column, " ")
        return column

"""Changes the lines of a text without changing their length."""

from __future__ import annotations

from mailer.issue.yaml.characters import INVISIBLE, lines_of
from mailer.issue.yaml.faults import Fault, shown_character

__all__ = ["TextLines"]

#: More than these help nobody.
_MAX_FAULTS = 1_000


class TextLines:
    """Holds a text by lines. Rows and columns count from 0; no change alters the length of a line."""

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
        """Returns the whole text."""
        return "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))

    def fault(self, row: int, column: int, message: str) -> None:
        """Adds a fault at a place, counted from 0."""
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(row + 1, column + 1, message))

    def put(self, row: int, column: int, length: int, sign: str) -> None:
        """Overwrites a place with a number of the same character."""
        line = self.lines[row]
        self.lines[row] = line[:column] + sign * length + line[column + length :]

    def indent(self, row: int) -> int:
        """Returns the number of spaces before a line."""
        line = self.lines[row]
        return len(line) - len(line.lstrip(" "))

    def blank(self, row: int) -> bool:
        """Returns whether a line is empty."""
        return not self.lines[row].strip(" \t")

    def below(self, row: int, parent: int) -> int:
        """Returns the first line after `row` that is indented no deeper than `parent`."""
        row += 1
        while row < len(self.lines) and (self.blank(row) or self.indent(row) > parent):
            row += 1
        return row

    def drop(self, row: int, parent: int) -> int:
        """Blanks out the value on a line, and returns the line after it."""
        end = self.below(row, parent)
        for each in range(row + 1, end):
            self.put(each, 0, len(self.lines[each]), " ")
        return end

    def indentation(self, row: int) -> int:
        """Returns the column of the first character; reports white space other than spaces."""
        line = self.lines[row]
        column = 0
        while column < len(line) and (line[column] in " \t" or INVISIBLE.match(line[column])):
            column += 1
        found = next((at for at in range(column) if line[at] != " "), None)
        if found is not None:
            sign = line[found]
            message = (
                "a tab is used for indentation; use spaces"
                if sign == "\t"
                else f"this line is indented with {shown_character(sign)}; use the spaces of the keyboard"
            )
            if sign != "\t" and found == 0 and column == 1 and not sign.isspace():
                message = f"this line begins with {shown_character(sign)}; delete it"
            self.fault(row, found, message)
            self.put(row, 0, column, " ")
        return column

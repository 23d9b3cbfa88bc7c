"""Overwrites characters in the lines of a text without changing the length of the lines."""

from __future__ import annotations

from mailer.issue.yaml.characters import INVISIBLE, lines_and_line_ends
from mailer.issue.yaml.faults import TextFault, described_character

__all__ = ["TextLines"]

#: Further faults are not recorded, because nobody would read them.
_MAX_FAULTS = 1_000


class TextLines:
    """Holds the lines of a text. Rows and columns count from 0; no change alters the length of a line.

    `ends` has the line end after each line, and `starts` has the offset of each line in the text.
    """

    def __init__(self, text: str, faults: list[TextFault]) -> None:
        self.lines, self.ends = lines_and_line_ends(text)
        self.faults = faults
        #: Where the blocks that began with > begin.
        self.folded_block_offsets: set[int] = set()
        self.starts = [0]
        for line, end in zip(self.lines, self.ends, strict=True):
            self.starts.append(self.starts[-1] + len(line) + len(end))

    @property
    def text(self) -> str:
        """Returns the whole text."""
        return "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))

    def add_fault(self, row: int, column: int, message: str) -> None:
        """Adds a fault at `row` and `column`, unless there are a thousand faults already."""
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(TextFault(row + 1, column + 1, message))

    def overwrite(self, row: int, column: int, length: int, character: str) -> None:
        """Overwrites `length` characters of a line with `character`."""
        line = self.lines[row]
        self.lines[row] = line[:column] + character * length + line[column + length :]

    def indent_width(self, row: int) -> int:
        """Returns the number of spaces at the beginning of a line."""
        line = self.lines[row]
        return len(line) - len(line.lstrip(" "))

    def is_blank(self, row: int) -> bool:
        """Returns whether a line has only spaces and tabs."""
        return not self.lines[row].strip(" \t")

    def next_outer_row(self, row: int, parent_column: int) -> int:
        """Returns the first row after `row` that is not indented deeper than the column `parent_column`."""
        row += 1
        while row < len(self.lines) and (self.is_blank(row) or self.indent_width(row) > parent_column):
            row += 1
        return row

    def blank_out_nested_rows(self, row: int, parent_column: int) -> int:
        """Overwrites the rows below `row` that are indented deeper than `parent_column` with spaces.

        Returns the first row after them.
        """
        end = self.next_outer_row(row, parent_column)
        for each in range(row + 1, end):
            self.overwrite(each, 0, len(self.lines[each]), " ")
        return end

    def check_indentation(self, row: int) -> int:
        """Returns the column of a line's first character; reports indentation that is not spaces."""
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
                else f"this line is indented with {described_character(sign)}; use ordinary spaces"
            )
            if sign != "\t" and found == 0 and column == 1 and not sign.isspace():
                message = f"this line begins with {described_character(sign)}; delete it"
            self.add_fault(row, found, message)
            self.overwrite(row, 0, column, " ")
        return column

"""Finds where a quoted text or a bracket that opens on a line is closed."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["closing_bracket", "closing_quote"]

_STRUCTURE = re.compile(r"[ ]*(?:- |-$|[\w\"'][\w \"'-]*:(?:\s|$))")
_DEEP = 100
_PAIRS = {"[": "]", "{": "}"}

Place = tuple[int, int]


def _ends_multiline_text(line: str, parent_column: int) -> bool:
    """Returns whether a text of several lines ends before `line`.

    It does if the line begins with a key or a dash and is not indented deeper than `parent_column`, the
    column of the key or dash to which the text belongs.
    """
    return len(line) - len(line.lstrip(" ")) <= parent_column and _STRUCTURE.match(line) is not None


def closing_quote(lines: Sequence[str], start: Place, parent_column: int) -> Place | None:
    """Returns the place of the quote that closes the one at `start`, or None if there is none.

    Places are (line, column), counted from 0. The search ends before a line that begins with a key or a dash
    and is not indented deeper than `parent_column`, the column of the key or dash to which the text belongs.
    """
    row, column = start
    quote = lines[row][column]
    column += 1
    while row < len(lines):
        line = lines[row]
        if row > start[0] and _ends_multiline_text(line, parent_column):
            return None
        while column < len(line):
            if quote == '"' and line[column] == "\\":
                column += 2
            elif line[column] != quote:
                column += 1
            elif quote == "'" and line[column + 1 : column + 2] == "'":
                column += 2
            else:
                return row, column
        row, column = row + 1, 0
    return None


def closing_bracket(
    lines: Sequence[str], start: Place, parent_column: int
) -> tuple[Place | None, list[Place]]:
    """Returns the place of the bracket that closes the one at `start`, or None if there is none.

    Also returns the place of each "#" before that bracket by which YAML would cut off a line. Places are
    (line, column), counted from 0. The search ends before a line that begins with a key or a dash and is not
    indented deeper than `parent_column`, the column of the key or dash to which the bracket belongs.
    """
    row, column = start
    wanted: list[str] = []
    cuts: list[Place] = []
    fresh = True  # a quote opens a text only where a text begins
    while row < len(lines):
        line = lines[row]
        if row > start[0] and _ends_multiline_text(line, parent_column):
            return None, cuts
        while column < len(line):
            sign = line[column]
            if sign == "#" and (column == 0 or line[column - 1] in " \t[{,"):
                if line[column + 1 : column + 2].strip(" \t") and line[:column].strip(" \t"):
                    cuts.append((row, column))
                else:
                    break
            elif sign in _PAIRS:
                wanted.append(_PAIRS[sign])
                if len(wanted) > _DEEP:
                    return (len(lines) - 1, len(lines[-1])), cuts  # the parser has a sentence for it
            elif wanted and sign == wanted[-1]:
                wanted.pop()
                if not wanted:
                    return (row, column), cuts
            elif sign in "\"'" and fresh:
                end = closing_quote(lines, (row, column), parent_column)
                if end is None:
                    return None, cuts
                row, column = end
                line = lines[row]
            fresh = sign in "[{,:" or (fresh and sign in " \t")
            column += 1
        row, column = row + 1, 0
    return None, cuts

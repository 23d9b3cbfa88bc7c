"""Joins texts that YAML reads as one line: `>` blocks, and plain and quoted scalars over several lines.

YAML reads each line end as a space. Between two Chinese or Japanese characters a line end must become
nothing; `line_ends` decides this. An empty line is kept, so that two paragraphs stay two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import yaml

from mailer.issue.values.line_ends import joins_without_space

__all__ = ["FoldedText", "fold_block", "fold_scalar"]

_BREAK = re.compile(r"\r\n|\r|\n")
#: Marks of Markdown at the end and at the beginning of a line, which readers do not see.
_MARKS_AFTER = re.compile(r"(?:[*_~`]+|\]\([^()\n]*\)|\]\[[^\[\]\n]*\]|[*_~`]+\s*)$")
#: The number of characters before a line end that are looked at.
_REACH = 200
_MARKS_BEFORE = re.compile(r"^(?:[*_~`]|!?\[)+")


class FoldedText(NamedTuple):
    """Holds the joined text of a scalar.

    `rows` has, for each line of the text, the row of the scalar on which the line begins. Rows count from 0.
    """

    text: str
    rows: tuple[int, ...]


def fold_block(literal_text: str) -> FoldedText:
    """Returns the joined text of a `>` block.

    `literal_text` is the text that a `|` block in its place would have. Lines that are indented further than
    the block keep their line ends, as in YAML.
    """
    lines = literal_text.split("\n")
    text = _ParagraphJoiner(lines[0])
    rows = [0]
    for row, (above, line) in enumerate(pairwise(lines), 1):
        if not above or not line or above[0] in " \t" or line[0] in " \t":
            text.add_unchanged("\n" + line)
            rows.append(row)
        else:
            text.join_line(line)
    return FoldedText(text.text(), tuple(rows))


def fold_scalar(written_scalar: str, yaml_value: str) -> FoldedText:
    """Returns the joined text of a plain or quoted scalar over several lines.

    `written_scalar` is the scalar as in the file, and `yaml_value` is the text that YAML reads.
    """
    quote = (
        written_scalar[:1]
        if written_scalar[:1] in ("'", '"') and written_scalar[-1:] == written_scalar[:1]
        else ""
    )
    lines = _BREAK.split(written_scalar[1:-1] if quote else written_scalar)
    pieces: list[tuple[str, str]] = []  # what stands before a piece: "", " " or line ends
    begins: list[int] = []
    gap, blank = "", 0
    for number, line in enumerate(lines):
        cut = line if number == 0 else line.lstrip(" \t")
        escaped = quote == '"' and (len(cut) - len(cut.rstrip("\\"))) % 2 == 1 and number < len(lines) - 1
        if escaped:
            cut = cut[:-1]
        elif number < len(lines) - 1:
            cut = cut.rstrip(" \t")
        if cut or number in (0, len(lines) - 1):
            pieces.append(("\n" * blank or gap, _unescaped_piece(cut, quote)))
            blank = 0
            begins.append(number)
            gap = "" if escaped else " "
        else:
            blank += 1
    if "".join(before + piece for before, piece in pieces) != yaml_value:
        return FoldedText(yaml_value, ())  # a case that this module does not know: what YAML reads
    text = _ParagraphJoiner("")
    rows: list[int] = [0]
    for row, (before, piece) in zip(begins, pieces, strict=True):
        if before == " ":
            text.join_line(piece)
        elif before:
            text.add_unchanged(before + "\n" + piece)
            rows += range(row - len(before), row + 1)
        else:
            text.add_unchanged(piece)
        rows += [row] * piece.count("\n")
    return FoldedText(text.text(), tuple(rows))


def _unescaped_piece(piece: str, quote: str) -> str:
    if not quote:
        return piece
    events: Sequence[yaml.Event] = tuple(yaml.parse(f"{quote}{piece}{quote}", Loader=yaml.SafeLoader))
    scalar = next((event for event in events if isinstance(event, yaml.ScalarEvent)), None)
    return str(scalar.value) if scalar else piece


class _ParagraphJoiner:
    """Builds a text line by line, with a space or nothing between two lines."""

    def __init__(self, text: str) -> None:
        self._pieces = [text]
        self._end = text[-_REACH:]

    def add_unchanged(self, piece: str) -> None:
        """Adds a piece of text unchanged."""
        self._pieces.append(piece)
        self._end = (self._end + piece)[-_REACH:]

    def join_line(self, line: str) -> None:
        """Adds the next line of a paragraph, after a space or directly, as its script requires."""
        last, first = self._end.rstrip(" \t")[-1:], line[:1]
        if last.isalpha() and first.isalpha():  # letters need no look at what stands around them
            together = joins_without_space(last, first)
        else:
            paragraph = self._end.rpartition("\n")[2]
            together = joins_without_space(
                _without_trailing_markdown(paragraph), _MARKS_BEFORE.sub("", line[:_REACH])
            )
        if not together:
            self.add_unchanged(" " + line)
            return
        while self._pieces and not self._pieces[-1].strip(" \t"):
            self._pieces.pop()
        if self._pieces:
            self._pieces[-1] = self._pieces[-1].rstrip(" \t")
        self.add_unchanged(line)

    def text(self) -> str:
        """Returns the whole text."""
        return "".join(self._pieces)


def _without_trailing_markdown(text: str) -> str:
    """Returns the text without the spaces and Markdown characters at its end."""
    text = text.rstrip(" \t")
    for _ in range(4):
        shorter = _MARKS_AFTER.sub("", text)
        if shorter == text:
            break
        text = shorter
    return text

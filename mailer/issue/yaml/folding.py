"""Texts that are written over several lines and read as one: `>` blocks, plain and quoted scalars.

YAML puts a space for a line end. Between two Chinese or Japanese characters nothing belongs there, which
`line_ends` decides. An empty line stays one, so that two paragraphs stay two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import yaml

from mailer.issue.markdown.line_ends import joined

__all__ = ["Folded", "folded_block", "folded_scalar"]

_BREAK = re.compile(r"\r\n|\r|\n")
#: Marks of Markdown at the end and at the beginning of a line, which readers do not see.
_MARKS_AFTER = re.compile(r"(?:[*_~`]+|\]\([^()\n]*\)|\]\[[^\[\]\n]*\]|[*_~`]+\s*)$")
_MARKS_BEFORE = re.compile(r"^(?:[*_~`]|!?\[)+")


class Folded(NamedTuple):
    """A text, and for each of its lines the row of the scalar, counted from 0, on which the line begins."""

    text: str
    rows: tuple[int, ...]


def folded_block(literal: str) -> Folded:
    """The text of a `>` block, from the text that a `|` block in its place has.

    Lines that are indented further keep their line ends, as YAML has it.
    """
    lines = literal.split("\n")
    text = lines[0]
    rows = [0]
    for row, (above, line) in enumerate(pairwise(lines), 1):
        if not above or not line or above[0] in " \t" or line[0] in " \t":
            text += "\n" + line
            rows.append(row)
        else:
            text = _put(text, line)
    return Folded(text, tuple(rows))


def folded_scalar(raw: str, value: str) -> Folded:
    """The text of a plain or quoted scalar over several lines: `raw` as written, `value` as YAML reads it."""
    quote = raw[:1] if raw[:1] in ("'", '"') and raw[-1:] == raw[:1] else ""
    lines = _BREAK.split(raw[1:-1] if quote else raw)
    pieces: list[tuple[str, str]] = []  # what stands before a piece: "", " " or line ends
    begins: list[int] = []
    gap = ""
    for number, line in enumerate(lines):
        cut = line if number == 0 else line.lstrip(" \t")
        escaped = quote == '"' and (len(cut) - len(cut.rstrip("\\"))) % 2 == 1 and number < len(lines) - 1
        if escaped:
            cut = cut[:-1]
        elif number < len(lines) - 1:
            cut = cut.rstrip(" \t")
        if cut or number in (0, len(lines) - 1):
            pieces.append((gap, _decoded(cut, quote)))
            begins.append(number)
            gap = "" if escaped else " "
        else:
            gap = gap + "\n" if gap.startswith("\n") else "\n"
    if "".join(before + piece for before, piece in pieces) != value:
        return Folded(value, ())  # a case that this module does not know: what YAML reads
    text = ""
    rows: list[int] = [0]
    for row, (before, piece) in zip(begins, pieces, strict=True):
        if before == " ":
            text = _put(text, piece)
        elif before:
            text += before + "\n" + piece
            rows += range(row - len(before), row + 1)
        else:
            text += piece
        rows += [row] * piece.count("\n")
    return Folded(text, tuple(rows))


def _decoded(piece: str, quote: str) -> str:
    if not quote:
        return piece
    events: Sequence[yaml.Event] = tuple(yaml.parse(f"{quote}{piece}{quote}", Loader=yaml.SafeLoader))
    scalar = next((event for event in events if isinstance(event, yaml.ScalarEvent)), None)
    return str(scalar.value) if scalar else piece


def _put(text: str, line: str) -> str:
    """Two lines as one: with a space between them, or without."""
    paragraph = text.rpartition("\n")[2]
    if joined(_seen_last(paragraph), _MARKS_BEFORE.sub("", line)):
        return text.rstrip(" \t") + line
    return f"{text} {line}"


def _seen_last(text: str) -> str:
    """The text up to the last thing that is seen of it."""
    text = text.rstrip(" \t")
    for _ in range(4):
        shorter = _MARKS_AFTER.sub("", text)
        if shorter == text:
            break
        text = shorter
    return text

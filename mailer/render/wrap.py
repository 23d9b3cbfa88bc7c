"""Wraps plain text by display width, for Chinese and Latin text alike.

Wide characters take two columns and may be broken between, with the few rules of kinsoku that matter: no
line begins with a closing mark, none ends with an opening one (JIS X 4051, and W3C's requirements for
Chinese text layout). Latin words and addresses stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wcwidth import iter_graphemes, wcswidth

from mailer.render.markers import MARKER, MARKER_COLUMNS

__all__ = ["columns", "underline", "wrap"]

_NO_START = frozenset("、。，．・：；？！）］｝〕〉》」』】〗’”…—～·％‰℃,.;:?!)]}%ー々")
_NO_END = frozenset("（［｛〔〈《「『【〖‘“([{￥＄$#@")
_PIECE = re.compile(
    rf"(?P<space>[ \t]+)|(?P<whole>{MARKER.pattern}|(?:https?://|mailto:)[!-~]+)|(?P<text>[^ \t]+?)"
    rf"(?=[ \t]|$|(?:https?://|mailto:)|{MARKER.pattern})",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?P<quote>(?:> ?)*)(?P<indent> *)(?P<bullet>(?:• |[0-9]{1,9}[.)] )?)")


def columns(text: str) -> int:
    """How many columns of a terminal a text takes. A slot counts as a middling name."""
    plain, slots = MARKER.subn("", text)
    if plain.isascii():
        return len(plain) + slots * MARKER_COLUMNS
    width = wcswidth(plain)
    return (width if width >= 0 else len(plain)) + slots * MARKER_COLUMNS


def underline(text: object, mark: str = "-") -> str:
    """A line of text, and under it as many columns of `mark`."""
    line = str(text)
    return f"{line}\n{mark * max(1, columns(line))}"


def wrap(text: object, width: int = 72, indent: str = "", first: str | None = None) -> str:
    """`text` wrapped to `width` columns, each paragraph for itself; lists and quotations hang.

    `indent` stands before each line, and `first` before the first line instead.
    """
    lines: list[str] = []
    for paragraph in str(text).split("\n"):
        lead = _LEAD.match(paragraph)
        before = lead[0] if lead else ""
        hanging = lead["quote"] + " " * columns(lead["indent"] + lead["bullet"]) if lead else ""
        room = max(16, width - columns(indent) - columns(before))
        for number, line in enumerate(_lines(paragraph[len(before) :], room)):
            lines.append((before if number == 0 else hanging) + line)
    out = [
        (first if number == 0 and first is not None else indent) + line for number, line in enumerate(lines)
    ]
    return "\n".join(line.rstrip() for line in out)


def _lines(text: str, room: int) -> Iterator[str]:
    line, width, gap = "", 0, ""
    for space, unit in _units(text):
        gap = gap or space
        more = columns(unit)
        if line and width + columns(gap) + more > room:
            yield line
            line, width = unit, more
        elif line:
            line, width = line + gap + unit, width + columns(gap) + more
        else:
            line, width = unit, more
        gap = ""
    yield line


def _units(text: str) -> Iterator[tuple[str, str]]:
    """(space before, text) of everything that may not be broken, in order."""
    space, unit, glued = "", "", False
    for before, atom in _atoms(text):
        narrow = bool(unit) and columns(unit[-1]) == 1 == columns(atom[0])
        if unit and not before and (glued or narrow or atom[0] in _NO_START):
            unit += atom
        else:
            if unit:
                yield space, unit
            space, unit = before, atom
        glued = unit[-1] in _NO_END
    if unit:
        yield space, unit


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """Words, addresses, slots and single wide characters, each with the space before it."""
    space = ""
    for piece in _PIECE.finditer(text):
        if piece["space"]:
            space = " "
            continue
        for word in (piece["whole"],) if piece["whole"] else _words(piece["text"]):
            yield space, word
            space = ""


def _words(text: str) -> Iterator[str]:
    if text.isascii():
        yield text
        return
    word = ""
    for cluster in iter_graphemes(text):
        if columns(cluster) > 1:
            if word:
                yield word
                word = ""
            yield cluster
        else:
            word += cluster
    if word:
        yield word

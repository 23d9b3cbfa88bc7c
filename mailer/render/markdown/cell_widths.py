"""Estimates how wide the text of a table's cell must be, in em of its font, so that no word is broken.

The widths of letters are those of the widest faces in use on screens (Verdana, DejaVu Sans), so that what
fits here fits everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it.token import Token

from mailer.render.text.display_columns import MARKER, columns

__all__ = ["TextRun", "cell_runs", "min_width", "is_number", "is_short", "is_wide", "pieces", "width"]

#: A cell of at most so many columns stays on one line.
SHORT = 8
#: A word of more columns may break: it is an address, a key or the like.
LONG = 24
#: Nor is a word of more characters looked at, however few columns they take.
MOST = 100
#: A cell of running text is at least so wide, in em.
TEXT = 5.0

# Characters between which a line may break without a space: Han, kana, their marks, and emoji. Hangul is not
# among them, since Korean words are separated by spaces.
_WIDE = (
    r"\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
    r"\U0001f300-\U0001faff\U00020000-\U0003fffd"
)
_IS_WIDE = re.compile(f"[{_WIDE}]")
_IN = rf"[^ \t\r\n{_WIDE}]"
_SIGN = r"[%‰€$£¥₩₹₽°]"
# A number and the sign at it, or groups of three digits with blanks between, are one word.
_GROUPS = r"(?:[ ][0-9]{3}(?![0-9]))*(?:[.,][0-9]+)?"
_WORD = re.compile(
    rf"{_IN}*[0-9]{_GROUPS}(?:[ ]{_SIGN})?{_IN}*"
    rf"|{_SIGN}[ ][0-9]{_IN}*{_GROUPS}"
    rf"|{_IN}+"
)
# Between letters, marks after which a browser may break; and Hangul.
_BREAKS = re.compile(r"[^\W\ud7ff].*[^\w.,'’:;()].*\w|[\uac00-\ud7a3]|[0-9] |" + _SIGN + " ")
_NUMBER = re.compile(
    rf"[(\[<>≤≥~≈±+−–-]*\s?(?:{_SIGN}|[A-Z]{{1,3}})?\s?[0-9](?:[0-9.,'’ \u00a0\u202f:/–-]*[0-9])?\s?"
    r"(?:[^\W\d_]{1,3}|[%‰€$£¥₩₹₽°℃％])?[)\]*†‡]*"
)

_WIDTHS = {
    **dict.fromkeys("ijlI.,:;'’|! \u00a0", 0.36),
    **dict.fromkeys('ft()[]{}/\\-r"“”', 0.48),
    **dict.fromkeys("mwMW@%—…", 1.0),
    **dict.fromkeys("+−=<>~#^&", 0.84),
}


@dataclass(frozen=True, slots=True)
class TextRun:
    """Holds a piece of the text of a cell in one typeface.

    `scale` is its width relative to plain text.
    """

    text: str
    scale: float = 1.0


def cell_runs(children: Sequence[Token]) -> list[TextRun]:
    """Returns the text of a cell in pieces of one typeface."""
    runs: list[TextRun] = []
    bold = 0
    for child in children:
        if child.type == "strong_open":
            bold += 1
        elif child.type == "strong_close":
            bold -= 1
        elif child.type in ("text", "code_inline"):
            runs.append(TextRun(child.content, 1.13 if bold or child.type == "code_inline" else 1.0))
        elif child.type in ("softbreak", "hardbreak"):
            runs.append(TextRun(" "))
        elif child.type == "footnote_ref":
            runs.append(TextRun("[99]", 0.75))
    return runs


def is_wide(character: str) -> bool:
    """Returns whether a line may break before and after the character without a space."""
    return bool(_IS_WIDE.match(character))


def is_number(text: str) -> bool:
    """Returns whether a cell holds only a number, with its sign, unit or footnote mark."""
    text = text.strip()
    return len(text) <= MOST and columns(text) <= LONG and bool(_NUMBER.fullmatch(text))


def is_short(text: str) -> bool:
    """Returns whether a cell is so short that it stays on one line."""
    return columns(text.strip()) <= SHORT


def pieces(text: str, room: float) -> Iterator[tuple[str, Literal["plain", "whole", "long"]]]:
    """Splits a text into words to be kept whole, words so long that they may break, and the rest.

    `room` is the width of a line, in em.
    """
    end = 0
    for word in _WORD.finditer(text):
        shown = MARKER.sub("x", word[0])
        if len(shown) > MOST or columns(word[0]) > LONG or _width(word[0]) > room:
            kind: Literal["whole", "long"] = "long"
        elif _BREAKS.search(shown):
            kind = "whole"
        else:
            continue
        if word.start() > end:
            yield text[end : word.start()], "plain"
        yield word[0], kind
        end = word.end()
    if end < len(text):
        yield text[end:], "plain"


def min_width(runs: Sequence[TextRun], room: float) -> float:
    """Returns the least width of a cell in em at which no word is broken that must stay whole."""
    text = "".join(run.text for run in runs)
    scales = [run.scale for run in runs for _ in run.text]
    whole = width(runs)
    if is_short(text) or is_number(text):
        return whole
    longest = min(whole, TEXT)
    for word in _WORD.finditer(text):
        needed = _width(word[0]) * max(scales[word.start() : word.end()])
        longest = max(longest, min(needed, room, LONG * 0.64))
    return longest


def width(runs: Sequence[TextRun]) -> float:
    """Returns the width of a cell in em, on one line."""
    return sum(_width(run.text) * run.scale for run in runs)


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    slots = MARKER.sub("x" * 12, text)
    return sum(_character(each) for each in slots)


def _character(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if character.isascii():
        return 0.78 if character.isupper() else 0.64
    if columns(character) == 0:
        return 0.0
    return 1.0 if columns(character) > 1 else 0.8

"""Estimates how wide a table's cell must be, in em of its font, so that no word in it is broken.

The widths of letters are those of the widest fonts in use on screens (Verdana, DejaVu Sans), so that a text
that fits here fits everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it.token import Token

from mailer.render.text.display_columns import MARKER, display_width

__all__ = [
    "TextRun",
    "text_runs",
    "min_cell_width",
    "is_number",
    "fits_on_one_line",
    "is_wide_character",
    "split_cell_text",
    "cell_width",
]

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
    """Holds a piece of a cell's text in one typeface.

    `scale` is the width of letters in this typeface, divided by their width in the normal typeface.
    """

    text: str
    scale: float = 1.0


def text_runs(children: Sequence[Token]) -> list[TextRun]:
    """Returns the text of a cell, cut into pieces of one typeface.

    `children` are the inline tokens of the cell.
    """
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


def is_wide_character(character: str) -> bool:
    """Returns whether a line may be broken before and after the character, as in Chinese."""
    return bool(_IS_WIDE.match(character))


def is_number(text: str) -> bool:
    """Returns whether the text of a cell is only a number, perhaps with a sign, unit or footnote mark."""
    text = text.strip()
    return len(text) <= MOST and display_width(text) <= LONG and bool(_NUMBER.fullmatch(text))


def fits_on_one_line(text: str) -> bool:
    """Returns whether the text of a cell is so short that it is kept on one line."""
    return display_width(text.strip()) <= SHORT


def split_cell_text(text: str, line_width: float) -> Iterator[tuple[str, Literal["plain", "whole", "long"]]]:
    """Yields the pieces of a cell's text, as (piece, kind).

    The kind "whole" is a word that must not be broken, "long" a word so long that it may break anywhere, and
    "plain" any other text. `line_width` is the width of a line, in em.
    """
    end = 0
    for word in _WORD.finditer(text):
        shown = MARKER.sub("x", word[0])
        if len(shown) > MOST or display_width(word[0]) > LONG or _text_width(word[0]) > line_width:
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


def min_cell_width(runs: Sequence[TextRun], line_width: float) -> float:
    """Returns the smallest width of a cell, in em, at which no word is broken that must stay whole.

    `line_width` is the width of a line, in em. A word that is longer than a line may be broken.
    """
    text = "".join(run.text for run in runs)
    scales = [run.scale for run in runs for _ in run.text]
    whole = cell_width(runs)
    if fits_on_one_line(text) or is_number(text):
        return whole
    longest = min(whole, TEXT)
    for word in _WORD.finditer(text):
        needed = _text_width(word[0]) * max(scales[word.start() : word.end()])
        longest = max(longest, min(needed, line_width, LONG * 0.64))
    return longest


def cell_width(runs: Sequence[TextRun]) -> float:
    """Returns the width of a cell's text on one line, in em."""
    return sum(_text_width(run.text) * run.scale for run in runs)


@lru_cache(maxsize=4096)
def _text_width(text: str) -> float:
    slots = MARKER.sub("x" * 12, text)
    return sum(_character_width(each) for each in slots)


def _character_width(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if character.isascii():
        return 0.78 if character.isupper() else 0.64
    if display_width(character) == 0:
        return 0.0
    return 1.0 if display_width(character) > 1 else 0.8

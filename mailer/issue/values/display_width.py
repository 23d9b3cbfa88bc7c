"""Measures a line in display columns, and cuts it without splitting what readers see as one character."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from wcwidth import iter_graphemes, wcswidth

from mailer.issue.values.fields import SLOT

__all__ = ["display_columns", "cut_to_columns"]

ELLIPSIS = "…"
#: Columns that a slot without a default is taken to need.
_SLOT_COLUMNS = 10
#: Texts that are never cut: slots, and braces that are text.
_WHOLE = re.compile(SLOT.pattern + r"|\{\{\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*\}\}")
_DANGLING = " \t,;:.-–—·/|(\"'&+、，；：。！？·…—“‘（《〈「『【〔"


def _unbreakable_pieces(text: str) -> list[str]:
    """Returns the text in pieces that are never split: slots, and what readers see as one character."""
    atoms: list[str] = []
    end = 0
    for slot in _WHOLE.finditer(text):
        atoms += iter_graphemes(text[end : slot.start()])
        atoms.append(slot[0])
        end = slot.end()
    return [*atoms, *iter_graphemes(text[end:])]


@lru_cache(maxsize=4096)
def _piece_columns(piece: str) -> int:
    if len(piece) > 4 and _WHOLE.fullmatch(piece):
        default = re.search(r"\"([^\"]*)\"|'([^']*)'", piece)
        return (
            sum(map(_piece_columns, iter_graphemes(default[1] or default[2] or "")))
            if default
            else _SLOT_COLUMNS
        )
    return max(wcswidth(piece), 0)


def display_columns(text: str) -> int:
    """Returns the number of columns of a line.

    A wide character takes two columns; a slot takes as many as its default, or ten without a default.
    """
    return sum(map(_piece_columns, _unbreakable_pieces(text)))


def cut_to_columns(text: str, max_columns: int, min_columns: int = 0) -> str:
    """Returns `text` on one line of at most `max_columns` columns; a text that was cut ends in "…".

    The text is cut between words, or between characters of scripts that have no spaces. It is cut within a
    word only if one word is longer than the line, or if fewer than `min_columns` columns would be kept. A
    slot is never cut.
    """
    text = " ".join(text.split())
    atoms = _unbreakable_pieces(text)
    widths = list(map(_piece_columns, atoms))
    if sum(widths) <= max_columns:
        return text
    room = max_columns - 1
    fitting = 0
    for width in widths:
        if width > room:
            break
        room -= width
        fitting += 1
    end = next((i for i in range(fitting, 0, -1) if _may_break_between(atoms[i - 1], atoms[i])), fitting)
    if sum(widths[:end]) < min_columns:
        end = fitting
    kept = "".join(atoms[:end]).rstrip(_DANGLING) or "".join(atoms[:end]).rstrip()
    return kept + ELLIPSIS if max_columns > 0 else ""


def _may_break_between(before: str, after: str) -> bool:
    if before.isspace() or after.isspace():
        return True
    return _may_break_beside(before) or _may_break_beside(after)


def _may_break_beside(piece: str) -> bool:
    """Returns whether a line may be broken before and after a character such as Han, kana or an emoji."""
    return unicodedata.east_asian_width(piece[0]) in "WF" and not _WHOLE.fullmatch(piece)

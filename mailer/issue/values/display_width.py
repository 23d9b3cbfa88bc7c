"""Measures a line in columns, and cuts it without splitting a character as readers see it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from wcwidth import iter_graphemes, wcswidth

from mailer.issue.values.fields import SLOT

__all__ = ["columns", "cut"]

ELLIPSIS = "…"
#: Columns that a slot without a default is taken to need.
_SLOT_COLUMNS = 10
#: What is never cut: a slot, and braces that are text.
_WHOLE = re.compile(SLOT.pattern + r"|\{\{\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*\}\}")
_DANGLING = " \t,;:.-–—·/|(\"'&+、，；：。！？·…—“‘（《〈「『【〔"


def _atoms(text: str) -> list[str]:
    """Returns the text in unbreakable pieces: slots, and what a reader sees as one character."""
    atoms: list[str] = []
    end = 0
    for slot in _WHOLE.finditer(text):
        atoms += iter_graphemes(text[end : slot.start()])
        atoms.append(slot[0])
        end = slot.end()
    return [*atoms, *iter_graphemes(text[end:])]


@lru_cache(maxsize=4096)
def _width(atom: str) -> int:
    if len(atom) > 4 and _WHOLE.fullmatch(atom):
        default = re.search(r"\"([^\"]*)\"|'([^']*)'", atom)
        return sum(map(_width, iter_graphemes(default[1] or default[2] or ""))) if default else _SLOT_COLUMNS
    return max(wcswidth(atom), 0)


def columns(text: str) -> int:
    """Returns the number of columns of a line. A wide character takes two, a slot as many as its default."""
    return sum(map(_width, _atoms(text)))


def cut(text: str, limit: int, least: int = 0) -> str:
    """Returns `text` on one line of at most `limit` columns; a text that was cut ends in "…".

    It is cut between words, or between characters of scripts that have no spaces. Only where one word is
    longer than the line, or fewer than `least` columns would be kept, is it cut inside, between two
    characters; never inside a slot.
    """
    text = " ".join(text.split())
    atoms = _atoms(text)
    widths = list(map(_width, atoms))
    if sum(widths) <= limit:
        return text
    room = limit - 1
    fitting = 0
    for width in widths:
        if width > room:
            break
        room -= width
        fitting += 1
    end = next((i for i in range(fitting, 0, -1) if _may_break(atoms[i - 1], atoms[i])), fitting)
    if sum(widths[:end]) < least:
        end = fitting
    kept = "".join(atoms[:end]).rstrip(_DANGLING) or "".join(atoms[:end]).rstrip()
    return kept + ELLIPSIS if limit > 0 else ""


def _may_break(before: str, after: str) -> bool:
    if before.isspace() or after.isspace():
        return True
    return _stands_alone(before) or _stands_alone(after)


def _stands_alone(atom: str) -> bool:
    """Returns whether a line may be broken beside this character, as with Han, kana and emoji."""
    return unicodedata.east_asian_width(atom[0]) in "WF" and not _WHOLE.fullmatch(atom)

"""Finishes the text part: tidies it, cuts it at its slots, finds the paragraphs that may be wrapped again.

`wrap` has left marks in the text (see `lines`), which are gone afterwards. A slot within an address is
percent-encoded, as it is in the HTML part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import Context, Paragraph, Part, Slot
from mailer.render.text.display_columns import MARKER
from mailer.render.text.lines import BREAK, KEEP, LEAD, MARKS, SPACE
from mailer.render.text.wrap import flowing

__all__ = ["text_part"]

#: As far as an address reaches. Those of links stand alone or in <…>, see `plain_inline`.
_ADDRESS = re.compile(r"(?:https?://|webcal://|mailto:|www\.|(?<=<)tel:)[!#-;=?-~]*", re.IGNORECASE)


@dataclass(frozen=True)
class _Lines:
    """Holds the range of characters (`start` to `end`) of some lines that are one paragraph with slots."""

    start: int
    end: int
    first: str
    rest: str
    source: str


def text_part(text: str, markers: Markers) -> Part:
    """Returns the output of a text template as a part. Raises ThemeError where a filter has cut a marker."""
    text, lines = _read(_tidy(text))
    found = list(markers.find(text))
    addresses = [match.span() for match in _ADDRESS.finditer(text)]
    slots = [(match, each.slot(_context(text, match, addresses))) for match, each in found]
    part = markers.cut(text, slots)
    paragraphs = (_paragraph(each, slots, markers) for each in lines)
    return Part(part.fragments, part.slots, tuple(each for each in paragraphs if each is not None))


def _tidy(text: str) -> str:
    """Returns the text with no space at line ends, single empty lines only, and one final line end."""
    text = re.sub(r"(?<![ \t])[ \t]+\n", "\n", text.replace("\r\n", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _read(text: str) -> tuple[str, list[_Lines]]:
    """Returns the text without marks, and its paragraphs with slots."""
    out: list[str] = []
    found: list[_Lines] = []
    open_: _Lines | None = None
    at = 0
    for line in text.removesuffix("\n").split("\n"):
        before, *rest, words = line.split(LEAD) if LEAD in line else ("", line)
        shown = MARKS.sub("", before + words).rstrip(" \t")
        source = MARKS.sub(lambda mark: " " if mark[0] == SPACE else "", words)
        end = at + len(shown)
        if rest:
            open_ = _Lines(at, end, before, rest[0], source)
        elif open_ is not None and LEAD in line:
            open_ = _Lines(open_.start, end, open_.first, open_.rest, open_.source + source)
        elif LEAD not in line and KEEP not in line and MARKER.search(shown):
            # A template that does not wrap: the line itself tells the marks before its words.
            plain = flowing(shown)
            found.append(_Lines(at, end, plain.first, plain.rest, plain.text))
        ended = not words.endswith((SPACE, BREAK))
        if open_ is not None and ended:
            found.append(open_)
            open_ = None
        out.append(shown)
        at = end + 1
    return "\n".join(out) + "\n", found


def _context(text: str, match: re.Match[str], addresses: list[tuple[int, int]]) -> Context:
    """Returns URL where a slot stands within an address, else TEXT."""
    for start, end in addresses:
        if start < match.start() < end and not _closed(text[start : match.start()]):
            return Context.URL
    return Context.TEXT


def _closed(before: str) -> bool:
    """Returns whether a closing bracket ended the address before a slot, as in `(https://example.org/)`."""
    return before.count(")") > before.count("(") or before.count("]") > before.count("[")


def _paragraph(lines: _Lines, slots: list[tuple[re.Match[str], Slot]], markers: Markers) -> Paragraph | None:
    inside = [i for i, (match, _) in enumerate(slots) if lines.start <= match.start() < lines.end]
    found = list(markers.each(lines.source))
    if not inside or len(found) != len(inside):
        return None
    if found[0][1].is_link and MARKER.fullmatch(lines.source):
        return None  # an address of its own line, which is never broken
    first, last = slots[inside[0]][0], slots[inside[-1]][0]
    source = markers.cut(lines.source, [(match, each.slot(Context.TEXT)) for match, each in found])
    return Paragraph(
        slot=inside[0],
        before=first.start() - lines.start,
        after=lines.end - last.end(),
        source=source.fragments,
        first=lines.first,
        rest=lines.rest,
    )

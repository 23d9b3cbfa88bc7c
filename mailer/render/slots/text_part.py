"""Makes the text part of a text template's output, and finds the paragraphs that may be wrapped again.

The filter `wrap` has left marks in the output (see `lines`); this module removes them. The value of a slot
within a URL is percent-encoded, as in the HTML part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import Paragraph, RenditionPart, Slot, SlotContext
from mailer.render.text.display_columns import MARKER
from mailer.render.text.lines import BREAK, KEEP, LEAD, MARKS, SPACE
from mailer.render.text.wrap import flowing_line

__all__ = ["text_part"]

#: As far as an address reaches. Those of links stand alone or in <…>, see `plain_inline`.
_ADDRESS = re.compile(r"(?:https?://|webcal://|mailto:|www\.|(?<=<)tel:)[!#-;=?-~]*", re.IGNORECASE)


@dataclass(frozen=True)
class _ParagraphLines:
    """Holds the range of characters (`start` to `end`) of the lines of one paragraph with slots.

    `first`, `rest` and `source` have the same meaning as in `Paragraph`, but hold markers for the slots.
    """

    start: int
    end: int
    first: str
    rest: str
    source: str


def text_part(text: str, markers: Markers) -> RenditionPart:
    """Returns a text template's output as text with slots. Raises ThemeError if a filter has cut a marker."""
    text, lines = _read_paragraphs(_without_superfluous_space(text))
    found = list(markers.find_markers(text))
    addresses = [match.span() for match in _ADDRESS.finditer(text)]
    slots = [(match, each.in_context(_slot_context(text, match, addresses))) for match, each in found]
    part = markers.cut_at_matches(text, slots)
    paragraphs = (_paragraph_with_slots(each, slots, markers) for each in lines)
    return RenditionPart(part.fragments, part.slots, tuple(each for each in paragraphs if each is not None))


def _without_superfluous_space(text: str) -> str:
    """Returns the text without spaces at line ends or repeated empty lines, and with one final line end."""
    text = re.sub(r"(?<![ \t])[ \t]+\n", "\n", text.replace("\r\n", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _read_paragraphs(text: str) -> tuple[str, list[_ParagraphLines]]:
    """Returns the text without the marks of the filter `wrap`, and the paragraphs that contain slots."""
    out: list[str] = []
    found: list[_ParagraphLines] = []
    open_: _ParagraphLines | None = None
    at = 0
    for line in text.removesuffix("\n").split("\n"):
        before, *rest, words = line.split(LEAD) if LEAD in line else ("", line)
        shown = MARKS.sub("", before + words).rstrip(" \t")
        source = MARKS.sub(lambda mark: " " if mark[0] == SPACE else "", words)
        end = at + len(shown)
        if rest:
            open_ = _ParagraphLines(at, end, before, rest[0], source)
        elif open_ is not None and LEAD in line:
            open_ = _ParagraphLines(open_.start, end, open_.first, open_.rest, open_.source + source)
        elif LEAD not in line and KEEP not in line and MARKER.search(shown):
            # A template that does not wrap: the line itself tells the marks before its words.
            plain = flowing_line(shown)
            found.append(_ParagraphLines(at, end, plain.first, plain.rest, plain.text))
        ended = not words.endswith((SPACE, BREAK))
        if open_ is not None and ended:
            found.append(open_)
            open_ = None
        out.append(shown)
        at = end + 1
    return "\n".join(out) + "\n", found


def _slot_context(text: str, match: re.Match[str], addresses: list[tuple[int, int]]) -> SlotContext:
    """Returns URL if the slot at `match` stands within an address, else TEXT.

    `addresses` are the (start, end) of all addresses in the text.
    """
    for start, end in addresses:
        if start < match.start() < end and not _ends_address(text[start : match.start()]):
            return SlotContext.URL
    return SlotContext.TEXT


def _ends_address(address_so_far: str) -> bool:
    """Returns whether an address ends before a slot; `address_so_far` is the text from its start to the slot.

    A closing bracket ends an address, as in `(https://example.org/)`.
    """
    return address_so_far.count(")") > address_so_far.count("(") or address_so_far.count(
        "]"
    ) > address_so_far.count("[")


def _paragraph_with_slots(
    lines: _ParagraphLines, slots: list[tuple[re.Match[str], Slot]], markers: Markers
) -> Paragraph | None:
    inside = [i for i, (match, _) in enumerate(slots) if lines.start <= match.start() < lines.end]
    found = list(markers.find_markers_in_piece(lines.source))
    if not inside or len(found) != len(inside):
        return None
    if found[0][1].is_link and MARKER.fullmatch(lines.source):
        return None  # an address of its own line, which is never broken
    first, last = slots[inside[0]][0], slots[inside[-1]][0]
    source = markers.cut_at_matches(
        lines.source, [(match, each.in_context(SlotContext.TEXT)) for match, each in found]
    )
    return Paragraph(
        slot=inside[0],
        before=first.start() - lines.start,
        after=lines.end - last.end(),
        source=source.fragments,
        first=lines.first,
        rest=lines.rest,
    )

"""Encodes paragraphs of the text part with slots once, and wraps them again only for long values.

Most values are short, and then a paragraph is a join of bytes like everything else of a message. It is
wrapped and encoded again only where a reader's values make one of its lines longer than LIMIT columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mailer.message.mime import quoted_printable
from mailer.render.slots.slots import Paragraph, Part, joined
from mailer.render.text.display_columns import columns
from mailer.render.text.wrap import LIMIT

__all__ = ["ReadyParagraph"]


class ReadyParagraph:
    """Holds a paragraph of a part, prepared for many readers. `slots` are those within it, in order."""

    def __init__(self, part: Part, paragraph: Paragraph) -> None:
        self._paragraph = paragraph
        self._fragments = paragraph.fragments(part.fragments)
        self._encoded = [quoted_printable(fragment) for fragment in self._fragments]
        self.slots = part.slots[paragraph.slot : paragraph.end]
        self._lines = list(_measured(self._fragments))

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns its lines for one recipient."""
        filled = [slot.fill(values) for slot in self.slots]
        return self._wrapped(filled) or joined(self._fragments, filled)

    def encoded(self, filled: Sequence[str], lines: Sequence[bytes]) -> bytes:
        """Returns the same in quoted-printable. `lines` are the values, encoded by `mime.slot_lines`."""
        again = self._wrapped(filled)
        if again:
            return quoted_printable(again)
        found = [self._encoded[0]]
        for line, fragment in zip(lines, self._encoded[1:], strict=True):
            found += (line, fragment)
        return b"".join(found)

    def _wrapped(self, filled: Sequence[str]) -> str:
        """Returns its lines, wrapped again, where one of them is too long; else ''."""
        for width, inside in self._lines:
            most = width
            for number in inside:
                text = filled[number]
                # No character takes more than two columns. To count them takes longer.
                most += len(text) if text.isascii() else 2 * len(text)
            if most > LIMIT:
                shown = joined(self._fragments, filled)
                again = self._paragraph.wrapped(shown, filled)
                return again if again != shown else ""
        return ""


def _measured(fragments: Sequence[str]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Returns (columns without its slots, the numbers of its slots) of each line that has any slots."""
    width = 0
    inside: list[int] = []
    for number, fragment in enumerate(fragments):
        first, *others = fragment.split("\n")
        width += columns(first)
        if others:
            yield width, tuple(inside)
            width, inside = columns(others[-1]), []
        inside.append(number)
    yield width, tuple(inside[:-1])

"""Encodes each paragraph of the text part that has slots once, and wraps it again only for long values.

Most values are short, and then a paragraph is a join of bytes like everything else of a message. A paragraph
is wrapped and encoded again only if a reader's values make one of its lines longer than LIMIT columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mailer.message.mime import quoted_printable
from mailer.render.slots.slots import Paragraph, RenditionPart, join_fragments
from mailer.render.text.display_columns import display_width
from mailer.render.text.wrap import LIMIT

__all__ = ["EncodedParagraph"]


class EncodedParagraph:
    """Holds the encoded fragments of a paragraph, to be joined with the values of each reader.

    `slots` are the slots within the paragraph, in order.
    """

    def __init__(self, part: RenditionPart, paragraph: Paragraph) -> None:
        self._paragraph = paragraph
        self._fragments = paragraph.own_fragments(part.fragments)
        self._encoded = [quoted_printable(fragment) for fragment in self._fragments]
        self.slots = part.slots[paragraph.slot : paragraph.end_slot]
        self._lines = list(_lines_with_slots(self._fragments))

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the text of the paragraph for one recipient. `values` maps paths of slots to values."""
        slot_values = [slot.fill(values) for slot in self.slots]
        return self._rewrapped_if_too_long(slot_values) or join_fragments(self._fragments, slot_values)

    def encode(self, slot_values: Sequence[str], encoded_values: Sequence[bytes]) -> bytes:
        """Returns the paragraph for one recipient in quoted-printable.

        `encoded_values` are the same values after `mime.encode_slot_value`.
        """
        rewrapped = self._rewrapped_if_too_long(slot_values)
        if rewrapped:
            return quoted_printable(rewrapped)
        found = [self._encoded[0]]
        for line, fragment in zip(encoded_values, self._encoded[1:], strict=True):
            found += (line, fragment)
        return b"".join(found)

    def _rewrapped_if_too_long(self, slot_values: Sequence[str]) -> str:
        """Returns the paragraph wrapped again if the values make a line too long, else an empty text."""
        for width, inside in self._lines:
            max_width = width
            for number in inside:
                text = slot_values[number]
                # No character takes more than two columns. To count them takes longer.
                max_width += len(text) if text.isascii() else 2 * len(text)
            if max_width > LIMIT:
                shown = join_fragments(self._fragments, slot_values)
                rewrapped = self._paragraph.wrapped_if_too_long(shown, slot_values)
                return rewrapped if rewrapped != shown else ""
        return ""


def _lines_with_slots(fragments: Sequence[str]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Returns (columns without the slots, numbers of the slots) of each line that has slots."""
    width = 0
    inside: list[int] = []
    for number, fragment in enumerate(fragments):
        first, *others = fragment.split("\n")
        width += display_width(first)
        if others:
            yield width, tuple(inside)
            width, inside = display_width(others[-1]), []
        inside.append(number)
    yield width, tuple(inside[:-1])

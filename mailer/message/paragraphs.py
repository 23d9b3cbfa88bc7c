"""Encodes each paragraph of the text part that has slots once, and wraps it again only for long values.

Most values are short, and then a paragraph is a join of bytes like everything else of a message. A paragraph
is wrapped again if a reader's values make one of its lines longer than LIMIT columns. Links do so in nearly
every message, and where lines end depends on the lengths of such values alone: so the fragments of a wrapped
paragraph are kept, encoded, for the readers whose values have the same lengths.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mailer.message.mime import encode_quoted_printable
from mailer.render.slots.slots import Paragraph, RenditionPart, join_fragments
from mailer.render.text.display_columns import display_width
from mailer.render.text.wrap import LIMIT

__all__ = ["EncodedParagraph"]

#: A value that is one word for `wrap`: only its length decides where lines end.
_ONE_WORD = re.compile(r"(https://)?[A-Za-z0-9](?:[A-Za-z0-9._@/?=&%+-]*[A-Za-z0-9])?")
_REST_OF_SCHEME = re.compile(r"[A-Za-z]*:")
#: Layouts that are kept of one paragraph; no more are added.
_MAX_LAYOUTS = 1000

#: The length of each value of a paragraph, and whether the value is a URL, which `wrap` breaks before.
_Lengths = tuple[tuple[int, bool], ...]


class _EncodedLayout(NamedTuple):
    """Holds the fragments before, between and after the slots of a wrapped paragraph, as text and encoded."""

    texts: Sequence[str]
    encoded: Sequence[bytes]


class EncodedParagraph:
    """Holds the encoded fragments of a paragraph, to be joined with the values of each reader.

    `slots` are the slots within the paragraph, in order. Several threads may use it at once.
    """

    def __init__(self, part: RenditionPart, paragraph: Paragraph) -> None:
        self._paragraph = paragraph
        self._usual = _encoded_layout(paragraph.own_fragments(part.fragments))
        self.slots = part.slots[paragraph.slot : paragraph.end_slot]
        #: The number of bytes in quoted-printable without the values of slots.
        self.constant_size = sum(map(len, self._usual.encoded))
        self._lines = list(_widths_and_slots_of_lines(self._usual.texts))
        self._has_reusable_layouts = not any(map(_affects_word_before, paragraph.source[1:]))
        self._layouts: dict[_Lengths, _EncodedLayout] = {}

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the paragraph's lines for one recipient. `values` maps paths of slots to values."""
        slot_values = [slot.fill(values) for slot in self.slots]
        layout = self._layout_for(slot_values)
        return layout if isinstance(layout, str) else join_fragments(layout.texts, slot_values)

    def encode(self, slot_values: Sequence[str], encoded_values: Sequence[bytes]) -> bytes:
        """Returns the paragraph's lines for one recipient in quoted-printable.

        `slot_values` are the escaped values of the slots, and `encoded_values` are the same values after
        `mime.encode_slot_value`.
        """
        layout = self._layout_for(slot_values)
        if isinstance(layout, str):
            return encode_quoted_printable(layout)
        found = [layout.encoded[0]]
        for line, fragment in zip(encoded_values, layout.encoded[1:], strict=True):
            found += (line, fragment)
        return b"".join(found)

    def _layout_for(self, slot_values: Sequence[str]) -> _EncodedLayout | str:
        """Returns the fragments to join with these values, or the finished text if they cannot be reused."""
        if not self._may_need_wrapping(slot_values):
            return self._usual
        lengths = self._reusable_value_lengths(slot_values)
        if lengths is not None and lengths in self._layouts:
            return self._layouts[lengths]
        shown = join_fragments(self._usual.texts, slot_values)
        wrapped = self._paragraph.wrapped_if_too_long(shown, slot_values)
        if wrapped == shown:
            layout: _EncodedLayout | None = self._usual
        else:
            cut = lengths and _fragments_around_values(wrapped, self._paragraph, slot_values)
            layout = _encoded_layout(cut) if cut else None
        if layout is None:
            return wrapped
        if lengths is not None and len(self._layouts) < _MAX_LAYOUTS:
            self._layouts[lengths] = layout
        return layout

    def _may_need_wrapping(self, slot_values: Sequence[str]) -> bool:
        for width, inside in self._lines:
            widest = width
            for number in inside:
                text = slot_values[number]
                # No character takes more than two columns. To count them takes longer.
                widest += len(text) if text.isascii() else 2 * len(text)
            if widest > LIMIT:
                return True
        return False

    def _reusable_value_lengths(self, slot_values: Sequence[str]) -> _Lengths | None:
        """Returns the lengths of the values, or None if not only these lengths decide where lines end."""
        # `wrap` counts the marker of a slot, a word that begins with "slot", as 12 columns.
        if (
            not self._has_reusable_layouts
            or "slot" in join_fragments(self._paragraph.source, slot_values).lower()
        ):
            return None
        words = [_ONE_WORD.fullmatch(value) for value in slot_values]
        if not all(words):
            return None
        return tuple((len(word[0]), word[1] is not None) for word in words if word)


def _encoded_layout(fragments: Sequence[str]) -> _EncodedLayout:
    return _EncodedLayout(fragments, [encode_quoted_printable(fragment) for fragment in fragments])


def _affects_word_before(text: str) -> bool:
    """Returns whether the text begins with a combining mark, or with the rest of a scheme such as `s://`.

    Either changes how the word before the text is measured or broken.
    """
    return bool(text) and (
        unicodedata.category(text[0])[0] in "MC" or _REST_OF_SCHEME.match(text) is not None
    )


def _fragments_around_values(
    wrapped: str, paragraph: Paragraph, slot_values: Sequence[str]
) -> list[str] | None:
    """Returns the fragments before, between and after the values of a paragraph that was wrapped again.

    Wrapping changes only white space and the prefix of each line. So a value has as many other characters
    before it as in the paragraph's source. Returns None if a value is not found there.
    """
    begins, count = [], 0
    for piece, value in zip(paragraph.source, slot_values, strict=False):
        count += sum(not character.isspace() for character in piece)
        begins.append(count)
        count += len(value)
    places: list[int] = []
    count = offset = 0
    for number, line in enumerate(wrapped.split("\n")):
        before = len(paragraph.rest if number else paragraph.first)
        for at, character in enumerate(line[before:], offset + before):
            if len(places) < len(begins) and count == begins[len(places)] and not character.isspace():
                places.append(at)
            count += not character.isspace()
        offset += len(line) + 1
    fragments, end = [], 0
    for place, value in zip(places, slot_values, strict=False):
        if not wrapped.startswith(value, place):
            return None
        fragments.append(wrapped[end:place])
        end = place + len(value)
    return [*fragments, wrapped[end:]] if len(places) == len(slot_values) else None


def _widths_and_slots_of_lines(fragments: Sequence[str]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yields (largest number of columns without the slots, numbers of the slots) of each line with slots."""
    width = 0
    inside: list[int] = []
    for number, fragment in enumerate(fragments):
        first, *others = fragment.split("\n")
        # A mark such as U+FE0F can make the last character of a value one column wider.
        width += display_width(first) + (number > 0 and _affects_word_before(first))
        if others:
            yield width, tuple(inside)
            width, inside = display_width(others[-1]), []
        inside.append(number)
    yield width, tuple(inside[:-1])

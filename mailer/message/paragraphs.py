"""Encodes paragraphs of the text part with slots once, and wraps them again only for long values.

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

from mailer.message.mime import quoted_printable
from mailer.render.slots.slots import Paragraph, Part, joined
from mailer.render.text.display_columns import columns
from mailer.render.text.wrap import LIMIT

__all__ = ["ReadyParagraph"]

#: A value that is one word for `wrap`: only its length decides where lines end.
_ONE_WORD = re.compile(r"(https://)?[A-Za-z0-9](?:[A-Za-z0-9._@/?=&%+-]*[A-Za-z0-9])?")
_REST_OF_SCHEME = re.compile(r"[A-Za-z]*:")
#: Layouts that are kept of one paragraph; no more are added.
_MAX_LAYOUTS = 1000

#: The length of each value of a paragraph, and whether the value is a URL, which `wrap` breaks before.
_Lengths = tuple[tuple[int, bool], ...]


class _Layout(NamedTuple):
    """Holds the fragments before, between and after the slots of a wrapped paragraph, as text and encoded."""

    texts: Sequence[str]
    encoded: Sequence[bytes]


class ReadyParagraph:
    """Holds a paragraph of a part, prepared for many readers. `slots` are those within it, in order.

    Several threads may use it at once.
    """

    def __init__(self, part: Part, paragraph: Paragraph) -> None:
        self._paragraph = paragraph
        self._usual = _encoded(paragraph.fragments(part.fragments))
        self.slots = part.slots[paragraph.slot : paragraph.end]
        self._lines = list(_measured(self._usual.texts))
        self._has_reusable_layouts = not any(map(_joins_the_word_before, paragraph.source[1:]))
        self._layouts: dict[_Lengths, _Layout] = {}

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the paragraph's lines for one recipient."""
        filled = [slot.fill(values) for slot in self.slots]
        layout = self._layout(filled)
        return layout if isinstance(layout, str) else joined(layout.texts, filled)

    def encoded(self, filled: Sequence[str], lines: Sequence[bytes]) -> bytes:
        """Returns the paragraph's lines for one recipient in quoted-printable.

        `filled` are the escaped values of the slots, `lines` the same values from `mime.slot_lines`.
        """
        layout = self._layout(filled)
        if isinstance(layout, str):
            return quoted_printable(layout)
        found = [layout.encoded[0]]
        for line, fragment in zip(lines, layout.encoded[1:], strict=True):
            found += (line, fragment)
        return b"".join(found)

    def _layout(self, filled: Sequence[str]) -> _Layout | str:
        """Returns the fragments for these values, or the finished lines if no other values can share them."""
        if not self._may_be_too_long(filled):
            return self._usual
        lengths = self._lengths(filled)
        if lengths is not None and lengths in self._layouts:
            return self._layouts[lengths]
        shown = joined(self._usual.texts, filled)
        wrapped = self._paragraph.wrapped(shown, filled)
        if wrapped == shown:
            layout: _Layout | None = self._usual
        else:
            cut = lengths and _cut(wrapped, self._paragraph, filled)
            layout = _encoded(cut) if cut else None
        if layout is None:
            return wrapped
        if lengths is not None and len(self._layouts) < _MAX_LAYOUTS:
            self._layouts[lengths] = layout
        return layout

    def _may_be_too_long(self, filled: Sequence[str]) -> bool:
        for width, inside in self._lines:
            widest = width
            for number in inside:
                text = filled[number]
                # No character takes more than two columns. To count them takes longer.
                widest += len(text) if text.isascii() else 2 * len(text)
            if widest > LIMIT:
                return True
        return False

    def _lengths(self, filled: Sequence[str]) -> _Lengths | None:
        """Returns what decides where lines end, or None if more than the lengths of the values does."""
        # `wrap` counts the marker of a slot, a word that begins with "slot", as 12 columns.
        if not self._has_reusable_layouts or "slot" in joined(self._paragraph.source, filled).lower():
            return None
        words = [_ONE_WORD.fullmatch(value) for value in filled]
        if not all(words):
            return None
        return tuple((len(word[0]), word[1] is not None) for word in words if word)


def _encoded(fragments: Sequence[str]) -> _Layout:
    return _Layout(fragments, [quoted_printable(fragment) for fragment in fragments])


def _joins_the_word_before(text: str) -> bool:
    """Returns whether the beginning of a text changes the word before it: a mark, or the rest of `https://`."""
    return bool(text) and (
        unicodedata.category(text[0])[0] in "MC" or _REST_OF_SCHEME.match(text) is not None
    )


def _cut(wrapped: str, paragraph: Paragraph, filled: Sequence[str]) -> list[str] | None:
    """Returns the fragments of a wrapped paragraph around its values; None if the values are not found.

    To wrap a paragraph changes nothing but white space and what stands before each line, so that a value has
    the same number of other characters before it in both.
    """
    begins, count = [], 0
    for piece, value in zip(paragraph.source, filled, strict=False):
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
    for place, value in zip(places, filled, strict=False):
        if not wrapped.startswith(value, place):
            return None
        fragments.append(wrapped[end:place])
        end = place + len(value)
    return [*fragments, wrapped[end:]] if len(places) == len(filled) else None


def _measured(fragments: Sequence[str]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yields (most columns without its slots, the numbers of its slots) of each line that has any slots."""
    width = 0
    inside: list[int] = []
    for number, fragment in enumerate(fragments):
        first, *others = fragment.split("\n")
        # A mark such as U+FE0F can make the last character of a value one column wider.
        width += columns(first) + (number > 0 and _joins_the_word_before(first))
        if others:
            yield width, tuple(inside)
            width, inside = columns(others[-1]), []
        inside.append(number)
    yield width, tuple(inside[:-1])

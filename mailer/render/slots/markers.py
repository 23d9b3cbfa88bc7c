"""Makes markers: the words that replace slots in the templates' output while a rendition is made.

A marker is a word of letters and digits, so Markdown, MJML, the inliner and any escaping leave it unchanged.
A marker contains a hash of all inputs of the rendition. So no text of the issue contains a marker by chance,
and rendering twice gives the same bytes. `html_part` finds the context that each marker stands in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailer.errors import ThemeError
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext

__all__ = ["MARKERS", "Markers", "OpenSlot"]

#: The key of the context of a template under which the markers of a rendering are; no template can name it.
MARKERS = " markers"


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """Holds a slot whose context is not known yet.

    The slot shows the first of `paths` (such as `subscriber.name`) that has a value for a reader, or
    `default`. `place` is the (path, line) where the slot was written.
    """

    paths: tuple[str, ...]
    default: str
    place: tuple[str, int | None]

    @property
    def is_link(self) -> bool:
        """Returns whether the slot is a link that belongs to one reader."""
        return self.paths[0].startswith("links.")

    def in_context(self, context: SlotContext) -> Slot:
        """Returns the slot for the place where it stands. `context` decides how its values are escaped."""
        return Slot(self.paths, self.default, context)

    def __str__(self) -> str:
        return str(self.in_context(SlotContext.TEXT))


@dataclass
class Markers:
    """Makes and finds the markers of one rendering. `seed` is a hash of all inputs of the rendering."""

    seed: str
    _opens: list[OpenSlot] = field(default_factory=list)
    _words: dict[OpenSlot, str] = field(default_factory=dict)
    #: How often the loops of the templates went round, so that `theme` can bound it.
    steps: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        digest = hashlib.sha256(b"mailer.slots\0" + self.seed.encode()).hexdigest()
        self._prefix = f"slot{digest[:24]}x"
        self._pattern = re.compile(f"{self._prefix}([0-9]{{1,6}})z", re.IGNORECASE)
        self._rest = re.compile(f"slot{digest[:3]}|{digest[:12]}|{digest[12:24]}", re.IGNORECASE)

    def make_marker(self, paths: tuple[str, ...], default: str, place: tuple[str, int | None]) -> str:
        """Returns the marker of a slot. `place` is the (path, line) where the slot is written.

        The slot shows the first of `paths` (such as `subscriber.name`) that has a value for a reader, or
        `default`. The same arguments always give the same marker.
        """
        wanted = OpenSlot(paths, default, place)
        if wanted not in self._words:
            self._words[wanted] = f"{self._prefix}{len(self._opens)}z"
            self._opens.append(wanted)
        return self._words[wanted]

    def find_markers(self, text: str) -> Iterator[tuple[re.Match[str], OpenSlot]]:
        """Returns each marker in a whole text, as (match, slot) in order.

        Raises ThemeError if the text holds a piece of a marker, which a filter must have cut.
        """
        if self._rest.search(self._pattern.sub("", text)):
            names = ", ".join(dict.fromkeys(str(each) for each in self._opens))
            raise ThemeError(
                f"a filter such as truncate has cut a slot into pieces; print the whole slot ({names})"
            )
        yield from self.find_markers_in_piece(text)

    def find_markers_in_piece(self, text: str) -> Iterator[tuple[re.Match[str], OpenSlot]]:
        """Returns (match, slot) for each marker in a piece of a text that `find_markers` has checked."""
        for match in self._pattern.finditer(text):
            number = int(match[1])
            if number < len(self._opens):
                yield match, self._opens[number]

    def cut_at_markers(self, text: str, context: SlotContext) -> RenditionPart:
        """Returns `text` cut at its markers, as a part whose slots all have the context `context`."""
        return self.cut_at_matches(
            text, [(match, each.in_context(context)) for match, each in self.find_markers(text)]
        )

    @staticmethod
    def cut_at_matches(text: str, slots: list[tuple[re.Match[str], Slot]]) -> RenditionPart:
        """Returns `text` cut at the markers in `slots`, which holds (match of a marker, its slot)."""
        fragments, end = [], 0
        for match, _ in slots:
            fragments.append(text[end : match.start()])
            end = match.end()
        return RenditionPart((*fragments, text[end:]), tuple(slot for _, slot in slots))

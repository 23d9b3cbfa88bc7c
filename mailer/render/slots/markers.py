"""Makes markers: the words that replace slots in the templates' output while a rendition is made.

A marker is a word of letters and digits, so that Markdown, MJML, the inliner and any escaping leave it
alone. It holds a hash of everything that goes into the rendition: no text of an issue can contain a
marker of its own rendering, and rendering twice gives the same bytes. Which context a marker
ends up in is found out in `html_part`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailer.errors import ThemeError
from mailer.render.slots.slots import Context, Part, Slot

__all__ = ["Markers", "OpenSlot"]


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """Holds a slot whose context is not known yet.

    `place` is the (path, line) where it was written.
    """

    paths: tuple[str, ...]
    default: str
    place: tuple[str, int | None]

    @property
    def is_link(self) -> bool:
        """Returns whether the slot is a link that belongs to one reader."""
        return self.paths[0].startswith("links.")

    def slot(self, context: Context) -> Slot:
        """Returns the slot with its context."""
        return Slot(self.paths, self.default, context)

    def __str__(self) -> str:
        return str(self.slot(Context.TEXT))


@dataclass
class Markers:
    """Makes and finds the markers of one rendering. `seed` is a hash of all its inputs."""

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

    def make(self, paths: tuple[str, ...], default: str, place: tuple[str, int | None]) -> str:
        """Returns the marker of a slot; the same slot of the same place has the same marker."""
        wanted = OpenSlot(paths, default, place)
        if wanted not in self._words:
            self._words[wanted] = f"{self._prefix}{len(self._opens)}z"
            self._opens.append(wanted)
        return self._words[wanted]

    def find(self, text: str) -> Iterator[tuple[re.Match[str], OpenSlot]]:
        """Returns every marker in a whole text, in order. Raises ThemeError where a filter has cut one."""
        if self._rest.search(self._pattern.sub("", text)):
            names = ", ".join(dict.fromkeys(str(each) for each in self._opens))
            raise ThemeError(
                f"a slot was cut into pieces by a filter such as truncate; print it whole ({names})"
            )
        yield from self.each(text)

    def each(self, text: str) -> Iterator[tuple[re.Match[str], OpenSlot]]:
        """Returns every marker in a piece of a text that `find` has checked as a whole."""
        for match in self._pattern.finditer(text):
            number = int(match[1])
            if number < len(self._opens):
                yield match, self._opens[number]

    def part(self, text: str, context: Context) -> Part:
        """Returns `text` cut at its markers, which all stand in the same context."""
        return self.cut(text, [(match, each.slot(context)) for match, each in self.find(text)])

    @staticmethod
    def cut(text: str, slots: list[tuple[re.Match[str], Slot]]) -> Part:
        """Returns `text` cut at the given matches."""
        fragments, end = [], 0
        for match, _ in slots:
            fragments.append(text[end : match.start()])
            end = match.end()
        return Part((*fragments, text[end:]), tuple(slot for _, slot in slots))

"""Defines slots and parts: text that was rendered once and is filled for each recipient.

A `Part` is text that was rendered once and cut at its slots: `fragments[0] slot[0] fragments[1] …`. A slot
knows the context it stands in and escapes for it, so that no value of a subscriber can leave
its place. `template_calls` makes the slots; `mailer.message` makes bytes of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

__all__ = ["Context", "Paragraph", "Part", "Slot", "joined"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
#: The same in every context that does not encode spaces; and the same with letters of every script, which
#: takes longer to find out.
_PLAIN = re.compile(r"[A-Za-z0-9_ @.:/+-]*")
_PLAIN_LETTERS = re.compile(r"[\w @.:/+-]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Context(StrEnum):
    """Lists the contexts of a slot, which decide how its value is escaped."""

    HTML = "html"  # between tags
    ATTRIBUTE = "attribute"  # inside a quoted attribute
    HREF = "href"  # a whole URL in an attribute
    URL = "url"  # a piece of a URL in an attribute: percent-encoded
    TEXT = "text"  # the plain-text part
    HEADER = "header"  # a header field, before its MIME encoding


@dataclass(frozen=True, slots=True)
class Slot:
    """Holds a slot.

    It shows the first of `paths` (such as `subscriber.name`) that has a value, or `default`.
    """

    paths: tuple[str, ...]
    default: str
    context: Context

    def value(self, values: Mapping[str, str]) -> str:
        """Returns the value without escapes. A path that `values` does not have counts as empty."""
        for path in self.paths:
            if value := values.get(path):
                return value
        return self.default

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the value, escaped for its context."""
        return escape(self.value(values), self.context)

    def __str__(self) -> str:
        """Returns the slot as an editor would write it."""
        words = [*self.paths, f'"{self.default}"'] if self.default else [*self.paths]
        return "{{ " + " or ".join(words) + " }}"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Describes a paragraph with slots that is wrapped again where a value makes a line too long.

    It begins `before` characters ahead of the slot number `slot` of its part, and ends `after` characters
    behind its last one. `source` is its text before it was wrapped, cut at its slots; `first` stands before
    its first line, `rest` before all others.
    """

    slot: int
    before: int
    after: int
    source: tuple[str, ...]
    first: str
    rest: str

    @property
    def end(self) -> int:
        """Returns the number of the slot after its last one."""
        return self.slot + len(self.source) - 1

    def fragments(self, fragments: Sequence[str]) -> tuple[str, ...]:
        """Returns the fragments of its part that belong to it: before, between and behind its slots."""
        own = list(fragments[self.slot : self.end + 1])
        own[0] = own[0][len(own[0]) - self.before :]
        own[-1] = own[-1][: self.after]
        return tuple(own)

    def wrapped(self, shown: str, filled: Sequence[str]) -> str:
        """Returns `shown`, or its text wrapped again with `filled` in it where a line is too long."""
        # Only here, because most readers do without.
        from mailer.render.text.wrap import rewrapped, too_long

        return rewrapped(joined(self.source, filled), self.first, self.rest) if too_long(shown) else shown


@dataclass(frozen=True, slots=True)
class Part:
    """Holds a text with slots. It always has one fragment more than it has slots.

    `paragraphs` are those that may have to be wrapped again, in order. Only a text part has any.
    """

    fragments: tuple[str, ...]
    slots: tuple[Slot, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fragments) != len(self.slots) + 1:
            raise ValueError("a part has one fragment more than it has slots")

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the text for one recipient. `values` maps paths such as `subscriber.name` to strings."""
        filled = [slot.fill(values) for slot in self.slots]
        if not self.paragraphs:
            return joined(self.fragments, filled)
        found: list[str] = []
        for piece in self.pieces():
            if isinstance(piece, Paragraph):
                inside = filled[piece.slot : piece.end]
                found.append(piece.wrapped(joined(piece.fragments(self.fragments), inside), inside))
            else:
                found.append(piece if isinstance(piece, str) else filled[piece])
        return "".join(found)

    def pieces(self) -> Iterator[str | int | Paragraph]:
        """Returns its texts, the numbers of its slots, and its paragraphs, in order."""
        at, begun = 0, 0  # the next slot, and how many characters of the fragment before it are done
        for each in self.paragraphs:
            yield from self._plain(at, begun, each.slot, len(self.fragments[each.slot]) - each.before)
            yield each
            at, begun = each.end, each.after
        yield from self._plain(at, begun, len(self.slots), len(self.fragments[-1]))

    def _plain(self, first: int, begin: int, last: int, end: int) -> Iterator[str | int]:
        """Yields a piece of the text as fragments and the numbers of the slots between them.

        It goes from `begin` in the fragment before the slot `first` to `end` in that before the slot `last`.
        """
        for number in range(first, last):
            yield self.fragments[number][begin:]
            yield number
            begin = 0
        yield self.fragments[last][begin:end]

    def to_json(self) -> dict[str, Any]:
        """Returns the part as JSON data, for `from_json`."""
        data: dict[str, Any] = {
            "fragments": list(self.fragments),
            "slots": [
                {"paths": list(s.paths), "default": s.default, "context": s.context.value} for s in self.slots
            ],
        }
        if self.paragraphs:
            data["paragraphs"] = [
                {**asdict(paragraph), "source": list(paragraph.source)} for paragraph in self.paragraphs
            ]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Part:
        """Returns the part of the data that this or an earlier version of `to_json` gave."""
        return cls(
            tuple(data["fragments"]),
            tuple(Slot(tuple(s["paths"]), s["default"], Context(s["context"])) for s in data["slots"]),
            tuple(Paragraph(**{**p, "source": tuple(p["source"])}) for p in data.get("paragraphs", ())),
        )


def joined(fragments: Sequence[str], filled: Sequence[str]) -> str:
    """Returns the fragments joined, with the filled slots between them."""
    pieces = [fragments[0]]
    for text, fragment in zip(filled, fragments[1:], strict=True):
        pieces += (text, fragment)
    return "".join(pieces)


def escape(value: str, context: Context) -> str:
    """Returns `value` escaped for `context`, without control characters."""
    if context is Context.HREF and not value.startswith(("https://", "http://")):
        return "#"
    if context is not Context.URL and (
        _PLAIN.fullmatch(value) or (not value.isascii() and _PLAIN_LETTERS.fullmatch(value))
    ):
        return value  # as most are
    value = _UNPRINTABLE.sub("", value)
    match context:
        case Context.HTML | Context.ATTRIBUTE:
            return html.escape(_CONTROL.sub(" ", value), quote=True)
        case Context.HREF:
            return html.escape(value, quote=True)
        case Context.URL:
            return "" if value in (".", "..") else quote(value, safe="")  # a step in a path, even encoded
        case Context.TEXT | Context.HEADER:
            return _CONTROL.sub(" ", value)

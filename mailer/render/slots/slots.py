"""Defines slots, and the text between slots that is rendered once and filled for each recipient.

A `RenditionPart` is a rendered text that was cut at its slots: fragment, slot, fragment, … fragment. A slot
escapes its value for the context that it stands in (HTML text, attribute, URL …), so no value of a subscriber
can change the text around it. `template_calls` makes the slots, and `mailer.message` encodes the parts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from mailer.issue.values.expressions import slot_text

__all__ = ["SlotContext", "Paragraph", "RenditionPart", "Slot", "join_fragments"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
#: The same in every context that does not encode spaces; and the same with letters of every script, which
#: takes longer to find out.
_PLAIN = re.compile(r"[A-Za-z0-9_ @.:/+-]*")
_PLAIN_LETTERS = re.compile(r"[\w @.:/+-]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class SlotContext(StrEnum):
    """Lists the contexts that a slot can stand in. The context decides how the slot's value is escaped."""

    HTML = "html"  # between tags
    ATTRIBUTE = "attribute"  # inside a quoted attribute
    HREF = "href"  # a whole URL in an attribute
    URL = "url"  # a piece of a URL in an attribute: percent-encoded
    TEXT = "text"  # the plain-text part
    HEADER = "header"  # a header field, before its MIME encoding


@dataclass(frozen=True, slots=True)
class Slot:
    """Holds a slot: it shows the first of `paths` (such as `subscriber.name`) with a value, or `default`."""

    paths: tuple[str, ...]
    default: str
    context: SlotContext

    def unescaped_value(self, values: Mapping[str, str]) -> str:
        """Returns the slot's value for one recipient, not escaped.

        `values` maps paths such as `subscriber.name` to strings. A missing path counts as an empty value.
        """
        for path in self.paths:
            if value := values.get(path):
                return value
        return self.default

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the slot's value from `values` (path -> value), escaped for the slot's context."""
        return escape_for_context(self.unescaped_value(values), self.context)

    def __str__(self) -> str:
        """Returns the slot as it is written in an issue or a template."""
        return slot_text(self.paths, self.default)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Describes a paragraph with slots, which is wrapped again if a value makes one of its lines too long.

    `slot` is the number (from 0) of the paragraph's first slot among the slots of the part. The paragraph
    begins `before` characters ahead of this slot, and ends `after` characters behind the paragraph's last
    slot. `source` is the unwrapped text of the paragraph, cut at the slots. `first` is the text before the
    paragraph's first line (such as a bullet), and `rest` the text before each other line.
    """

    slot: int
    before: int
    after: int
    source: tuple[str, ...]
    first: str
    rest: str

    @property
    def end_slot(self) -> int:
        """Returns the number (from 0) of the first slot of the part behind the paragraph."""
        return self.slot + len(self.source) - 1

    def own_fragments(self, fragments: Sequence[str]) -> tuple[str, ...]:
        """Returns the fragments of the paragraph: the text before, between and behind its slots.

        `fragments` are the fragments of the whole part.
        """
        own = list(fragments[self.slot : self.end_slot + 1])
        own[0] = own[0][len(own[0]) - self.before :]
        own[-1] = own[-1][: self.after]
        return tuple(own)

    def wrapped_if_too_long(self, shown: str, slot_values: Sequence[str]) -> str:
        """Returns the filled paragraph, wrapped again if a line is too long for a mail.

        `shown` is the paragraph as it was wrapped before its slots were filled, with the values filled in.

        `slot_values` holds the escaped values of the paragraph's slots.
        """
        # Only here, because most readers do without.
        from mailer.render.text.wrap import has_too_long_line, wrap_paragraph

        return (
            wrap_paragraph(join_fragments(self.source, slot_values), self.first, self.rest)
            if has_too_long_line(shown)
            else shown
        )


@dataclass(frozen=True, slots=True)
class RenditionPart:
    """Holds a text cut at its slots: one fragment before each slot, and one after the last slot.

    `paragraphs` holds, for a text part, the paragraphs that contain slots, in order: they are wrapped again
    if the values of a recipient make a line too long. It is empty for other parts.
    """

    fragments: tuple[str, ...]
    slots: tuple[Slot, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fragments) != len(self.slots) + 1:
            raise ValueError("a part must have exactly one fragment more than it has slots")

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the text for one recipient. `values` maps paths such as `subscriber.name` to strings."""
        slot_values = [slot.fill(values) for slot in self.slots]
        if not self.paragraphs:
            return join_fragments(self.fragments, slot_values)
        found: list[str] = []
        for piece in self.pieces():
            if isinstance(piece, Paragraph):
                inside = slot_values[piece.slot : piece.end_slot]
                found.append(
                    piece.wrapped_if_too_long(
                        join_fragments(piece.own_fragments(self.fragments), inside), inside
                    )
                )
            else:
                found.append(piece if isinstance(piece, str) else slot_values[piece])
        return "".join(found)

    def pieces(self) -> Iterator[str | int | Paragraph]:
        """Yields the pieces of the part in order: a text, the number of a slot, or a paragraph with slots."""
        at, begun = 0, 0  # the next slot, and how many characters of the fragment before it are done
        for each in self.paragraphs:
            yield from self._fragments_and_slots(
                at, begun, each.slot, len(self.fragments[each.slot]) - each.before
            )
            yield each
            at, begun = each.end_slot, each.after
        yield from self._fragments_and_slots(at, begun, len(self.slots), len(self.fragments[-1]))

    def _fragments_and_slots(
        self, first_fragment: int, begin_offset: int, last_fragment: int, end_offset: int
    ) -> Iterator[str | int]:
        """Yields the texts and the numbers of the slots between two positions of the part.

        The first position is the character `begin_offset` of fragment number `first_fragment`, the second is
        the character `end_offset` of fragment number `last_fragment`.
        """
        for number in range(first_fragment, last_fragment):
            yield self.fragments[number][begin_offset:]
            yield number
            begin_offset = 0
        yield self.fragments[last_fragment][begin_offset:end_offset]

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
    def from_json(cls, data: Mapping[str, Any]) -> RenditionPart:
        """Returns the part from JSON data that `to_json` of this version or an earlier one made."""
        return cls(
            tuple(data["fragments"]),
            tuple(Slot(tuple(s["paths"]), s["default"], SlotContext(s["context"])) for s in data["slots"]),
            tuple(Paragraph(**{**p, "source": tuple(p["source"])}) for p in data.get("paragraphs", ())),
        )


def join_fragments(fragments: Sequence[str], slot_values: Sequence[str]) -> str:
    """Returns the fragments joined, with one of `slot_values` between each two fragments."""
    pieces = [fragments[0]]
    for text, fragment in zip(slot_values, fragments[1:], strict=True):
        pieces += (text, fragment)
    return "".join(pieces)


def escape_for_context(value: str, context: SlotContext) -> str:
    """Returns `value` without control characters, escaped for `context`."""
    if context is SlotContext.HREF and not value.startswith(("https://", "http://")):
        return "#"
    if context is not SlotContext.URL and (
        _PLAIN.fullmatch(value) or (not value.isascii() and _PLAIN_LETTERS.fullmatch(value))
    ):
        return value  # as most are
    value = _UNPRINTABLE.sub("", value)
    match context:
        case SlotContext.HTML | SlotContext.ATTRIBUTE:
            return html.escape(_CONTROL.sub(" ", value), quote=True)
        case SlotContext.HREF:
            return html.escape(value, quote=True)
        case SlotContext.URL:
            return "" if value in (".", "..") else quote(value, safe="")  # a step in a path, even encoded
        case SlotContext.TEXT | SlotContext.HEADER:
            return _CONTROL.sub(" ", value)

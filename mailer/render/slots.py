"""Places in a rendition that are filled per recipient, and what fills them.

A `Part` is text that was rendered once and cut at its slots: `fragments[0] slot[0] fragments[1] …`. A slot
knows the context it stands in and escapes for it, so that no value of a subscriber can leave
its place. Where the slots come from is told in `slotting`; how they become bytes of a message, in `delivery`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

__all__ = ["Context", "Part", "Slot"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
#: The same in every context that does not encode spaces; and the same with letters of every script, which
#: takes longer to find out.
_PLAIN = re.compile(r"[A-Za-z0-9_ @.:/+-]*")
_PLAIN_LETTERS = re.compile(r"[\w @.:/+-]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Context(StrEnum):
    """Where a slot stands, which decides how its value is escaped."""

    HTML = "html"  # between tags
    ATTRIBUTE = "attribute"  # inside a quoted attribute
    HREF = "href"  # a whole URL in an attribute
    URL = "url"  # a piece of a URL in an attribute: percent-encoded
    TEXT = "text"  # the plain-text part
    HEADER = "header"  # a header field, before its MIME encoding


@dataclass(frozen=True, slots=True)
class Slot:
    """One place to fill: the first of `paths` (such as `subscriber.name`) with a value, or `default`."""

    paths: tuple[str, ...]
    default: str
    context: Context

    def value(self, values: Mapping[str, str]) -> str:
        """The value as it is, not yet escaped. A path that `values` does not know counts as empty."""
        for path in self.paths:
            if value := values.get(path):
                return value
        return self.default

    def fill(self, values: Mapping[str, str]) -> str:
        """The value, escaped for where it stands."""
        return escape(self.value(values), self.context)

    def __str__(self) -> str:
        """The slot as an editor would write it."""
        words = [*self.paths, f'"{self.default}"'] if self.default else [*self.paths]
        return "{{ " + " or ".join(words) + " }}"


@dataclass(frozen=True, slots=True)
class Part:
    """Text with slots. There is always one fragment more than there are slots."""

    fragments: tuple[str, ...]
    slots: tuple[Slot, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fragments) != len(self.slots) + 1:
            raise ValueError("a part has one fragment more than it has slots")

    def fill(self, values: Mapping[str, str]) -> str:
        """The text for one recipient. `values` maps paths such as `subscriber.name` to plain strings."""
        pieces = [self.fragments[0]]
        for slot, fragment in zip(self.slots, self.fragments[1:], strict=True):
            pieces += (slot.fill(values), fragment)
        return "".join(pieces)

    def to_json(self) -> dict[str, Any]:
        """The part as JSON data, for `from_json`."""
        return {
            "fragments": list(self.fragments),
            "slots": [
                {"paths": list(s.paths), "default": s.default, "context": s.context.value} for s in self.slots
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Part:
        """The part that `to_json` gave."""
        return cls(
            tuple(data["fragments"]),
            tuple(Slot(tuple(s["paths"]), s["default"], Context(s["context"])) for s in data["slots"]),
        )


def escape(value: str, context: Context) -> str:
    """`value` made safe for `context`; what no reader can see (control characters) is left out."""
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

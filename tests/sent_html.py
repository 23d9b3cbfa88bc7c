"""Reads the HTML part of a mail: its elements with their declarations, and the rules of its style sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser

__all__ = ["Declaration", "Element", "declarations", "elements", "sheet_declarations", "unclosed"]

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905


@dataclass(frozen=True)
class Declaration:
    """One declaration. `where` is an element's start or a selector, `media` the query around it or ""."""

    name: str
    value: str
    where: str
    media: str = ""


@dataclass
class Element:
    """An element with its attributes, its parent, and the text of itself and all within."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = field(repr=False)
    text: str = field(default="", repr=False)
    declarations: list[Declaration] = field(default_factory=list, repr=False)

    def within(self, *tags: str) -> bool:
        """Whether it, or one of its ancestors, has one of these tags."""
        return self.tag in tags or (self.parent is not None and self.parent.within(*tags))

    def style(self, name: str) -> str:
        """The last value of a declaration of its style attribute, or ""."""
        return next((each.value for each in reversed(self.declarations) if each.name == name), "")


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[Element] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        element = Element(tag, values, self.open[-1] if self.open else None)
        element.declarations = list(declarations(values.get("style", ""), f"<{tag} {values}"[:120]))
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if self.open and self.open[-1].tag == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> in {[each.tag for each in self.open[-3:]]} at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


@cache
def elements(html: str) -> tuple[Element, ...]:
    """The elements in order; those in conditional comments are not among them."""
    return tuple(_Reader(html).found)


def unclosed(html: str) -> list[str]:
    """Tags that close nothing, and those that nothing closes."""
    reader = _Reader(html)
    return reader.faults + [f"<{each.tag}> is open" for each in reader.open]


def declarations(text: str, where: str, media: str = "") -> Iterator[Declaration]:
    """The declarations of a style attribute or of a rule's body."""
    for each in re.split(r";(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", text):
        name, colon, value = each.partition(":")
        if colon:
            yield Declaration(name.strip().lower(), value.strip().lower(), where, media)


def sheet_declarations(html: str) -> list[Declaration]:
    """The declarations of all style elements outside of conditional comments."""
    found: list[Declaration] = []
    for element in elements(html):
        if element.tag == "style":
            text = re.sub(r"/\*.*?\*/", "", element.text, flags=re.DOTALL)
            found += _rules(text, element.attributes.get("media", ""))
    return found


def _rules(text: str, media: str) -> Iterator[Declaration]:
    position = 0
    while (opening := text.find("{", position)) != -1:
        selector = text[position:opening].strip()
        depth, closing = 1, opening + 1
        while depth and closing < len(text):
            depth += {"{": 1, "}": -1}.get(text[closing], 0)
            closing += 1
        body = text[opening + 1 : closing - 1]
        if selector.startswith("@media"):
            yield from _rules(body, selector)
        else:
            yield from declarations(body, selector, media)
        position = closing

"""Finds mistakes in MJML that the library MRML accepts silently.

The mistakes are unknown elements and attributes, words and elements in places where MRML drops them, and
URLs of pictures that no mail program could load.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mailer.display_text import nearest_word
from mailer.render.html.wellformed import TOKEN, MarkupFault
from mailer.render.html_names import VOID_ELEMENTS

__all__ = ["lint_mjml"]

_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
#: Addresses of pictures: of the web, a slot, a part of the message, or as `mailer render -o` writes them.
_LOADS = re.compile(
    r"(?:https?://|cid:|data:image/|slot[0-9a-f]{24}x|(?:[\w./-]*/)?[0-9a-f]{20}\.\w+$|$)", re.I
)
#: Attributes of HTML, and what has their place in MJML.
_OF_HTML = {
    "class": '; write "css-class"',
    "style": "; write attributes of the element instead, or a css-class",
}
_PICTURES = {
    "src": ("mj-image", "img", "mj-carousel-image", "mj-social-element"),
    "background-url": ("mj-section", "mj-wrapper", "mj-hero"),
}


@dataclass(frozen=True, slots=True)
class _MjmlElement:
    """Describes an element of MJML: the names of its attributes and of the elements that it may hold.

    `children` is None for an element that holds HTML. `"*"` in either field means any name.
    """

    attributes: frozenset[str]
    children: frozenset[str] | None


@cache
def _mjml_elements() -> dict[str, _MjmlElement]:
    data = tomllib.loads((files("mailer.render.html") / "mjml_elements.toml").read_text("utf-8"))

    def split_names(text: str) -> frozenset[str]:
        return frozenset(text.format(**data["sets"]).split())

    found: dict[str, _MjmlElement] = {}
    for name, element in data["elements"].items():
        like = data["elements"].get(element.get("like", ""), {}).get("attributes", "")
        attributes = split_names(f"{element.get('attributes', '')} {like} {data['everywhere']}")
        found[name] = _MjmlElement(
            attributes, split_names(element["within"]) if "within" in element else None
        )
    return found


def lint_mjml(markup: str) -> Iterator[MarkupFault]:
    """Returns each mistake in `markup`, in order. `markup` must be MJML in which every tag is closed."""
    elements = _mjml_elements()
    stack: list[str] = []
    end = 0
    for token in TOKEN.finditer(markup):
        yield from _faults_of_dropped_words(markup, end, token.start(), stack)
        end = token.end()
        name = token["name"]
        if name is None:
            continue
        if token["end"]:
            stack.pop()
            continue
        lower = name.lower()
        if lower.startswith("mj") and (lower == "mjml" or lower.startswith("mj-")):
            yield from _faults_of_element(lower, stack, token.start())
        elif stack and (parent := elements.get(stack[-1])) and parent.children is not None:
            yield MarkupFault(
                f"<{name}> is not shown in <{stack[-1]}>; put it into an mj-text", token.start()
            )
        yield from _faults_of_attributes(lower, token["attributes"], token.start("attributes"))
        if not token["empty"] and lower not in VOID_ELEMENTS:
            stack.append(lower)


def _faults_of_dropped_words(
    markup: str, start: int, end: int, open_elements: list[str]
) -> Iterator[MarkupFault]:
    parent = _mjml_elements().get(open_elements[-1]) if open_elements else None
    text = markup[start:end]
    if parent is not None and parent.children is not None and text.strip():
        place = start + len(text) - len(text.lstrip())
        shown = " ".join(text.split())[:30]
        yield MarkupFault(
            f'the words "{shown}" are not shown in <{open_elements[-1]}>; put them into an mj-text', place
        )


def _faults_of_element(name: str, open_elements: list[str], offset: int) -> Iterator[MarkupFault]:
    elements = _mjml_elements()
    if name not in elements:
        best = nearest_word(name, elements)
        advice = f'; did you mean "{best}"?' if best else "; see MJML's documentation for its elements"
        yield MarkupFault(f"MJML has no <{name}>{advice}", offset)
        return
    parent = elements.get(open_elements[-1]) if open_elements else None
    if parent is None or parent.children is None or name == "mj-include":
        return
    if name not in parent.children and "*" not in parent.children:
        parents = [
            each for each, one in elements.items() if one.children is not None and name in one.children
        ]
        yield MarkupFault(
            f"<{name}> is not shown in <{open_elements[-1]}>; put it into {' or '.join(parents[:3])}", offset
        )


def _faults_of_attributes(element: str, attributes: str, start: int) -> Iterator[MarkupFault]:
    known = _mjml_elements().get(element)
    for found in _ATTRIBUTE.finditer(attributes):
        name, value = found[1].lower(), found[2] or found[3] or ""
        if known is not None and name not in known.attributes and "*" not in known.attributes:
            best = nearest_word(name, known.attributes)
            advice = _OF_HTML.get(name) or (f'; did you mean "{best}"?' if best else "")
            yield MarkupFault(f"<{element}> has no attribute {name}{advice}", start + found.start())
        if element in _PICTURES.get(name, ()) and not _LOADS.match(value.strip()):
            yield MarkupFault(
                f'"{value[:60]}" is not a URL that a mail program can load; print the URL of a picture of '
                "the issue, such as item.image.src, or write an https URL",
                start + found.start(),
            )

"""Finds mistakes in MJML that the library MRML accepts silently.

The mistakes are unknown elements and attributes, words and elements in places where MRML drops them, and
URLs of pictures that no mail program could load. What stands within an `mj-raw` is not MJML, so only the
pictures in it are checked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mailer.display_text import joined_names, nearest_word
from mailer.render.html.wellformed import TOKEN, MarkupFault
from mailer.render.html_names import VOID_ELEMENTS

__all__ = ["lint_mjml"]

_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'))?")
#: Addresses of pictures: of the web, a slot, a part of the message, or as `mailer render -o` writes them.
_LOADS = re.compile(
    r"(?:https?://[^\s/]|cid:|data:image/|slot[0-9a-f]{24}x|(?:[\w./-]*/)?[0-9a-f]{20}\.\w+$|$)", re.I
)
#: The URL of each picture in a `srcset`.
_CANDIDATE = re.compile(r"([^\s,]\S*?)(?:,(?=\s|$)|\s[^,]*(?:,|$)|$)")
#: Attributes of HTML, and what has their place in MJML.
_OF_HTML = {
    "class": '; write "css-class"',
    "style": "; write attributes of the element instead, or a css-class",
}
#: The elements whose default attributes are written on them.
_DEFAULTS = ("mj-all", "mj-class")
#: The elements on which each attribute holds addresses of pictures.
_PICTURES = {
    "src": ("mj-image", "img", "mj-carousel-image", "mj-social-element", *_DEFAULTS),
    "srcset": ("mj-image", "img", "source", "mj-social-element", *_DEFAULTS),
    "thumbnails-src": ("mj-carousel-image", *_DEFAULTS),
    "background-url": ("mj-section", "mj-wrapper", "mj-hero", *_DEFAULTS),
    "icon-wrapped-url": ("mj-accordion", "mj-accordion-element", *_DEFAULTS),
    "icon-unwrapped-url": ("mj-accordion", "mj-accordion-element", *_DEFAULTS),
}


@dataclass(frozen=True, slots=True)
class _MjmlElement:
    """Describes an element of MJML: the names of its attributes and of the elements that it may hold.

    `children` is None for an element that holds HTML. `"*"` among them means any name.
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
    every_attribute = frozenset().union(*(element.attributes for element in found.values())) - {"*"}
    for name in _DEFAULTS:
        found[name] = _MjmlElement(every_attribute, found[name].children)
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
        if lower.startswith("mj"):
            if "mj-raw" not in stack:
                yield from _faults_of_element(name, stack, token.start())
                yield from _faults_of_attribute_names(lower, token)
        elif stack and (parent := elements.get(stack[-1])) and parent.children is not None:
            yield MarkupFault(
                f"<{name}> is not shown in <{stack[-1]}>; put it into {_place_of_html(lower, stack[-1])}",
                token.start(),
            )
        yield from _faults_of_pictures(lower, token)
        if not token["empty"] and lower not in VOID_ELEMENTS:
            stack.append(lower)


def _place_of_html(name: str, parent: str) -> str:
    """Returns the element of MJML that the HTML element `name`, which stands in `parent`, belongs into."""
    if name == "style":
        return "an mj-style"
    return "an mj-raw" if parent == "mj-head" else "an mj-text"


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
    around = next((each for each in reversed(open_elements) if each in elements), None)
    if around is None or name == "mj-include":
        return
    children = elements[around].children
    if children is None or not children & {name, "*"}:
        yield MarkupFault(f"<{name}> is not shown in <{around}>; {_advice_on_place(name)}", offset)


def _advice_on_place(name: str) -> str:
    """Returns the words that tell where the element `name` may stand."""
    if name in _DEFAULTS:
        return "put it into mj-attributes"
    parents = [each for each, element in _mjml_elements().items() if name in (element.children or ())]
    return f"put it into {' or '.join(parents[:3])}" if parents else "remove it"


def _faults_of_attribute_names(element: str, token: re.Match[str]) -> Iterator[MarkupFault]:
    known = _mjml_elements().get(element)
    if known is None:
        return
    for found in _ATTRIBUTE.finditer(token["attributes"]):
        name = found[1]
        if name not in known.attributes:
            advice = _advice_on_attribute(name, known)
            yield MarkupFault(
                f"<{element}> has no attribute {name}{advice}", token.start("attributes") + found.start()
            )


def _advice_on_attribute(name: str, element: _MjmlElement) -> str:
    """Returns the words that tell what to write instead of the attribute `name`, which `element` lacks."""
    if name.lower() in _OF_HTML:
        return _OF_HTML[name.lower()]
    owners = [
        each for each, one in _mjml_elements().items() if name in one.attributes and each not in _DEFAULTS
    ]
    if owners:
        return f"; it belongs to {joined_names(owners[:3])}"
    best = nearest_word(name, element.attributes)
    return f'; did you mean "{best}"?' if best else "; remove it"


def _faults_of_pictures(element: str, token: re.Match[str]) -> Iterator[MarkupFault]:
    for found in _ATTRIBUTE.finditer(token["attributes"]):
        name, value = found[1].lower(), found[2] or found[3] or ""
        if element not in _PICTURES.get(name, ()):
            continue
        urls = _CANDIDATE.findall(value) if name == "srcset" else [value.strip()]
        for url in urls:
            if not _LOADS.match(url):
                yield MarkupFault(
                    f'"{url[:60]}" is not a URL that a mail program can load; print the URL of a picture of '
                    "the issue, such as item.image.src, or write an https URL",
                    token.start("attributes") + found.start(),
                )

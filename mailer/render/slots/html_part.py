"""Finds the context of each slot in the finished HTML, and cuts the HTML at its slots.

An HTML parser reads the finished HTML, so the context of a slot is the one that mail programs see. A slot in
a context where no escaping is safe (a comment, a style, a script, an attribute without quotes) is an error at
the line where the slot was written.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from mailer.errors import Problem, ThemeError
from mailer.render.html_names import URL_ATTRIBUTES
from mailer.render.slots.markers import Markers, OpenSlot
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext

__all__ = ["html_part", "html_without_slots"]

_RAW_TEXT = frozenset(("style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext"))
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)\s*=\s*(?P<value>"(?P<double>[^"]*)"|'(?P<single>[^']*)'|[^\s>]+)"""
)
#: After these a slot is percent-encoded, and cannot lead elsewhere.
_BEFORE_A_SLOT = re.compile(r"(?:https?|webcal)://[^/?#]+[/?#]|mailto:|tel:", re.IGNORECASE)
_IN_A_HOST = re.compile(r"(?:https?|webcal):", re.IGNORECASE)


class _ContextParser(HTMLParser):
    """Determines the context of each marker in an HTML document, in order."""

    def __init__(self, markers: Markers) -> None:
        super().__init__(convert_charrefs=False)
        self.markers = markers
        self.contexts: list[SlotContext] = []
        self.problems: list[Problem] = []
        self._raw: str | None = None

    def _refuse_markers(self, text: str, place: str) -> None:
        for _, open_ in self.markers.find_markers_in_piece(text):
            self.contexts.append(SlotContext.HTML)
            path, line = open_.place
            message = f"{open_} stands in {place}, where nothing can be filled in safely; move it"
            self.problems.append(Problem(message, path, line))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        text = self.get_starttag_text() or ""
        end = 0
        for attribute in _ATTRIBUTE.finditer(text, len(tag) + 1):
            self._refuse_markers(text[end : attribute.start("value")], "a tag")
            self._find_markers_in_attribute(attribute)
            end = attribute.end()
        self._refuse_markers(text[end:], "a tag")
        if tag in _RAW_TEXT:
            self._raw = tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._raw = None

    def handle_endtag(self, tag: str) -> None:
        if tag == self._raw:
            self._raw = None

    def _find_markers_in_attribute(self, attribute: re.Match[str]) -> None:
        name, value = attribute["name"].lower(), attribute["double"] or attribute["single"]
        if value is None:
            self._refuse_markers(attribute["value"], f"the attribute {name} without quotes around it")
        elif name == "style" or name == "srcset" or name.startswith("on"):
            self._refuse_markers(value, f"the attribute {name}")
        elif name in URL_ATTRIBUTES:
            for match, _ in self.markers.find_markers_in_piece(value):
                before = value[: match.start()].strip()
                if not before:
                    self.contexts.append(SlotContext.HREF)
                elif _BEFORE_A_SLOT.match(before):
                    self.contexts.append(SlotContext.URL)
                elif _IN_A_HOST.match(before):
                    self._refuse_markers(match[0], f"the host of the URL in {name}")
                else:
                    self._refuse_markers(
                        match[0], f"the attribute {name} behind a text that does not begin a URL"
                    )
        else:
            self.contexts += [SlotContext.ATTRIBUTE for _ in self.markers.find_markers_in_piece(value)]

    def handle_data(self, data: str) -> None:
        if self._raw:
            self._refuse_markers(data, f"a <{self._raw}>")
        else:
            self.contexts += [SlotContext.HTML for _ in self.markers.find_markers_in_piece(data)]

    def handle_comment(self, data: str) -> None:
        self._refuse_markers(data, "a comment")

    def handle_decl(self, decl: str) -> None:
        self._refuse_markers(decl, "a declaration")

    def handle_pi(self, data: str) -> None:
        self._refuse_markers(data, "a processing instruction")

    def unknown_decl(self, data: str) -> None:
        self._refuse_markers(data, "a comment")


def _markers_with_contexts(html: str, markers: Markers) -> list[tuple[re.Match[str], OpenSlot, SlotContext]]:
    found = list(markers.find_markers(html))
    if not found:
        return []
    reader = _ContextParser(markers)
    reader.feed(html)
    unread = any(markers.find_markers_in_piece(reader.rawdata))  # a tag that never ends
    reader.close()
    if reader.problems:
        raise ThemeError.from_problems(dict.fromkeys(reader.problems))
    if unread or len(reader.contexts) != len(found):
        path, line = found[-1][1].place
        raise ThemeError(Problem("a slot stands where the HTML is broken; close every tag", path, line))
    return [(match, open_, context) for (match, open_), context in zip(found, reader.contexts, strict=True)]


def html_part(html: str, markers: Markers) -> RenditionPart:
    """Returns the HTML cut at its slots, each with its context.

    Raises ThemeError if a slot stands in a context where no value can be filled in safely.
    """
    return markers.cut_at_matches(
        html, [(m, open_.in_context(context)) for m, open_, context in _markers_with_contexts(html, markers)]
    )


_LINK = re.compile(r"<(/?)a(?=[\s>/])(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)


def html_without_slots(html: str, markers: Markers) -> str:
    """Returns the HTML for the public page: with the defaults of slots, and without personal links."""
    found = _markers_with_contexts(html, markers)
    pieces: list[str] = []
    kept: list[bool] = []
    end = 0
    for tag in _LINK.finditer(html):
        is_personal = not tag[1] and any(open_.is_link for _, open_ in markers.find_markers_in_piece(tag[0]))
        if tag[1]:
            drop = bool(kept) and not kept.pop()
        else:
            drop = is_personal
            kept.append(not is_personal)
        if drop:
            pieces.append(html[end : tag.start()])
            end = tag.end()
    if pieces:
        html = "".join([*pieces, html[end:]])
        found = _markers_with_contexts(html, markers)
    slots: list[tuple[re.Match[str], Slot]] = [
        (match, open_.in_context(context)) for match, open_, context in found
    ]
    return markers.cut_at_matches(html, slots).fill({})

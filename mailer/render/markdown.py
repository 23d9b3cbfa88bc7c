"""Markdown of an issue to safe HTML and to plain text.

CommonMark with tables and strikethrough. HTML in the source is not HTML but text. What the parser gives
goes through nh3 with a list of allowed tags, attributes and schemes all the same: two walls, not one.
Slots have become markers before (see `markers`), which are plain words to everything here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from mailer.render.markers import MARKER
from mailer.render.plaintext import plain_text

if TYPE_CHECKING:
    from mailer.render.views import PictureView

__all__ = ["Block", "Complain", "Rich", "Source"]

#: Called with what is wrong and the line within the text, counted from 0.
Complain = Callable[[str, int], None]
#: Gives the picture for an address and its alternative text and caption, or None where it complained.
Find = Callable[[str, str, str, int], "PictureView | None"]

_TAGS = set(
    "p br strong em s code pre blockquote ul ol li a h2 h3 h4 h5 h6 hr table thead tbody tr th td img".split()  # noqa: SIM905
)
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={
        "a": {"href", "title"},
        "img": {"src", "alt", "title", "width", "height", "class"},
        "ol": {"start"},
        "th": {"align"},
        "td": {"align"},
        **{f"h{level}": {"id"} for level in range(2, 7)},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}, "table": {"cellpadding": "6"}},
    allowed_classes=None,
    link_rel="noopener",
    url_schemes={"http", "https", "mailto"},
)
_LINK = re.compile(r"(?:https?://[^/]|mailto:.)", re.IGNORECASE)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Source:
    """A Markdown text and what surrounds it.

    `level` is that of its highest heading; `anchors` gives headings an id with that prefix.
    """

    text: str
    find: Find
    complain: Complain
    level: int = 2
    anchors: str = ""


@dataclass(frozen=True)
class Block:
    """One top-level block of a text."""

    kind: Literal["heading", "picture", "text"]
    html: Markup
    text: str
    level: int = 0
    anchor: str = ""
    image: PictureView | None = None

    called = "a block"

    def __html__(self) -> str:
        return self.html

    def __str__(self) -> str:
        return self.text


class Rich:
    """A Markdown text: prints safe HTML in MJML and HTML templates, and plain text in text templates.

    `one_line` leaves out the `<p>` when it is printed, for captions.
    """

    called = "a Markdown field"

    def __init__(self, source: Source, *, one_line: bool = False) -> None:
        self._pictures: dict[int, PictureView] = {}
        self._source = source
        self._one_line = one_line
        self._tokens = _parse(source.text)
        self._prepare()

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def __html__(self) -> str:
        return self.inline if self._one_line else self.html

    def __str__(self) -> str:
        return self.text

    @cached_property
    def html(self) -> Markup:
        """The safe HTML."""
        return _html(self._tokens)

    @cached_property
    def text(self) -> str:
        """The plain text, not yet wrapped."""
        return plain_text(self._tokens)

    @cached_property
    def inline(self) -> Markup:
        """The HTML without the `<p>` of its paragraphs."""
        html = re.sub(r"</p>\s*<p>", "<br><br>", self.html.strip())
        return Markup(re.sub(r"^<p>|</p>$", "", html))  # noqa: S704

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The top-level blocks, in order."""
        return tuple(self._block(tokens) for tokens in _top_level(self._tokens))

    def _block(self, tokens: Sequence[Token]) -> Block:
        html, text = _html(tokens), plain_text(tokens)
        first = tokens[0]
        if first.type == "heading_open":
            return Block("heading", html, text, int(first.tag[1:]), str(first.attrs.get("id", "")))
        image = _lone_image(tokens)
        if image is not None and id(image) in self._pictures:
            return Block("picture", html, text, image=self._pictures[id(image)])
        return Block("text", html, text)

    def _prepare(self) -> None:
        """Sets headings, links and pictures right."""
        source = self._source
        levels = sorted({int(token.tag[1:]) for token in self._tokens if token.type == "heading_open"})
        last = source.level - 1
        number = 0
        for index, token in enumerate(self._tokens):
            if token.type == "heading_open":
                last = min(source.level + levels.index(int(token.tag[1:])), last + 1, 6)
                token.tag = self._tokens[index + 2].tag = f"h{last}"
                number += 1
                if source.anchors:
                    token.attrs["id"] = f"{source.anchors}-{number}"
            elif token.type in ("th_open", "td_open"):
                style = str(token.attrs.pop("style", ""))
                if style:
                    token.attrs["align"] = style.removeprefix("text-align:")
            line = token.map[0] if token.map else 0
            _join_wide(token.children or ())
            for child in token.children or ():
                if child.type == "link_open":
                    self._link(child, line)
                elif child.type == "image":
                    self._picture(child, line)

    def _link(self, token: Token, line: int) -> None:
        href = str(token.attrs.get("href", ""))
        if not _LINK.match(href) and not MARKER.match(href):
            shown = href[:80] or "nothing"
            self._source.complain(
                f'the link leads to "{shown}"; it must begin with https://, http:// or mailto:',
                line,
            )

    def _picture(self, token: Token, line: int) -> None:
        caption = str(token.attrs.get("title", ""))
        picture = self._source.find(str(token.attrs.get("src", "")), token.content, caption, line)
        if picture is None:
            return
        self._pictures[id(token)] = picture
        token.attrs["src"] = picture.src
        token.attrs["class"] = "picture"
        if picture.width and picture.height:
            token.attrs["width"], token.attrs["height"] = picture.width, picture.height


def _join_wide(children: Sequence[Token]) -> None:
    """A line end of the source reads as a space, which has no place between two Chinese characters."""
    for before, token, after in zip(children, children[1:], children[2:], strict=False):
        if token.type == "softbreak" and before.content and after.content:
            ends = (before.content[-1], after.content[0])
            if all(unicodedata.east_asian_width(end) in "WF" for end in ends):
                token.type = "text"


def _parse(text: str) -> list[Token]:
    return _markdown().parse(text)


def _html(tokens: Sequence[Token]) -> Markup:
    parser = _markdown()
    raw = parser.renderer.render(tokens, parser.options, {})
    return Markup(_CLEANER.clean(raw).rstrip("\n"))  # noqa: S704


def _top_level(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    groups: list[Sequence[Token]] = []
    start = depth = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            groups.append(tokens[start : index + 1])
            start = index + 1
    return groups


def _lone_image(tokens: Sequence[Token]) -> Token | None:
    """The image of a paragraph that holds nothing else."""
    if len(tokens) != 3 or tokens[0].type != "paragraph_open":
        return None
    children = [child for child in tokens[1].children or () if child.type != "text" or child.content.strip()]
    return children[0] if len(children) == 1 and children[0].type == "image" else None

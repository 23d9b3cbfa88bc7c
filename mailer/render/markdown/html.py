"""Writes the tree of a Markdown text as safe HTML and as plain text.

Nothing is parsed here: `mailer.issue.markdown` has read the text when the issue was loaded. The HTML still
goes through nh3 with a list of allowed tags, attributes and schemes.
Slots are markers here (see `markers`), which are plain words to everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from mailer.issue.markdown.document import Document, words_of
from mailer.issue.markdown.findings import line_of_token
from mailer.issue.markdown.parser import markdown_parser
from mailer.render.markdown.captions import caption_of, lone_image, set_captions, top_level
from mailer.render.markdown.picture_widths import STYLES as PICTURE_STYLES
from mailer.render.markdown.picture_widths import available_widths, style_of
from mailer.render.markdown.tables import ATTRIBUTES, FULL, STYLES, TAGS, lay_out_tables
from mailer.render.pictures.view import PictureView
from mailer.render.text.lines import PlainText
from mailer.render.text.plain import plain_text

__all__ = ["Block", "MarkdownText", "MarkdownSource"]

#: Gives the picture for an address, its alternative text, its caption, and its line in the text.
Find = Callable[[str, str, str, int], PictureView]

_NAMES = (
    "p br strong em s code pre blockquote ul ol li a h2 h3 h4 h5 h6 hr table thead tbody tr th td img "
    "sub sup kbd small mark"
)
_CLEANER = nh3.Cleaner(
    tags=set(_NAMES.split()) | TAGS,
    attributes={
        **ATTRIBUTES,
        "a": {"href", "title", "target", "id"},
        "img": {"src", "alt", "title", "width", "height", "class", "style"},
        "ol": {"start", "class"},
        "li": {"id"},
        **{f"h{level}": {"id"} for level in range(2, 7)},
    },
    set_tag_attribute_values={"table": {"cellpadding": "6"}},
    allowed_classes=None,
    filter_style_properties=set(STYLES | PICTURE_STYLES),
    link_rel="noopener",
    url_schemes={"http", "https", "mailto", "tel", "webcal"},
)
#: The footnotes stand at the end of a text.
_NOTES = '<ol class="footnotes">'


@dataclass(frozen=True)
class MarkdownSource:
    """Holds a parsed Markdown text and the settings to render it with.

    `change` is applied to each of its texts and attributes; it puts markers in place of slots. `level` is
    that of its highest heading; `anchors` gives headings an id with that prefix. `room` is the width that a
    mail has for it, in CSS px; `rtl` says that it runs from right to left.
    """

    document: Document
    find: Find
    level: int = 2
    anchors: str = ""
    change: Callable[[str], str] = str
    room: int = FULL
    rtl: bool = False


@dataclass(frozen=True)
class Block:
    """Holds one top-level block of a text. `html` is for web pages, `mail` for mails."""

    kind: Literal["heading", "picture", "text"]
    html: Markup
    mail: Markup
    text: PlainText
    level: int = 0
    anchor: str = ""
    image: PictureView | None = None

    called = "a block"

    def __html__(self) -> str:
        return self.html

    def __str__(self) -> str:
        return self.text.marked


class MarkdownText:
    """Prints a Markdown text as safe HTML in MJML and HTML templates, and as plain text in text templates."""

    called = "a Markdown field"

    def __init__(self, source: MarkdownSource, *, one_line: bool = False) -> None:
        self._pictures: dict[int, PictureView] = {}
        self._source = source
        self._one_line = one_line
        self._tokens = source.document.copied_tokens(source.change)
        self._prepare()
        self._place_pictures()

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def __html__(self) -> str:
        return self.inline if self._one_line else self.html

    def __str__(self) -> str:
        return self.text.marked

    @cached_property
    def html(self) -> Markup:
        """Returns the safe HTML for a web page."""
        return self._html(self._tokens)

    @cached_property
    def mail(self) -> Markup:
        """Returns the safe HTML for a mail."""
        return self._html(self._tokens, mail=True)

    @cached_property
    def text(self) -> PlainText:
        """Returns the plain text, not yet wrapped."""
        return plain_text(self._tokens)

    @cached_property
    def inline(self) -> Markup:
        """Returns the HTML without the `<p>` of its paragraphs."""
        html, list_, notes = str(self.html).strip().partition(_NOTES)
        html = re.sub(r"^<p>|</p>$", "", re.sub(r"</p>\s*<p>", "<br><br>", html.strip()))
        return Markup(html + list_ + notes)  # noqa: S704

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Returns the top-level blocks, in order."""
        return tuple(self._block(tokens) for tokens in top_level(self._tokens))

    def _html(self, tokens: Sequence[Token], *, mail: bool = False) -> Markup:
        source = self._source
        return _html(lay_out_tables(tokens, mail=mail, room=source.room, rtl=source.rtl))

    def _block(self, tokens: Sequence[Token]) -> Block:
        html, text = self._html(tokens), plain_text(tokens)
        tables = any(token.type == "table_open" for token in tokens)
        mail = self._html(tokens, mail=True) if tables else html
        first = tokens[0]
        if first.type == "heading_open":
            text = plain_text(tokens[1:-1])  # without its mark, for a template that sets a mark of its own
            return Block("heading", html, mail, text, int(first.tag[1:]), str(first.attrs.get("id", "")))
        image, _ = lone_image(tokens)
        if image is not None and id(image) in self._pictures:
            return Block("picture", html, mail, text, image=self._pictures[id(image)])
        return Block("text", html, mail, text)

    def _prepare(self) -> None:
        """Sets the levels and names of headings, and the attributes of links and cells."""
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
            for child in token.children or ():
                if child.type == "link_open" and not str(child.attrs.get("href", "")).startswith("#"):
                    child.attrs["target"] = "_blank"

    def _place_pictures(self) -> None:
        """Gives each picture its address and size: its own width, or the width that is available."""
        alone = {id(image): link for image, link in map(lone_image, top_level(self._tokens)) if image}
        for inline, room in available_widths(self._tokens, self._source.room):
            for child in inline.children or ():
                if child.type == "image":
                    self._picture(child, room, alone)
        set_captions(self._tokens)

    def _picture(self, token: Token, room: int, alone: Mapping[int, Token | None]) -> None:
        link = alone.get(id(token))
        caption = caption_of(token, link)
        alt = words_of(token.children or ())
        picture = self._source.find(str(token.attrs.get("src", "")), alt, caption, line_of_token(token))
        if id(token) in alone:
            url = str(link.attrs.get("href", "")) if link else ""
            picture = self._pictures[id(token)] = replace(picture, url=url)
        else:
            picture = picture.fit(room)
        token.attrs["src"] = picture.src
        token.attrs["class"] = "picture" if id(token) in alone else "inline"
        token.attrs["style"] = style_of(picture.width)
        if picture.width:
            token.attrs["width"] = picture.width
        if picture.height:
            token.attrs["height"] = picture.height


def _html(tokens: Sequence[Token]) -> Markup:
    raw = markdown_parser().renderer.render(tokens, markdown_parser().options, {})
    return Markup(_CLEANER.clean(raw).rstrip("\n"))  # noqa: S704

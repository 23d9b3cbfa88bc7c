"""Writes a parsed Markdown text as safe HTML and as plain text.

`mailer.issue.markdown` has parsed the text when the issue was loaded. The HTML is cleaned by nh3, with a list
of allowed tags, attributes and URL schemes. Slots are markers (see `markers`), which are ordinary words here.
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
from mailer.render.markdown.captions import (
    caption_of_image,
    lone_image_and_link,
    set_captions,
    top_level_blocks,
)
from mailer.render.markdown.long_words import has_long_word, let_long_words_break
from mailer.render.markdown.picture_widths import STYLES as PICTURE_STYLES
from mailer.render.markdown.picture_widths import available_widths, picture_style
from mailer.render.markdown.tables import ATTRIBUTES, FULL, STYLES, TAGS, lay_out_tables
from mailer.render.pictures.view import PictureView
from mailer.render.text.lines import PlainText
from mailer.render.text.plain import plain_text

__all__ = ["Block", "MarkdownText", "MarkdownSource"]

#: Gives the picture for an address, its alternative text, its caption, and its line in the text.
FindPicture = Callable[[str, str, str, int], PictureView]

_NAMES = (
    "p br strong em s code pre blockquote ul ol li a h2 h3 h4 h5 h6 hr table thead tbody tr th td img "
    "sub sup kbd small mark"
)
_CLEANER = nh3.Cleaner(
    tags=set(_NAMES.split()) | TAGS,
    attributes={
        **ATTRIBUTES,
        "a": {"href", "title", "target", "id", "style"},
        "img": {"src", "alt", "title", "width", "height", "class", "style"},
        "ol": {"start", "class"},
        "li": {"id"},
        "p": {"class"},
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

    `find_picture` returns the view of a picture. `replace_slots` is called with each text and attribute, and
    returns it with markers for its slots. `level` is the level (1 to 6) of the highest heading in the HTML.
    `anchors` is the prefix of the ids of headings; if it is "", headings get no ids. `width` is the width
    of the text in a mail, in CSS px. `is_rtl` is True for text from right to left.
    """

    document: Document
    find_picture: FindPicture
    level: int = 2
    anchors: str = ""
    replace_slots: Callable[[str], str] = str
    width: int = FULL
    is_rtl: bool = False


@dataclass(frozen=True)
class Block:
    """Holds one top-level block of a text: `html` for web pages, `mail` for mails, `text` for text parts.

    For a heading, `level` is 1 to 6 and `anchor` the id. `image` is the view of a block that is a picture.
    """

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
    """Prints a Markdown text as safe HTML in MJML and HTML templates, and as plain text in text templates.

    If `one_line` is True, the HTML has no `<p>` elements.
    """

    called = "a Markdown field"

    def __init__(self, source: MarkdownSource, *, one_line: bool = False) -> None:
        self._pictures: dict[int, PictureView] = {}
        self._source = source
        self._one_line = one_line
        self._tokens = source.document.copied_tokens(source.replace_slots)
        self._set_token_attributes()
        self._set_picture_attributes()

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def __html__(self) -> str:
        return self.inline if self._one_line else self.html

    def __str__(self) -> str:
        return self.text.marked

    @cached_property
    def html(self) -> Markup:
        """Returns the text as safe HTML for a web page."""
        return self._safe_html(self._tokens)

    @cached_property
    def mail(self) -> Markup:
        """Returns the text as safe HTML for a mail."""
        return self._safe_html(self._tokens, for_mail=True)

    @cached_property
    def text(self) -> PlainText:
        """Returns the text as plain text, not yet wrapped."""
        return plain_text(self._tokens)

    @cached_property
    def inline(self) -> Markup:
        """Returns the HTML without `<p>` elements: paragraphs are separated by line breaks."""
        return _without_paragraphs(self.html)

    @cached_property
    def mail_inline(self) -> Markup:
        """Returns the HTML for a mail without `<p>` elements, as `inline` does for a web page."""
        return _without_paragraphs(self.mail)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Returns the top-level blocks of the text, in order."""
        return tuple(self._make_block(tokens) for tokens in top_level_blocks(self._tokens))

    def _safe_html(self, tokens: Sequence[Token], *, for_mail: bool = False) -> Markup:
        source = self._source
        laid_out = lay_out_tables(tokens, for_mail=for_mail, width=source.width, is_rtl=source.is_rtl)
        return _sanitised_html(let_long_words_break(laid_out) if for_mail else laid_out)

    def _make_block(self, tokens: Sequence[Token]) -> Block:
        html, text = self._safe_html(tokens), plain_text(tokens)
        differs = has_long_word(tokens) or any(token.type == "table_open" for token in tokens)
        mail = self._safe_html(tokens, for_mail=True) if differs else html
        first = tokens[0]
        if first.type == "heading_open":
            text = plain_text(tokens[1:-1])  # without its mark, for a template that sets a mark of its own
            return Block("heading", html, mail, text, int(first.tag[1:]), str(first.attrs.get("id", "")))
        image, _ = lone_image_and_link(tokens)
        if image is not None and id(image) in self._pictures:
            return Block("picture", html, mail, text, image=self._pictures[id(image)])
        return Block("text", html, mail, text)

    def _set_token_attributes(self) -> None:
        """Sets the levels and ids of headings, the alignment of table cells, and `target` of links."""
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

    def _set_picture_attributes(self) -> None:
        """Sets the URL, size and style of each picture. A picture beside words is shrunk if necessary."""
        alone = {
            id(image): link
            for image, link in map(lone_image_and_link, top_level_blocks(self._tokens))
            if image
        }
        for inline, width in available_widths(self._tokens, self._source.width):
            for child in inline.children or ():
                if child.type == "image":
                    self._set_attributes_of_picture(child, width, alone)
        set_captions(self._tokens)

    def _set_attributes_of_picture(
        self, token: Token, width: int, links_of_lone_images: Mapping[int, Token | None]
    ) -> None:
        link = links_of_lone_images.get(id(token))
        caption = caption_of_image(token, link)
        alt = words_of(token.children or ())
        picture = self._source.find_picture(
            str(token.attrs.get("src", "")), alt, caption, line_of_token(token)
        )
        if id(token) in links_of_lone_images:
            url = str(link.attrs.get("href", "")) if link else ""
            picture = self._pictures[id(token)] = replace(picture, url=url)
        else:
            picture = picture.fit(width)
        token.attrs["src"] = picture.src
        token.attrs["class"] = "picture" if id(token) in links_of_lone_images else "inline"
        token.attrs["style"] = picture_style(picture.width)
        if picture.width:
            token.attrs["width"] = picture.width
        if picture.height:
            token.attrs["height"] = picture.height


def _without_paragraphs(html: Markup) -> Markup:
    text, list_, notes = str(html).strip().partition(_NOTES)
    text = re.sub(r"^<p>|</p>$", "", re.sub(r"</p>\s*<p>", "<br><br>", text.strip()))
    return Markup(text + list_ + notes)  # noqa: S704


def _sanitised_html(tokens: Sequence[Token]) -> Markup:
    raw = markdown_parser().renderer.render(tokens, markdown_parser().options, {})
    return Markup(_CLEANER.clean(raw).rstrip("\n"))  # noqa: S704

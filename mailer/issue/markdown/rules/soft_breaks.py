"""Processes the line ends within paragraphs: each becomes a space or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from mailer.issue.markdown.placeholders import PLACEHOLDER
from mailer.issue.values.line_ends import joins_without_space

__all__ = ["as_one_line", "drop_line_ends_between_cjk"]

#: How much of the text on each side is looked at.
_REACH = 100
#: Most line ends need no closer look: a Latin letter on a side, or Han and kana on both.
_LATIN = re.compile("[A-Za-z]")
_HAN = re.compile("[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff，。、]{2}")
_LINE_END = re.compile(r"[ \t]*\n[ \t\n]*")
#: A picture in a line counts as an emoji does.
_PICTURE = "\U0001f5bc"


def drop_line_ends_between_cjk(children: Sequence[Token]) -> None:
    """Drops the line ends between Chinese or Japanese characters in a paragraph and in titles, in place.

    The characters on both sides decide, even if they are in bold words, links or code. A `softbreak` that
    stays is rendered as a space; one that is dropped becomes an empty text.
    """
    for child in children:
        title = child.attrs.get("title")
        if isinstance(title, str) and "\n" in title:
            child.attrs["title"] = as_one_line(title)
    if not any(child.type == "softbreak" for child in children):
        return
    words = [_visible_text(child) for child in children]
    whole = "".join(words)
    at = 0
    for child, text in zip(children, words, strict=True):
        if child.type == "softbreak" and _is_line_end_dropped(whole, at, at + 1):
            child.type = "text"
        at += len(text)


def as_one_line(text: str) -> str:
    """Returns a text as one line: each line end in it becomes a space or nothing."""
    return _LINE_END.sub(lambda found: "" if _is_line_end_dropped(text, *found.span()) else " ", text)


def _is_line_end_dropped(text: str, start: int, end: int) -> bool:
    near = text[max(start - 1, 0) : start] + text[end : end + 1]
    if _LATIN.search(near):
        return False
    if _HAN.fullmatch(near):
        return True
    return joins_without_space(text[max(start - _REACH, 0) : start], text[end : end + _REACH])


def _visible_text(token: Token) -> str:
    """Returns the text of a token as readers see it, with slots in braces."""
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return _PICTURE
        case "text" | "code_inline":
            return PLACEHOLDER.sub("{{ }}", token.content)
    return ""

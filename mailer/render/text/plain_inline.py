"""Writes the inline tokens of a paragraph as plain text: struck words in `~~`, addresses in angle brackets.

The address of a link stands in `<…>` behind the words of the link (RFC 3986, appendix C), so that no mail
program takes a following punctuation mark for a part of the address. The address is the same as in the HTML
part. If the words are the address itself, the address is written once. Emphasised words have no marks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from markdown_it.common.normalize_url import normalizeLink, normalizeLinkText
from markdown_it.token import Token

__all__ = ["plain_address", "inline_text", "is_same_address"]

#: HTML that readers do not see as text (see docs/texts.md).
_SILENT = re.compile(r"</?(?:sub|sup|kbd|small|mark)>", re.IGNORECASE)
#: An issue has the same addresses in each of its variants and parts.
_ADDRESSES = 4000
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)?(?:www\.)?", re.IGNORECASE)


def inline_text(children: Sequence[Token]) -> str:
    """Returns the plain text of an inline token's children. A hard break becomes a line end."""
    return _InlineWriter().write(children).strip()


@lru_cache(maxsize=_ADDRESSES)
def plain_address(href: str) -> str:
    """Returns the address of a link for plain text: percent-encoded, and without `mailto:`."""
    address = normalizeLink(href)
    bare = address.removeprefix("mailto:")
    return address if any(mark in bare for mark in "?,%") else bare


def is_same_address(words: str, href: str) -> bool:
    """Returns whether the words of a link are the same address as the link's `href`.

    Percent-encoding and a leading `https://www.` make no difference.
    """
    if " " in words.strip() and "%20" not in href:
        return False  # as nearly always, and sooner known
    return _comparable_address(words) == _comparable_address(href)


@lru_cache(maxsize=_ADDRESSES)
def _comparable_address(address: str) -> str:
    decoded = normalizeLinkText(address.strip())
    return decoded[_SCHEME.match(decoded).end() :].removesuffix("/").casefold()  # type: ignore[union-attr]


class _InlineWriter:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.bare: str | None = None  # an address that was just written, and is closed when more comes

    def write(self, children: Sequence[Token]) -> str:
        for child in children:
            self.write_token(child)
        self._write_pending_address("")
        return "".join(self.pieces)

    def write_token(self, token: Token) -> None:
        match token.type:
            case "text" | "text_special" | "code_inline":
                self.write_text(token.content)
            case "softbreak":
                self.write_text(" ")
            case "hardbreak":
                self.write_text("\n")
            case "s_open" | "s_close":
                self.write_text("~~")
            case "html_inline" if not _SILENT.fullmatch(token.content):
                self.write_text(token.content)
            case "image":
                self.write_text(_picture_text(token))
            case "footnote_ref":
                self.write_text(f"[{token.meta['number']}]")
            case "link_open":
                self._write_pending_address("<")
                self.links.append((str(token.attrs.get("href", "")), len(self.pieces)))
            case "link_close" if self.links:
                self._close_link(*self.links.pop())

    def write_text(self, text: str) -> None:
        if text:
            self._write_pending_address(text)
            self.pieces.append(text)

    def _close_link(self, href: str, start: int) -> None:
        words = "".join(self.pieces[start:])
        address = plain_address(href)
        if not address or address.startswith("#"):
            return  # a place in the page
        if not words.strip() or is_same_address(words, href):
            del self.pieces[start:]
            self.bare = address
        elif f"<{address}>" not in words and address not in words.split():
            self.pieces.append(f" <{address}>")

    def _write_pending_address(self, following_text: str) -> None:
        """Writes the address that is waiting in `bare`, if any.

        The address gets angle brackets, unless it stands between spaces. `following_text` comes behind it.
        """
        if self.bare is not None:
            before = "".join(self.pieces[-1:])
            free = (not following_text or following_text[0].isspace()) and (
                not before or before[-1].isspace()
            )
            self.pieces.append(self.bare if free else f"<{self.bare}>")
            self.bare = None


def _picture_text(token: Token) -> str:
    alt = inline_text(token.children) if token.children else token.content
    caption = str(token.meta.get("caption", ""))
    return " ".join([*([f"[{alt}]"] if alt else []), *([caption] if caption else [])])

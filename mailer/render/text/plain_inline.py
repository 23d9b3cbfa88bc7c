"""Writes the inline tokens of a paragraph as plain text: struck words in `~~`, addresses in angle brackets.

An address stands in `<…>` behind the words that link to it (RFC 3986, appendix C), so that no mail program
takes a mark behind it for a part of it. It is the same as the href of the HTML part. Where the words are the
address, it is written once. Emphasis has no marks: the words say the same without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.common.normalize_url import normalizeLink, normalizeLinkText
from markdown_it.token import Token

__all__ = ["address_of", "inline_text", "is_address_of"]

#: HTML that readers do not see as text (see docs/texts.md).
_SILENT = re.compile(r"</?(?:sub|sup|kbd|small|mark)>", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)?(?:www\.)?", re.IGNORECASE)


def inline_text(children: Sequence[Token]) -> str:
    """Returns the text of the children of an inline token. Hard breaks are line ends."""
    return _Inline().write(children).strip()


def address_of(href: str) -> str:
    """Returns an href as plain text has it: percent-encoded, a mail address without `mailto:`."""
    address = normalizeLink(href)
    bare = address.removeprefix("mailto:")
    return address if any(mark in bare for mark in "?,%") else bare


def is_address_of(words: str, href: str) -> bool:
    """Returns whether words are the address itself, also decoded or shortened, so that it need not follow."""
    return _core(words) == _core(href)


def _core(address: str) -> str:
    decoded = normalizeLinkText(address.strip())
    return decoded[_SCHEME.match(decoded).end() :].removesuffix("/").casefold()  # type: ignore[union-attr]


class _Inline:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.bare: str | None = None  # an address that was just written, and is closed when more comes

    def write(self, children: Sequence[Token]) -> str:
        for child in children:
            self.token(child)
        self._close("")
        return "".join(self.pieces)

    def token(self, token: Token) -> None:
        match token.type:
            case "text" | "text_special" | "code_inline":
                self.put(token.content)
            case "softbreak":
                self.put(" ")
            case "hardbreak":
                self.put("\n")
            case "s_open" | "s_close":
                self.put("~~")
            case "html_inline" if not _SILENT.fullmatch(token.content):
                self.put(token.content)
            case "image":
                self.put(_picture(token))
            case "footnote_ref":
                self.put(f"[{token.meta['number']}]")
            case "link_open":
                self._close("<")
                self.links.append((str(token.attrs.get("href", "")), len(self.pieces)))
            case "link_close" if self.links:
                self._link(*self.links.pop())

    def put(self, text: str) -> None:
        if text:
            self._close(text)
            self.pieces.append(text)

    def _link(self, href: str, start: int) -> None:
        words = "".join(self.pieces[start:])
        address = address_of(href)
        if not address or address.startswith("#"):
            return  # a place in the page
        if not words.strip() or is_address_of(words, href):
            del self.pieces[start:]
            self.bare = address
        elif f"<{address}>" not in words and address not in words.split():
            self.pieces.append(f" <{address}>")

    def _close(self, after: str) -> None:
        """Writes the pending address: in brackets, unless it ends at a space or with the paragraph."""
        if self.bare is not None:
            before = "".join(self.pieces[-1:])
            free = (not after or after[0].isspace()) and (not before or before[-1].isspace())
            self.pieces.append(self.bare if free else f"<{self.bare}>")
            self.bare = None


def _picture(token: Token) -> str:
    alt = inline_text(token.children) if token.children else token.content
    caption = str(token.meta.get("caption", ""))
    return " ".join([*([f"[{alt}]"] if alt else []), *([caption] if caption else [])])

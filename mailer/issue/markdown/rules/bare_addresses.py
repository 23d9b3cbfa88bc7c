"""Turns bare URLs and e-mail addresses in a text into links: `https://…`, `http://…`, `www.…`, `a@b`.

The rules extend the autolinks of GitHub Flavored Markdown, because Chinese, Japanese, Korean and Thai are
written without spaces: docs/decisions/015-addresses-in-texts.md.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_inline import StateInline

from mailer.issue.markdown.placeholders import PLACEHOLDER
from mailer.issue.values.misspelt_urls import FILE_ENDINGS

__all__ = ["BareAddress", "bare_addresses", "add_bare_address_rule"]

_START = re.compile(
    r"(?<![A-Za-z0-9+])(?P<web>https?://)"
    r"|(?<![A-Za-z0-9.@/\\+=-])(?P<www>www\.)(?!\.)"
    r"|(?<![A-Za-z0-9.%+/@\\-])(?P<mail>(?:mailto:)?[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPE = re.compile(r"\\[!-/:-;=?@\[-`{-~]")
_USER = re.compile(r"[^\s/?#@<>\"]{0,100}@")
_PORT = re.compile(r":[0-9][0-9A-Za-z]*")
_MAIL_DOMAIN = re.compile(r"(?:[^.]+\.)+(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]+|[^\x00-\x7f]{2,63})")
_NO_MAIL = re.compile(r"[@/]|:[!-~]")
_PLAIN = re.compile(r"[A-Za-z0-9/?=%+@$.,;:!'#_-]+")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_TRAILING = "?!.,:;*_~'\"\\([{"
#: Letters of scripts without spaces between words, and Hangul, whose particles follow a word at once.
_SPACELESS = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u31ff\u3400-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00016fe0-\U00018cff\U0001b000-\U0001b2ff\U00020000-\U000323af]+"
)


@dataclass(frozen=True, slots=True)
class BareAddress:
    """Holds a bare URL or e-mail address from `start` to `end` of a source text.

    `address` is the URL of the link, and `written_text` the text as typed. `letters_behind` are letters right
    after `end` that perhaps belong to the address; `letters_within` are letters in the address that perhaps
    do not.
    """

    start: int
    end: int
    written_text: str
    address: str
    letters_behind: str = ""
    letters_within: str = ""


def add_bare_address_rule(parser: MarkdownIt) -> None:
    """Adds to `parser` the rule that turns bare URLs and e-mail addresses into links."""
    parser.inline.ruler.before("text", "bare", _bare_address_rule)


def _bare_address_rule(state: StateInline, silent: bool) -> bool:
    found = bare_addresses(state.src)
    index = bisect_left(found, state.pos, key=lambda each: each.start)
    if index == len(found):
        return False
    bare = found[index]
    if bare.start > state.pos:
        return _append_text_before_address(state, bare.start, silent)
    if bare.end > state.posMax:
        return False
    if not silent:
        _append_link_tokens(state, bare)
    state.pos = bare.end
    return True


def _append_text_before_address(state: StateInline, start: int, silent: bool) -> bool:
    """Appends the text before the address at `start`, where the parser's rule for text would not stop.

    Returns False if the rule for text stops before the address by itself. If `silent`, nothing is appended.
    """
    stop = state.md.inline.terminator_re.search(state.src, state.pos)
    if start >= min(stop.start() if stop else state.posMax, state.posMax):
        return False
    if not silent:
        state.append_pending(state.src[state.pos : start])
    state.pos = start
    return True


def _append_link_tokens(state: StateInline, bare: BareAddress) -> None:
    if state.linkLevel > 0:
        state.append_pending(bare.written_text)
        return
    token = state.push("link_open", "a", 1)
    token.attrs = {"href": bare.address}
    token.markup, token.info = "linkify", "auto"
    token.meta["bare"] = bare
    state.push("text", "", 0).content = bare.written_text
    token = state.push("link_close", "a", -1)
    token.markup, token.info = "linkify", "auto"


@lru_cache(maxsize=4)
def bare_addresses(source: str) -> list[BareAddress]:
    """Returns the bare URLs and e-mail addresses in a source text, in order, with those in code and links."""
    return list(_find_bare_addresses(source))


def _find_bare_addresses(source: str) -> Iterator[BareAddress]:
    position = 0
    while found := _START.search(source, position):
        position = found.end()
        before = source[found.start() - 1 : found.start()]
        if before.isalnum() and not _SPACELESS.match(before):
            continue  # within a word
        bare = _bare_mail_address_at(source, found) if found["mail"] else _bare_url_at(source, found)
        if bare is not None:
            position = bare.end
            yield bare


def _bare_url_at(source: str, match: re.Match[str]) -> BareAddress | None:
    begin = match.end()
    first = source[begin : begin + 1]
    if not (first.isalnum() or first in ("[", "_", "-") or (user := _USER.match(source, begin))):
        return None
    user = _USER.match(source, begin) if match["web"] else None
    if user:
        begin = user.end()
    end = _end_of_host(source, begin)
    host = source[begin:end].rstrip("._-")
    wanted = 2 if match["www"] and "." not in host else 1
    dots = host.count(".") + bool(match["www"])
    if dots < wanted or (match["www"] and not re.search(r"\.(?:[^\W\d_]{2,}|xn--[\w-]+)$", "." + host)):
        return None
    behind = within = ""
    port = _PORT.match(source, end)
    end = port.end() if port else end
    if source[end : end + 1] in ("/", "?", "#") and source[end : end + 1]:
        root = end + 1
        end, behind = _end_of_path_and_letters_behind(source, end)
        letters = _SPACELESS.match(source, root)
        if host.isascii() and letters and letters.end() <= end:
            within = letters[0][:12]
    end = _end_without_punctuation(source, match.end(), end)
    typed = _without_escapes(source[match.start() : end])
    return BareAddress(
        match.start(), end, typed, f"https://{typed}" if match["www"] else typed, behind, within
    )


def _bare_mail_address_at(source: str, match: re.Match[str]) -> BareAddress | None:
    end = _end_without_punctuation(source, match.end(), _end_of_host(source, match.end()))
    domain = source[match.end() : end].rstrip("-")
    end = match.end() + len(domain)
    name = match["mail"][:-1].rpartition(":")[2]
    if not _MAIL_DOMAIN.fullmatch(domain) or domain.rpartition(".")[2].lower() in FILE_ENDINGS:
        return None
    if _NO_MAIL.match(source, end) or name.endswith(".") or ".." in name or ".." in domain:
        return None
    typed = source[match.start() : end]
    if PLACEHOLDER.search(typed):
        return None
    return BareAddress(match.start(), end, typed, typed if ":" in typed else f"mailto:{typed}")


def _end_of_host(source: str, position: int) -> int:
    """Returns the offset at which the host that begins at `position` ends.

    Letters of a script without spaces, such as Chinese, may follow the host directly.
    """
    label = dot = position
    start = position
    while position < len(source):
        character = source[position]
        if character == ".":
            label, dot = position + 1, position
        elif character == "[" and position == start and "]" in source[position : position + 50]:
            return source.index("]", position) + 1
        elif _SPACELESS.match(character) and dot > start and "A" <= source[label].upper() <= "Z":
            return position
        elif not (
            character in "-_"
            or character.isalnum()
            or unicodedata.category(character) in ("Mn", "Mc", "Cf")
            or character == "\u00b7"
        ):
            break
        position += 1
    return position


def _end_of_path_and_letters_behind(source: str, position: int) -> tuple[int, str]:
    """Returns the offset at which the path, query and fragment that begin at `position` end.

    Also returns the letters right after that offset that perhaps belong to the URL ("" if there are none).
    """
    open_: list[str] = []
    while position < len(source):
        plain = _PLAIN.match(source, position)
        if plain:
            position = plain.end()
            continue
        character = source[position]
        if character == "&" and (entity := _ENTITY.match(source, position)):
            if html.unescape(entity[0]) != "&":
                break
            position = entity.end()
            continue
        if character == "\\":
            if not _ESCAPE.match(source, position):
                break
            position += 2
            continue
        if source.startswith(("**", "~~", "[^"), position):
            break
        if character in _PAIRS:
            if not open_ or open_.pop() != _PAIRS[character]:
                break
        elif character in "([{":
            open_.append(character)
        elif (
            _SPACELESS.match(character) and source[position - 1].isascii() and source[position - 1].isalnum()
        ):
            letters = _SPACELESS.match(source, position)
            return position, letters[0][:12] if letters else ""
        elif not _is_url_path_character(source, position):
            break
        position += 1
    return position, ""


def _is_url_path_character(source: str, position: int) -> bool:
    character = source[position]
    if character.isascii():
        return character.isprintable() and character not in ' <>"`|^'
    category = unicodedata.category(character)
    if character in "\u00b7\u30fb\u2010\u2013":  # within names: middle dots, a hyphen, a dash
        after = source[position + 1 : position + 2]
        return source[position - 1].isalnum() and after.isalnum()
    return category[0] in "LNM" or category == "Cf"


def _end_without_punctuation(source: str, start: int, end: int) -> int:
    """Returns the end of an address without the punctuation and invisible characters at its end."""
    while end > start and (source[end - 1] in _TRAILING or unicodedata.category(source[end - 1]) == "Cf"):
        end -= 1
    return end


def _without_escapes(raw: str) -> str:
    return unescapeAll(raw) if "\\" in raw or "&" in raw else raw

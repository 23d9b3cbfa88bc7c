"""Checks the links of a text and writes their addresses in ASCII."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from mailer.issue.markdown.findings import Report, line_of
from mailer.issue.markdown.placeholders import PLACEHOLDER
from mailer.issue.markdown.rules.bare_addresses import BareAddress
from mailer.issue.values.misspelt_urls import MISSPELT, corrected_url, is_misspelt
from mailer.issue.values.urls import SLOT_MARK, likely_mistakes, normalised

__all__ = ["IsLink", "check_links"]

_DOUBLE = re.compile(r"https?:/{0,2}$", re.IGNORECASE)

#: Whether a placeholder is that of one reader's own page.
IsLink = Callable[[str], bool]


def check_links(children: Sequence[Token], report: Report, is_link: IsLink | None = None) -> None:
    """Writes the addresses of links and remote pictures in ASCII, and reports what is wrong with them."""
    words = ""  # right before a token, outside of links
    inside = 0
    for token in children:
        inside += token.nesting * (token.tag == "a")
        if token.type == "link_open":
            if token.markup == "linkify" and _DOUBLE.search(words):
                report.error(_twice(token), line_of(token))
            _check(token, "href", report, is_link)
        elif token.type == "text" and not inside:
            _misspelt(token, report)
        elif token.type == "image":
            if token.children:
                token.children = [child for child in token.children if child.markup != "linkify"]
            if re.match("https:", str(token.attrs.get("src", "")), re.IGNORECASE):
                _check(token, "src", report, None)
        words = token.content if token.type == "text" else ""


def _misspelt(token: Token, report: Report) -> None:
    for found in MISSPELT.finditer(token.content):
        if is_misspelt(found):
            written = re.split(r"[\s\u3000-\u3002\uff0c]", token.content[found.end() :], maxsplit=1)[0]
            better = corrected_url(found[0].strip() + written) or "https://…"
            report.error(
                f'"{(found[0] + written)[:80]}" is not an address; write {better[:80]}, '
                "or put it into backticks where it is meant as text",
                line_of(token),
            )


def _twice(token: Token) -> str:
    return f'"https://{str(token.attrs.get("href", ""))[:80]}" begins with https:// twice; delete one of them'


def _check(token: Token, name: str, report: Report, is_link: IsLink | None) -> None:
    href = str(token.attrs.get(name, ""))
    line = line_of(token)
    called = "link" if name == "href" else "picture"
    slots = iter(PLACEHOLDER.findall(href))
    text = PLACEHOLDER.sub(SLOT_MARK, href)
    if text == SLOT_MARK and name == "href":
        if is_link is not None and not is_link(href):
            report.error("a slot alone is not a link, except {{ links.preferences }}", line)
        return
    try:
        if SLOT_MARK in href:
            raise ValueError(f"holds the invisible character U+{ord(SLOT_MARK):04X}; delete it")
        written = normalised(text)
    except ValueError as error:
        advice = "; write \\< where < is meant as text" if token.markup == "autolink" else ""
        report.error(f"the {called} {error}{advice}", line)
        return
    token.attrs[name] = re.sub(SLOT_MARK, lambda _: next(slots), written)
    for doubt in likely_mistakes(text):
        report.warning(f"the {called} {doubt}", line)
    if token.markup == "linkify":
        _tell(token.meta.pop("bare"), line, report)


def _tell(bare: BareAddress, line: int, report: Report) -> None:
    if bare.behind:
        report.warning(
            f'the address {bare.typed[:80]} ends before "{bare.behind}"; write a space between them, '
            "or <…> around the whole address",
            line,
        )
    elif bare.within:
        report.warning(
            f'"{bare.within}" is taken for a part of the address {bare.typed[:80]}; write a space before it, '
            "or <…> around the address",
            line,
        )

"""Checks the links of a text and writes their URLs in ASCII."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from mailer.issue.markdown.findings import FindingCollector, line_of_token
from mailer.issue.markdown.placeholders import PLACEHOLDER
from mailer.issue.markdown.rules.bare_addresses import BareAddress
from mailer.issue.values.misspelt_urls import MISSPELT, corrected_url, is_misspelt_url
from mailer.issue.values.urls import SLOT_MARK, likely_url_mistakes, normalised_url

__all__ = ["IsReaderLink", "check_and_normalise_links"]

_DOUBLE = re.compile(r"https?:/{0,2}$", re.IGNORECASE)

#: Whether a placeholder is that of one reader's own page.
IsReaderLink = Callable[[str], bool]


def check_and_normalise_links(
    children: Sequence[Token], collector: FindingCollector, is_reader_link: IsReaderLink | None = None
) -> None:
    """Writes the URLs of links and remote pictures in ASCII, in place, and adds mistakes to `collector`.

    `children` are the tokens of a paragraph. `is_reader_link` returns whether a placeholder stands for a URL
    of one reader, such as `links.preferences`.
    """
    words = ""  # right before a token, outside of links
    inside = 0
    for token in children:
        inside += token.nesting * (token.tag == "a")
        if token.type == "link_open":
            if token.markup == "linkify" and _DOUBLE.search(words):
                collector.add_error(_doubled_scheme_message(token), line_of_token(token))
            _check_url(token, "href", collector, is_reader_link)
        elif token.type == "text" and not inside:
            _report_misspelt_urls(token, collector)
        elif token.type == "image":
            if token.children:
                token.children = [child for child in token.children if child.markup != "linkify"]
            if re.match("https:", str(token.attrs.get("src", "")), re.IGNORECASE):
                _check_url(token, "src", collector, None)
        words = token.content if token.type == "text" else ""


def _report_misspelt_urls(token: Token, collector: FindingCollector) -> None:
    for found in MISSPELT.finditer(token.content):
        if is_misspelt_url(found):
            written = re.split(r"[\s\u3000-\u3002\uff0c]", token.content[found.end() :], maxsplit=1)[0]
            better = corrected_url(found[0].strip() + written) or "https://…"
            collector.add_error(
                f'"{(found[0] + written)[:80]}" is not a URL; write {better[:80]}, '
                "or put it in backticks if it is meant as text",
                line_of_token(token),
            )


def _doubled_scheme_message(token: Token) -> str:
    return f'"https://{str(token.attrs.get("href", ""))[:80]}" begins with https:// twice; delete one of them'


def _check_url(
    token: Token, attribute: str, collector: FindingCollector, is_reader_link: IsReaderLink | None
) -> None:
    href = str(token.attrs.get(attribute, ""))
    line = line_of_token(token)
    called = "link" if attribute == "href" else "picture"
    slots = iter(PLACEHOLDER.findall(href))
    text = PLACEHOLDER.sub(SLOT_MARK, href)
    if text == SLOT_MARK and attribute == "href":
        if is_reader_link is not None and not is_reader_link(href):
            collector.add_error(
                "a slot cannot be the whole URL of a link, except slots such as {{ links.preferences }}", line
            )
        return
    try:
        if SLOT_MARK in href:
            raise ValueError(f"holds the invisible character U+{ord(SLOT_MARK):04X}; delete it")
        written = normalised_url(text)
    except ValueError as error:
        advice = "; write \\< if < is meant as text" if token.markup == "autolink" else ""
        collector.add_error(f"the {called} {error}{advice}", line)
        return
    token.attrs[attribute] = re.sub(SLOT_MARK, lambda _: next(slots), written)
    for doubt in likely_url_mistakes(text):
        collector.add_warning(f"the {called} {doubt}", line)
    if token.markup == "linkify":
        _warn_of_unclear_address_end(token.meta.pop("bare"), line, collector)


def _warn_of_unclear_address_end(bare: BareAddress, line: int, collector: FindingCollector) -> None:
    if bare.letters_behind:
        collector.add_warning(
            f'the link {bare.written_text[:80]} ends before "{bare.letters_behind}"; write a space '
            "between them, or <…> around the whole URL",
            line,
        )
    elif bare.letters_within:
        collector.add_warning(
            f'"{bare.letters_within}" is read as a part of the link {bare.written_text[:80]}; write '
            "a space before it, or <…> around the URL",
            line,
        )

"""Parses a Markdown text into a tree for mail, text part and web page, and finds mistakes in it.

`parse_markdown` parses a text once. In the tree it then replaces HTML tags and line ends, writes URLs in
ASCII, and reports Markdown that did not work. Rendering copies the tokens and puts markers in place of the
slots; it never parses a text again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.rules_core import StateCore, normalize
from markdown_it.token import Token

from mailer.issue.markdown.findings import Finding, FindingCollector, line_of_token
from mailer.issue.markdown.leftovers import FOUND
from mailer.issue.markdown.links import IsReaderLink, check_and_normalise_links
from mailer.issue.markdown.literal_marks import check_literal_marks
from mailer.issue.markdown.parser import markdown_parser
from mailer.issue.markdown.rules.attributions import with_marked_attributions
from mailer.issue.markdown.rules.footnotes import NAME
from mailer.issue.markdown.rules.html import replace_html_tags
from mailer.issue.markdown.rules.soft_breaks import drop_line_ends_between_cjk

__all__ = ["EMPTY", "Document", "link_definitions_in", "parse_markdown", "words_of"]

#: Definitions of references, `[label]: address`, as the parser keeps them.
LinkDefinitions = Mapping[str, Mapping[str, Any]]

#: Blanks that are one space on one line; full-width and no-break spaces stay what they are.
_BLANKS = re.compile("[ \t\r\n]+")


@dataclass(frozen=True)
class Document:
    """Holds a parsed text as markdown-it tokens in document order, and the findings about it.

    `meta["line"]` of each inline token is its line in the text, counted from 0.
    """

    tokens: tuple[Token, ...]
    findings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tokens)

    def inline_tokens(self) -> Iterator[Token]:
        """Yields the inline tokens of all paragraphs, in order."""
        for token in self.tokens:
            yield from token.children or ()

    def picture_tokens(self) -> Iterator[Token]:
        """Yields the tokens of all pictures, in order."""
        return (token for token in self.inline_tokens() if token.type == "image")

    def copied_tokens(self, change_text: Callable[[str], str]) -> list[Token]:
        """Returns copies of the tokens, with `change_text` applied to every text and attribute."""
        return [_copied_token(token, change_text) for token in self.tokens]


EMPTY = Document(())


def link_definitions_in(text: str) -> dict[str, Mapping[str, Any]]:
    """Returns the link definitions in a text (`[label]: URL`) by label, without parsing paragraphs."""
    if "]:" not in text:
        return {}
    state = StateCore(text, markdown_parser(), {})
    normalize(state)
    state.md.block.parse(state.src, state.md, state.env, state.tokens)
    return dict(state.env.get("references", {}))


def parse_markdown(
    text: str,
    link_definitions: LinkDefinitions | None = None,
    footnote_prefix: str = "",
    is_reader_link: IsReaderLink | None = None,
) -> Document:
    """Returns the tree of a Markdown text.

    `link_definitions` has all definitions that the text may use, those in the text included. The ids of
    footnotes contain `footnote_prefix`, so that they differ from those of other texts. `is_reader_link`
    returns whether a placeholder stands for a URL of one reader, such as `links.preferences`.
    """
    env: dict[str, Any] = {NAME: footnote_prefix}
    if link_definitions:
        env["references"] = dict(link_definitions)
    tokens = with_marked_attributions(markdown_parser().parse(text, env))
    collector = FindingCollector(list(env.get(FOUND, ())))
    line = 0
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.children:
            _store_line_numbers(token.children, line)
            _process_inline_tokens(token.children, collector, is_reader_link)
    return Document(tuple(tokens), tuple(collector.findings))


def words_of(tokens: Sequence[Token]) -> str:
    """Returns the words of inline tokens as one line, with the alternative text in place of a picture."""
    pieces: list[str] = []
    for token in tokens:
        match token.type:
            case "softbreak" | "hardbreak":
                pieces.append(" ")
            case "image":
                pieces.append(words_of(token.children or ()))
            case "text" | "code_inline":
                pieces.append(token.content)
    return _BLANKS.sub(" ", "".join(pieces)).strip(" ")


def _process_inline_tokens(
    children: list[Token], collector: FindingCollector, is_reader_link: IsReaderLink | None
) -> None:
    for child in children:
        if child.type == "image" and child.children:
            _store_line_numbers(child.children, line_of_token(child))
            _process_inline_tokens(child.children, collector, is_reader_link)
    replace_html_tags(children, collector)
    drop_line_ends_between_cjk(children)
    check_and_normalise_links(children, collector, is_reader_link)
    check_literal_marks(children, collector)


def _store_line_numbers(tokens: Sequence[Token], first_line: int) -> None:
    """Stores the line of each token, counted from 0, in `meta["line"]`.

    `first_line` is the line on which the paragraph of these tokens begins.
    """
    within = 0
    for child in tokens:
        within = child.map[0] if child.map else within
        child.meta["line"] = first_line + within


def _copied_token(token: Token, change_text: Callable[[str], str]) -> Token:
    attrs = {
        key: change_text(value) if isinstance(value, str) else value for key, value in token.attrs.items()
    }
    children = token.children and [_copied_token(child, change_text) for child in token.children]
    content = token.content if token.type == "inline" else change_text(token.content)
    return token.copy(attrs=attrs, children=children, content=content, meta={**token.meta})

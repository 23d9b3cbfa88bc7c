"""Parses a Markdown text into a tree for every medium, with the findings about it.

`read` parses a text once and runs the passes over the tree: HTML, line ends, addresses, what was left over.
Rendering copies the tokens and puts markers in place of slots; it never parses again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.rules_core import StateCore, normalize
from markdown_it.token import Token

from mailer.issue.markdown.findings import Finding, Report, line_of
from mailer.issue.markdown.leftovers import FOUND
from mailer.issue.markdown.links import IsLink, check_links
from mailer.issue.markdown.literal_marks import check_literal_marks
from mailer.issue.markdown.parser import parser
from mailer.issue.markdown.rules.footnotes import NAME
from mailer.issue.markdown.rules.html import resolve_html
from mailer.issue.markdown.rules.soft_breaks import resolve_line_ends

__all__ = ["EMPTY", "Document", "definitions", "read", "words_of"]

#: Definitions of references, `[label]: address`, as the parser keeps them.
References = Mapping[str, Mapping[str, Any]]

#: Blanks that are one space on one line; full-width and no-break spaces stay what they are.
_BLANKS = re.compile("[ \t\r\n]+")


@dataclass(frozen=True)
class Document:
    """Holds a text as markdown-it tokens in document order, and its findings.

    Each inline token's `meta["line"]` is its line in the text, counted from 0.
    """

    tokens: tuple[Token, ...]
    findings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tokens)

    def inline(self) -> Iterator[Token]:
        """Returns the inline tokens, in order."""
        for token in self.tokens:
            yield from token.children or ()

    def pictures(self) -> Iterator[Token]:
        """Returns the tokens of pictures, in order."""
        return (token for token in self.inline() if token.type == "image")

    def copied(self, change: Callable[[str], str]) -> list[Token]:
        """Returns copies of the tokens, with `change` applied to every text and attribute."""
        return [_copied(token, change) for token in self.tokens]


EMPTY = Document(())


def definitions(text: str) -> dict[str, Mapping[str, Any]]:
    """Returns the references that a text defines, by label. Only the blocks of the text are parsed."""
    if "]:" not in text:
        return {}
    state = StateCore(text, parser(), {})
    normalize(state)
    state.md.block.parse(state.src, state.md, state.env, state.tokens)
    return dict(state.env.get("references", {}))


def read(
    text: str, references: References | None = None, name: str = "", is_link: IsLink | None = None
) -> Document:
    """Returns the tree of a text. `references` are all definitions that it may use, its own among them.

    The ids of its footnotes have its `name`, so that they are not those of another text. `is_link` tells
    whether a placeholder is the address of one reader's own page.
    """
    env: dict[str, Any] = {NAME: name}
    if references:
        env["references"] = dict(references)
    tokens = parser().parse(text, env)
    report = Report(list(env.get(FOUND, ())))
    line = 0
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.children:
            _number(token.children, line)
            _resolve(token.children, report, is_link)
    return Document(tuple(tokens), tuple(report.findings))


def words_of(tokens: Sequence[Token]) -> str:
    """Returns the words of inline tokens as one line; a picture gives its alternative text."""
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


def _resolve(children: list[Token], report: Report, is_link: IsLink | None) -> None:
    for child in children:
        if child.type == "image" and child.children:
            _number(child.children, line_of(child))
            _resolve(child.children, report, is_link)
    resolve_html(children, report)
    resolve_line_ends(children)
    check_links(children, report, is_link)
    check_literal_marks(children, report)


def _number(children: Sequence[Token], line: int) -> None:
    """Notes the line of each token in its `meta`. `line` is that of the text which they are parsed from."""
    within = 0
    for child in children:
        within = child.map[0] if child.map else within
        child.meta["line"] = line + within


def _copied(token: Token, change: Callable[[str], str]) -> Token:
    attrs = {key: change(value) if isinstance(value, str) else value for key, value in token.attrs.items()}
    children = token.children and [_copied(child, change) for child in token.children]
    content = token.content if token.type == "inline" else change(token.content)
    return token.copy(attrs=attrs, children=children, content=content, meta={**token.meta})

"""Parses the text of a paragraph, with the line of each token and with emphasis beside CJK characters.

Only the parser that `markdown_parser` returns is changed; the classes of markdown-it stay as they are for
others.
"""

from __future__ import annotations

from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from mailer.issue.markdown.rules.flanking import delimiter_flanks

__all__ = ["InlineParser"]


class InlineParser(ParserInline):
    """Parses the text of a paragraph, and sets the `map` of each token to its line in the paragraph."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Adds the tokens of the text `src` to `tokens`."""
        state = _LineCountingState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _LineCountingState(StateInline):
    _counted = 0
    _line = 0

    def pushPending(self) -> Token:
        return self._with_line_number(super().pushPending())

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        return self._with_line_number(super().push(ttype, tag, nesting))

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Returns the run of delimiters such as `**` at `start`, and whether it may open and close.

        `canSplitWord` is False for `_`, which cannot begin or end emphasis within a word.
        """
        marker, end = self.src[start], start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        after = self.src[end] if end < self.posMax else ""
        found = delimiter_flanks(self.src[max(start - 2, 0) : start], after)
        can_open = found.is_left_flanking and (
            canSplitWord or not found.is_right_flanking or found.has_punctuation_before
        )
        can_close = found.is_right_flanking and (
            canSplitWord or not found.is_left_flanking or found.has_punctuation_after
        )
        return Scanned(can_open, can_close, end - start)

    def _with_line_number(self, token: Token) -> Token:
        if self.pos < self._counted:
            self._counted = self._line = 0
        self._line += self.src.count("\n", self._counted, self.pos)
        self._counted = self.pos
        token.map = [self._line, self._line + 1]
        return token

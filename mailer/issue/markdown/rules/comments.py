"""Removes HTML comments that stand alone or begin a block, even if they contain empty lines.

CommonMark keeps the whole line on which a comment ends as HTML; here the text after the comment is text.
Comments within a paragraph are removed in `html`.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

__all__ = ["add_comment_rule"]

_END = "-->"


def add_comment_rule(parser: MarkdownIt) -> None:
    """Adds to `parser` the rule that removes HTML comments."""
    parser.block.ruler.before(
        "paragraph", "comment", _comment_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _comment_rule(state: StateBlock, first_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(first_line) or not _line_text(state, first_line).startswith("<!--"):
        return False
    for number in range(first_line, end_line):
        if number > first_line and state.sCount[number] < state.blkIndent and not state.isEmpty(number):
            return False
        line = _line_text(state, number)
        end = line.find(_END, 4 if number == first_line else 0)
        if end < 0:
            continue
        rest = line[end + len(_END) :]
        if rest.strip() and number == first_line:
            return False  # a paragraph that begins with a comment
        if not silent:
            state.line = number + 1
            if rest.strip():
                _begin_line_at(state, number, end + len(_END))
        return True
    return False


def _line_text(state: StateBlock, line_number: int) -> str:
    return state.src[state.bMarks[line_number] + state.tShift[line_number] : state.eMarks[line_number]]


def _begin_line_at(state: StateBlock, line_number: int, offset: int) -> None:
    """Makes a line begin `offset` characters after its indentation: at the text after a comment."""
    start = state.bMarks[line_number] + state.tShift[line_number] + offset
    while state.src[start] in " \t":
        start += 1
    state.bMarks[line_number], state.tShift[line_number] = start, 0
    state.sCount[line_number] = state.blkIndent
    state.line = line_number

"""Removes HTML comments that stand alone or begin a block, also where they hold empty lines.

CommonMark keeps the whole line on which a comment ends as HTML; here the text behind the comment is text.
Comments inside a paragraph are removed in `html`.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

__all__ = ["install"]

_END = "-->"


def install(parser: MarkdownIt) -> None:
    """Adds the rule to a parser."""
    parser.block.ruler.before(
        "paragraph", "comment", _comment, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _comment(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first) or not _line(state, first).startswith("<!--"):
        return False
    for number in range(first, last):
        if number > first and state.sCount[number] < state.blkIndent and not state.isEmpty(number):
            return False
        line = _line(state, number)
        end = line.find(_END, 4 if number == first else 0)
        if end < 0:
            continue
        rest = line[end + len(_END) :]
        if rest.strip() and number == first:
            return False  # a paragraph that begins with a comment
        if not silent:
            state.line = number + 1
            if rest.strip():
                _begin_at(state, number, end + len(_END))
        return True
    return False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _begin_at(state: StateBlock, number: int, offset: int) -> None:
    """Makes the text after a comment the whole of its line."""
    start = state.bMarks[number] + state.tShift[number] + offset
    while state.src[start] in " \t":
        start += 1
    state.bMarks[number], state.tShift[number] = start, 0
    state.sCount[number] = state.blkIndent
    state.line = number

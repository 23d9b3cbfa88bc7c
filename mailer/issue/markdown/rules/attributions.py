"""Marks the attribution of a quotation: a last line such as `— Name, office` under the words.

The line may be a paragraph of its own or the last line of the last paragraph, and begins with an em dash, or
with an en dash or `--` and a space. A quotation in which several lines begin with a dash is a dialogue, and
one that consists of such a line alone has nothing to attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

__all__ = ["ATTRIBUTION", "is_before_attribution", "with_marked_attributions"]

#: The class of the paragraph in HTML.
ATTRIBUTION = "by"
_DASH = re.compile(r"\s*(?:[—―]{1,2}\s*|(?:–|--)\s+)(?=[\w“”\"'‘’「『《（(])")
#: Marks the end of a paragraph whose last line became the attribution.
_TIGHT = "before_attribution"
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def with_marked_attributions(tokens: Sequence[Token]) -> list[Token]:
    """Returns the tokens of a text with the attribution of each quotation as a paragraph of its own.

    No word is changed. The given tokens may be changed.
    """
    found: dict[int, list[Token]] = {}
    for start, token in enumerate(tokens):
        if token.type == "blockquote_open":
            end = _index_of_end(tokens, start)
            _mark_attribution(tokens, start, end, found)
    return [each for index, token in enumerate(tokens) for each in found.get(index, (token,))]


def is_before_attribution(paragraph_close: Token) -> bool:
    """Returns whether the attribution was typed on the line after this paragraph, without an empty line."""
    return bool(paragraph_close.meta.get(_TIGHT))


def _index_of_end(tokens: Sequence[Token], start: int) -> int:
    level = tokens[start].level
    return next(
        index
        for index in range(start, len(tokens))
        if tokens[index].level == level and tokens[index].type == "blockquote_close"
    )


def _mark_attribution(
    tokens: Sequence[Token], start: int, end: int, replaced: dict[int, list[Token]]
) -> None:
    """Marks the attribution of the quotation between two indexes of `tokens`, if it has one.

    Adds to `replaced`, by the index of a token, the tokens that take its place.
    """
    if tokens[end - 1].type != "paragraph_close":
        return
    last = end - 2  # the inline token of the last paragraph
    level = tokens[start].level + 2
    dashes = [
        (index, number)
        for index in range(start, end)
        if tokens[index].type == "inline" and tokens[index].level == level
        for number, line in enumerate(_lines(tokens[index].children or ()))
        if _DASH.match("".join(token.content for token in line if token.type in ("text", "code_inline")))
    ]
    lines = list(_lines(tokens[last].children or ()))
    if dashes == [(last, 0)] and last > start + 2:
        tokens[last - 1].attrs["class"] = ATTRIBUTION
    elif dashes == [(last, len(lines) - 1)] and len(lines) > 1:
        replaced[last] = _split_paragraph(tokens[last - 1 : last + 2], lines[-1])


def _lines(children: Sequence[Token]) -> Iterator[list[Token]]:
    """Yields the lines of a paragraph as they were typed. Line ends within links and bold words are none."""
    line: list[Token] = []
    for child in children:
        if _is_line_end(child):
            yield line
            line = []
        else:
            line.append(child)
    yield line


def _is_line_end(child: Token) -> bool:
    return child.level == 0 and (
        child.type in ("softbreak", "hardbreak")
        or (child.type == "html_inline" and _BREAK_TAG.fullmatch(child.content) is not None)
    )


def _split_paragraph(paragraph: Sequence[Token], last_line: Sequence[Token]) -> list[Token]:
    """Returns the tokens between the start and the end of a paragraph, with its last line in another one."""
    opened, inline, closed = paragraph
    children = inline.children or []
    words = children[: len(children) - len(last_line)]
    while _is_line_end(words[-1]):
        words.pop()
    return [
        inline.copy(children=words),
        closed.copy(meta={**closed.meta, _TIGHT: True}),
        opened.copy(attrs={**opened.attrs, "class": ATTRIBUTION}),
        inline.copy(children=list(last_line)),
    ]

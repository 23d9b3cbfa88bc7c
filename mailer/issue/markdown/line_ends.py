"""Line ends of the source: a space between words, nothing between two Chinese or Japanese characters."""

from __future__ import annotations

import unicodedata

from markdown_it.token import Token

__all__ = ["joined", "resolve_line_ends"]


def joined(before: str, after: str) -> bool:
    """Whether nothing stands between a line that ends in `before` and one that begins with `after`."""
    ends = before[-1:] + after[:1]
    return len(ends) == 2 and all(unicodedata.east_asian_width(end) in "WF" for end in ends)


def resolve_line_ends(children: list[Token]) -> None:
    """Removes the line ends of a paragraph that are no spaces, in place."""
    for before, token, after in zip(children, children[1:], children[2:], strict=False):
        if token.type == "softbreak" and joined(before.content, after.content):
            token.type = "text"

"""Warns of stars and underscores that were meant as text but are Markdown in CommonMark.

`60*40*30` would be shown as 604030, `Leser*innen und Autor*innen` as Leserinnen und Autorinnen, `2*x + 3*y`
as 2x + 3y, and `__init__.py` as init.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from mailer.display_text import shortened
from mailer.issue.markdown.findings import FindingCollector, line_of_token

__all__ = ["check_literal_marks"]

_LAST = re.compile(r"[^\W_]*?((?:\d+[.,])*\d+$)|[^\W_]+$")
_FIRST = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
#: Thai, Burmese, Khmer, Chinese, Japanese and Korean letters: emphasis needs no spaces beside them.
_NO_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_NOTHING = Token("text", "", 0)
_STAR = re.compile(r"[^\W_][^\s*]*\*(?![\w*])")
#: How much of the text beside italics is looked at.
_REACH = 80
#: Marks alone, as in the form `__.__.2026`.
_BLANK = re.compile(r"[ -/:-@\[-`{-~]+")
_NAME = re.compile(r"[A-Za-z]\w*")


def check_literal_marks(children: Sequence[Token], collector: FindingCollector) -> None:
    """Reports stars and underscores between letters and digits that are probably text, as in `2*3*4`."""
    children = [_NOTHING, *children, _NOTHING]
    for index, opened in enumerate(children):
        if opened.type == "em_open" and opened.markup == "*":
            _check_italics_with_stars(children, index, collector)
    for before, opened, words, closed, after in zip(
        children, children[1:], children[2:], children[3:], children[4:], strict=False
    ):
        if opened.type == "strong_open" and opened.markup == "__" and closed.type == "strong_close":
            _check_bold_with_underscores(before, words, after, collector)
        if (
            opened.markup in ("_", "__")
            and closed.markup == opened.markup
            and _BLANK.fullmatch(words.content)
        ):
            shown = f"{opened.markup}{words.content}{closed.markup}"[:40]
            collector.add_warning(
                f'the underscores of "{shown}" are not printed; write \\_ for each that is text',
                line_of_token(opened),
            )


def _check_italics_with_stars(children: Sequence[Token], index: int, collector: FindingCollector) -> None:
    """Reports italics that begin or end within a word and contain more than a part of that word.

    `children` are the tokens of a paragraph; the token at `index` opens the italics.
    """
    close = next(  # the end of the italics
        number
        for number in range(index + 1, len(children))
        if children[number].type == "em_close" and children[number].level == children[index].level
    )
    before, after = children[index - 1], children[close + 1]
    first, last = (
        _word_beside_italics(_LAST.search, before, slice(-_REACH, None)),
        _word_beside_italics(_FIRST.match, after, slice(_REACH)),
    )
    within = children[index + 1 : close]
    words = "".join(" " if child.type.endswith("break") else child.content for child in within)
    begins, ends = first is not None and words[:1].isalnum(), last is not None and words[-1:].isalnum()
    number = first[1] if first and _NUMBER.fullmatch(words) else None
    parts = (number or (first[0] if first else ""), words, last[0] if last else "")
    if not (begins or ends) or any(map(_NO_SPACES.search, parts)):
        return
    if ends and _STAR.match(after.content):
        collector.add_warning(
            f'a star after "{shortened(parts[2], 60)}" is printed, because an earlier star ends the italics; '
            "write \\* for a star in a word",
            line_of_token(children[index]),
        )
        return
    is_sum = begins and ends and (any(map(_NUMBER.fullmatch, parts)) or max(map(len, parts)) == 1)
    if " " not in words and not is_sum:
        return  # a part of a word, as in re*cord*ing
    starred, escaped = "*".join(parts), r"\*".join(parts)
    product = f"{'×'.join(parts)}, or " if all(map(_NUMBER.fullmatch, parts)) else ""
    what = (
        f"its middle in italics; write {product}{shortened(escaped, 60)}"
        if begins and ends
        else "words in italics and are not printed; write \\* for a star that is text"
    )
    collector.add_warning(
        f'the stars of "{shortened(starred, 60)}" set {what}', line_of_token(children[index])
    )


def _check_bold_with_underscores(
    before: Token, words: Token, after: Token, collector: FindingCollector
) -> None:
    """Reports a name in bold, such as `__init__`, that is directly beside another part of a path.

    `words` is the text in bold; `before` and `after` are the tokens on both sides of it.
    """
    glued = re.search(r"[\w)\]][./:]$", before.content) or re.match(r"[.(\[][\w)\]]", after.content)
    if words.type == before.type == after.type == "text" and glued and _NAME.fullmatch(words.content):
        name = words.content
        collector.add_warning(
            f'the underscores of "__{name[:40]}__" set it in bold and are not printed; put it in backticks',
            line_of_token(words),
        )


def _word_beside_italics(
    search: Callable[[str], re.Match[str] | None], token: Token, text_slice: slice
) -> re.Match[str] | None:
    """Returns the word or number that `search` finds in `text_slice` of the text of `token`, or None.

    `token` is right before or right after the italics.
    """
    return search(token.content[text_slice]) if token.type == "text" else None

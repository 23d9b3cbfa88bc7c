"""Products such as 60*40*30, whose middle CommonMark sets in italics: readers would see 604030."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from mailer.issue.markdown.findings import Report

__all__ = ["check_products"]

_LAST = re.compile(r"(?:\d+[.,])*\d+$")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def check_products(children: Sequence[Token], report: Report) -> None:
    """Tells of numbers in italics that stand between two others without a blank."""
    for before, opened, words, closed, after in zip(
        children, children[1:], children[2:], children[3:], children[4:], strict=False
    ):
        if opened.markup != "*" or opened.type != "em_open" or closed.type != "em_close":
            continue
        first, last = _LAST.search(before.content), _NUMBER.match(after.content)
        if before.type == after.type == "text" and _NUMBER.fullmatch(words.content) and first and last:
            numbers = (first[0], words.content, last[0])
            starred, escaped, product = (sign.join(numbers) for sign in ("*", r"\*", "×"))
            report.warning(
                f'the stars of "{starred}" set its middle in italics; write {product}, or {escaped}',
                int(opened.meta.get("line", 0)),
            )

"""Finds a "#" that YAML reads as a comment and that was probably meant as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.issue.yaml.faults import Fault, quoted_entry

__all__ = ["check_comments"]

_COMMENT = re.compile(r"#[^\r\n]*")
_LINE = re.compile(r"[ ]*(?:-[ \t]+)*(?:([^\s#\"'\[{][^:#]*?)[ \t]*:[ \t]+)?(.*)")


def check_comments(text: str, spans: Sequence[tuple[int, int]], faults: list[Fault]) -> None:
    """Reports each "#" that cuts off a line of YAML and is followed by neither a space nor the line's end.

    `spans` are the scalars, (first character, character after the last), in order. A line that has nothing
    before its "#" is a comment whatever follows.
    """
    line, start = 1, 0

    def tell(at: int) -> None:
        nonlocal line, start
        line += len(re.findall(r"\r\n|\r|\n", text[start:at]))
        start = at
        begin = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
        if not text[begin:at].strip(" \t"):
            return
        whole = re.split(r"[\r\n]", text[begin:], maxsplit=1)[0]
        faults.append(Fault(line, at - begin + 1, _message(whole)))

    last = 0
    for first, end in (*spans, (len(text), len(text))):
        at = last
        while found := _COMMENT.search(text, at, max(at, first)):
            # A "#" right behind something else than white space is no comment.
            rest = text[found.start() + 1 : found.start() + 2]
            if rest and rest not in " \t\r\n" and not text[found.start() - 1 : found.start()].isalnum():
                tell(found.start())
            at = found.end()
        last = max(last, end)


def _message(line: str) -> str:
    match = _LINE.match(line)
    key, text = (match[1], match[2]) if match else (None, line)
    return f'YAML drops all after " #"; put the whole text in quotes: {quoted_entry(key, text)}'

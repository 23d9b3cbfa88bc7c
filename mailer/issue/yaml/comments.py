"""Finds a "#" that begins a comment in YAML but was probably meant as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.issue.yaml.faults import TextFault, quoted_entry

__all__ = ["check_comments"]

_COMMENT = re.compile(r"#[^\r\n]*")
_LINE = re.compile(r"[ ]*(?:-[ \t]+)*(?:([^\s#\"'\[{][^:#]*?)[ \t]*:[ \t]+)?(.*)")


def check_comments(text: str, scalar_spans: Sequence[tuple[int, int]], faults: list[TextFault]) -> None:
    """Adds a fault for each "#" that cuts off a line of YAML and is not followed by a space or a line end.

    `scalar_spans` has the start and end offset of each scalar, in order: a "#" in a scalar is text. A line
    that has nothing before its "#" is always a comment.
    """
    line, start = 1, 0

    def report_comment(offset: int) -> None:
        nonlocal line, start
        line += len(re.findall(r"\r\n|\r|\n", text[start:offset]))
        start = offset
        begin = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
        if not text[begin:offset].strip(" \t"):
            return
        whole = re.split(r"[\r\n]", text[begin:], maxsplit=1)[0]
        faults.append(TextFault(line, offset - begin + 1, _comment_message(whole)))

    last = 0
    for first, end in (*scalar_spans, (len(text), len(text))):
        at = last
        while found := _COMMENT.search(text, at, max(at, first)):
            # A "#" right behind something else than white space is no comment.
            rest = text[found.start() + 1 : found.start() + 2]
            if rest and rest not in " \t\r\n" and not text[found.start() - 1 : found.start()].isalnum():
                report_comment(found.start())
            at = found.end()
        last = max(last, end)


def _comment_message(line: str) -> str:
    match = _LINE.match(line)
    key, text = (match[1], match[2]) if match else (None, line)
    return f'YAML drops everything after " #"; put the whole text in quotes: {quoted_entry(key, text)}'

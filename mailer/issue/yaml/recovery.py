"""Leaves out a part of a file that cannot be read, so that the rest of the file can be read."""

from __future__ import annotations

import re

import yaml

from mailer.issue.yaml.characters import lines_and_line_ends

__all__ = ["without_unreadable_part"]

_TOP = re.compile(r"[^\s#\-][^:]*:(?:\s|$)")
_ENTRY = re.compile(r"( *)-(?: |$)")


def without_unreadable_part(text: str, line: int) -> tuple[str, int] | None:
    """Returns the text without the unreadable part around a line, and the first line of that part.

    Both lines count from 1. The part is the entry of a list, or else everything under a key at the beginning
    of a line. It must be unreadable by itself. Spaces take its place, so that the length stays the same; its
    dash or key is kept. Returns None if there is no such part, because the mistake is elsewhere.
    """
    return _without_enclosing_part(text, line, replaces_whole_key=False) or _without_enclosing_part(
        text, line, replaces_whole_key=True
    )


def _without_enclosing_part(text: str, line: int, *, replaces_whole_key: bool) -> tuple[str, int] | None:
    lines, ends = lines_and_line_ends(text)
    first = min(line, len(lines)) - 1
    while (
        first > 0
        and not _TOP.match(lines[first])
        and not (not replaces_whole_key and _ENTRY.match(lines[first]))
    ):
        first -= 1
    entry = None if replaces_whole_key else _ENTRY.match(lines[first])
    top = _TOP.match(lines[first])
    if not entry and not top:
        return None
    last = first + 1
    while last < len(lines):
        each = lines[last]
        if _TOP.match(each):
            break
        found = _ENTRY.match(each)
        if entry and found and len(found[1]) <= len(entry[1]):
            break
        if entry and each.strip() and len(each) - len(each.lstrip(" ")) < len(entry[1]):
            break
        last += 1
    kept = (entry or top)[0].rstrip() if (entry or top) else ""  # type: ignore[index]
    changed = [kept.ljust(len(lines[first]))] + [" " * len(each) for each in lines[first + 1 : last]]
    if _is_valid_yaml("\n".join(lines[first:last])) or not _is_valid_yaml("\n".join(changed)):
        return None
    lines[first:last] = changed
    return "".join(each + end for each, end in zip(lines, ends, strict=True)), first + 1


def _is_valid_yaml(text: str) -> bool:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for _ in yaml.parse(text, Loader=loader):
            pass
    except yaml.YAMLError:
        return False
    return True

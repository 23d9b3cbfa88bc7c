"""Addresses of an issue's fields that can be used and are probably slips: warnings with their places."""

from __future__ import annotations

from collections.abc import Mapping

from mailer.errors import Problem
from mailer.issue.fields import SLOT
from mailer.issue.tree import Node
from mailer.issue.urls import SLOT_MARK, doubts

__all__ = ["check_urls"]

_KEYS = ("url", "src")


def check_urls(node: Node, problems: list[Problem]) -> None:
    """Adds a warning to `problems` for each doubt about a `url` or a `src` of a tree."""
    if isinstance(node.value, tuple):
        for entry in node.value:
            check_urls(entry, problems)
    elif isinstance(node.value, Mapping):
        for key, child in node.value.items():
            if key in _KEYS and isinstance(child.value, str):
                mark = child.mark
                problems += [
                    Problem(f"{key}: {doubt}", mark.path, mark.line, mark.column, severity="warning")
                    for doubt in doubts(SLOT.sub(SLOT_MARK, child.value.strip()))
                ]
            else:
                check_urls(child, problems)

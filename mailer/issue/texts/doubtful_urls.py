"""Warns of addresses in an issue's fields that work and are probably mistakes."""

from __future__ import annotations

from mailer.errors import Problem
from mailer.issue.values.fields import SLOT
from mailer.issue.values.urls import SLOT_MARK, likely_mistakes
from mailer.issue.yaml.tree import Node

__all__ = ["check_urls"]

_KEYS = ("url", "src")


def check_urls(tree: Node, problems: list[Problem]) -> None:
    """Adds a warning to `problems` for each doubt about a `url` or a `src` of a tree."""
    for key, text, node in tree.texts():
        if key and key[-1] in _KEYS:
            mark = node.mark
            problems += [
                Problem(f"{key[-1]}: {doubt}", mark.path, mark.line, mark.column, severity="warning")
                for doubt in likely_mistakes(SLOT.sub(SLOT_MARK, text.strip()))
            ]

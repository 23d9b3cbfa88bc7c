"""Warns of URLs in an issue's fields that work but are probably mistakes."""

from __future__ import annotations

from mailer.errors import Problem
from mailer.issue.values.fields import SLOT
from mailer.issue.values.urls import SLOT_MARK, likely_url_mistakes
from mailer.issue.yaml.tree import Node

__all__ = ["warn_of_doubtful_urls"]

_KEYS = ("url", "src")


def warn_of_doubtful_urls(tree: Node, problems: list[Problem]) -> None:
    """Adds a warning to `problems` for each probable mistake in a `url` or `src` of the tree."""
    for key, text, node in tree.walk_texts():
        if key and key[-1] in _KEYS:
            mark = node.position
            problems += [
                Problem(f"{key[-1]}: {doubt}", mark.path, mark.line, mark.column, severity="warning")
                for doubt in likely_url_mistakes(SLOT.sub(SLOT_MARK, text.strip()))
            ]

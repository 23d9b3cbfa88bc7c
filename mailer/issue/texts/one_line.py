"""Checks the one-line texts of an issue: slots, marks of Markdown, and words that a draft left."""

from __future__ import annotations

from mailer.display_text import shortened
from mailer.errors import Problem, Severity
from mailer.issue.draft import skeleton_words
from mailer.issue.markdown.leftovers import marks_in
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.texts.texts import MARKDOWN_KEYS
from mailer.issue.values.expressions import ExpressionError
from mailer.issue.yaml.tree import Node

__all__ = ["check_lines"]

#: Texts that readers see as they stand.
_READ = ("title", "subject", "preheader", "byline", "label", "alt", "name", "source")
#: Keys whose texts have a language of their own, or are no texts.
_NOT_READ = ("edition", "date", "language", "only", "src", "url", "include")


def check_lines(tree: Node, placeholders: Placeholders, problems: list[Problem]) -> None:
    """Adds to `problems` the errors in texts that are not Markdown, and texts left over from a draft."""
    drafted = skeleton_words()
    for key, text, node in tree.texts():
        if not key or key[-1] in _NOT_READ:
            continue
        if " ".join(text.split()) in drafted:
            _add(problems, node, f'"{shortened(text, 40)}" stands in every draft; write your own', "warning")
        if key[-1] in MARKDOWN_KEYS:
            continue
        try:
            filled = placeholders.fill(text)
        except ExpressionError as error:
            _add(problems, node, str(error), "error")
            continue
        if key[-1] in _READ:
            for message in placeholders.without_fallback(filled):
                _add(problems, node, message, "warning")
            for finding in marks_in(filled):
                _add(problems, node, finding.message, finding.severity)
        elif key[-2:-1] == ("tags",):
            for finding in marks_in(filled):
                if finding.severity == "error":  # a tag may be __init__
                    _add(problems, node, finding.message, finding.severity)


def _add(problems: list[Problem], node: Node, message: str, severity: Severity) -> None:
    problems.append(Problem(message, node.mark.path, node.mark.line, node.mark.column, severity))

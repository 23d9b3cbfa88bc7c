"""Checks the one-line texts of an issue: slots, Markdown, and texts that are left over from a draft."""

from __future__ import annotations

from mailer.display_text import shortened
from mailer.errors import Problem, Severity
from mailer.issue.draft import texts_in_skeletons
from mailer.issue.markdown.leftovers import markdown_findings_in_line
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.texts.texts import is_markdown_key
from mailer.issue.values.expressions import ExpressionError
from mailer.issue.yaml.tree import Node

__all__ = ["check_one_line_texts"]

#: Texts that readers see as they stand.
_READ = (
    "title", "subject", "preheader", "byline", "label", "alt", "name", "source", "kicker", "number", "credit",
    "text", "by", "venue", "address", "organisation", "place", "salary", "kind", "date",
)  # fmt: skip
#: Keys whose texts have a language of their own, or are no texts.
_NOT_READ = ("edition", "language", "only", "src", "url", "include", "starts", "ends", "width")


def check_one_line_texts(tree: Node, placeholders: Placeholders, problems: list[Problem]) -> None:
    """Checks the texts that are not Markdown, and finds all texts that are left over from a draft.

    Adds an error or a warning to `problems` for each mistake.
    """
    drafted = texts_in_skeletons()
    for key, text, node in tree.walk_texts():
        if not key or key[-1] in _NOT_READ or key == ("date",):
            continue
        if " ".join(text.split()) in drafted:
            _add_problem(
                problems,
                node,
                f'"{shortened(text, 40)}" is left over from the draft; write your own text',
                "warning",
            )
        if is_markdown_key(key):
            continue
        try:
            filled = placeholders.replace_slots(text)
        except ExpressionError as error:
            _add_problem(problems, node, str(error), "error")
            continue
        if key[-1] in _READ:
            for message in placeholders.missing_fallback_warnings(filled):
                _add_problem(problems, node, message, "warning")
            for finding in markdown_findings_in_line(filled):
                _add_problem(problems, node, finding.message, finding.severity)
        elif key[-2:-1] == ("tags",):
            for finding in markdown_findings_in_line(filled):
                if finding.severity == "error":  # a tag may be __init__
                    _add_problem(problems, node, finding.message, finding.severity)


def _add_problem(problems: list[Problem], node: Node, message: str, severity: Severity) -> None:
    problems.append(Problem(message, node.position.path, node.position.line, node.position.column, severity))

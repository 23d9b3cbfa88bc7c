"""Defines findings about a Markdown text: errors and warnings, each with its line."""

from __future__ import annotations

from dataclasses import dataclass, field

from markdown_it.token import Token

from mailer.errors import Severity

__all__ = ["Finding", "FindingCollector", "line_of_token"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Describes one problem in a text. `line` is the line in the text, counted from 0."""

    message: str
    line: int
    severity: Severity


@dataclass
class FindingCollector:
    """Collects the findings about one text, each only once."""

    findings: list[Finding] = field(default_factory=list)

    def add_error(self, message: str, line: int) -> None:
        """Adds an error, which prevents the issue from being sent."""
        self._add_once(Finding(message, line, "error"))

    def add_warning(self, message: str, line: int) -> None:
        """Adds a warning, with which the issue can still be sent."""
        self._add_once(Finding(message, line, "warning"))

    def _add_once(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def line_of_token(token: Token) -> int:
    """Returns the line on which an inline token starts, counted from 0 at the start of the whole text."""
    return int(token.meta.get("line", 0))

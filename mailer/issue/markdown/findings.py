"""Findings about a Markdown text, with their lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from markdown_it.token import Token

from mailer.errors import Severity

__all__ = ["Finding", "Report", "line_of"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Describes one problem of a text. `line` counts from 0 within it."""

    message: str
    line: int
    severity: Severity


@dataclass
class Report:
    """Collects the findings of one text, each once."""

    findings: list[Finding] = field(default_factory=list)

    def error(self, message: str, line: int) -> None:
        """Adds an error, which stops a sending."""
        self._add(Finding(message, line, "error"))

    def warning(self, message: str, line: int) -> None:
        """Adds a warning, for the editor to weigh."""
        self._add(Finding(message, line, "warning"))

    def _add(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def line_of(token: Token) -> int:
    """Returns the line of an inline token within its text, counted from 0."""
    return int(token.meta.get("line", 0))

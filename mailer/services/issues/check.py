"""Finds all problems of an issue, from the YAML file to the rendered message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer.campaign.slug import slug_of
from mailer.config import Settings
from mailer.errors import InputError, Problem, SegmentError
from mailer.issue.model import keys_and_reader_conditions, reader_conditions
from mailer.issue.problems import sorted_problems

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["CheckedIssue", "check_issue"]


@dataclass(frozen=True, slots=True)
class CheckedIssue:
    """Holds the path of an issue in the workspace, and all its problems. With `strict`, a warning counts as
    an error."""

    issue: str
    problems: tuple[Problem, ...]
    strict: bool = False

    @property
    def is_ready(self) -> bool:
        """Returns whether the issue can be sent as it is."""
        return not any(self.strict or problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        """Returns the problems of the issue as JSON data."""
        return {
            "issue": self.issue,
            "problems": [_problem_json(problem) for problem in self.problems],
            "ok": self.is_ready,
        }


def check_issue(settings: Settings, path: Path, *, strict: bool = False) -> CheckedIssue:
    """Returns all problems of the issue at `path`, instead of raising the first one. With `strict`, a warning
    counts as an error."""
    name, problems = _find_issue_problems(path, settings)
    return CheckedIssue(name, tuple(problems), strict)


def _problem_json(problem: Problem) -> dict[str, object]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
    }


def _find_issue_problems(path: Path, settings: Settings) -> tuple[str, list[Problem]]:
    from mailer.issue.load import examine_issue

    try:
        loaded, problems = examine_issue(path, settings)
    except InputError as error:
        return _path_in_workspace(path, settings), list(error.problems)
    if loaded is None:
        return _path_in_workspace(path, settings), problems
    problems += _problems_in_only_expressions(loaded)
    # A problem of a later stage at the same place is only a consequence of the first.
    told = {(problem.path, problem.line) for problem in problems if problem.severity == "error"}
    later = _rendering_problems(loaded, settings)
    links = any(each.severity == "error" and "must begin with https://" in each.message for each in problems)
    problems += (
        each
        for each in later
        if ((each.path, each.line) not in told)
        and not (links and each.line is None and each.message.startswith("a link leads to "))
    )
    return loaded.path, sorted_problems(list(_remove_duplicate_problems(problems)), loaded.path)


def _remove_duplicate_problems(problems: list[Problem]) -> Iterator[Problem]:
    """Yields each problem once per line, with its column if any of the duplicates has one."""
    seen: set[tuple[str | None, int | None, str]] = set()
    for problem in sorted(problems, key=lambda each: each.column is None):
        if (key := (problem.path, problem.line, problem.message)) not in seen:
            seen.add(key)
            yield problem


def _path_in_workspace(path: Path, settings: Settings) -> str:
    """Returns the path relative to the workspace; the path as given if it is outside of the workspace."""
    try:
        return path.resolve().relative_to(settings.root.resolve()).as_posix()
    except (OSError, RuntimeError, ValueError):
        return path.as_posix()


def _problems_in_only_expressions(loaded: LoadedIssue) -> Iterator[Problem]:
    """Yields the problems of the `only` expressions in an issue, with their lines and columns in the file."""
    from mailer.audience.segments import parse_segment

    for keys, only in keys_and_reader_conditions(loaded.issue):
        try:
            parse_segment(only)
        except SegmentError as error:
            mark = loaded.position_of(*keys)
            for problem in error.problems:
                yield Problem(f"only: {problem.message}", mark.path, mark.line, mark.column)


def _rendering_problems(loaded: LoadedIssue, settings: Settings) -> list[Problem]:
    """Returns the problems that appear only in the rendered message.

    Renders the variant without any conditional part, the variant with all conditional parts, and one variant
    for each condition alone.
    """
    # premailer takes a third of a second to import, so it is imported only when there is something to render.
    from mailer.render.check import check_rendition
    from mailer.render.render import examine_variants

    number = len(reader_conditions(loaded.issue))
    variants = {0, (1 << number) - 1, *(1 << bit for bit in range(number))}
    slug = slug_of(loaded.issue.edition, loaded.issue.date)
    problems: list[Problem] = []
    examined = examine_variants(loaded, settings, slug=slug, variants=variants, faults=problems)
    for rendition, media in examined:
        problems += check_rendition(loaded, rendition, settings, media)
    return problems

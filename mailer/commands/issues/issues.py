"""`mailer new`, `mailer check` and `mailer schema`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.audience.segments import parse
from mailer.campaign.slug import slug_of
from mailer.commands.context import JsonOption, emit_json, say, settings_of
from mailer.config import Settings
from mailer.errors import InputError, Problem, SegmentError
from mailer.issue.draft import write_draft
from mailer.issue.model import only_expressions, only_places
from mailer.issue.problems import sorted_problems
from mailer.issue.schema import schema_text
from mailer.issue.values.fields import parse_date

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["check", "new", "problems_with", "schema"]


def schema() -> None:
    """Prints the JSON Schema of an issue, for editors that check while one types."""
    typer.echo(schema_text(), nl=False)


def new(
    context: typer.Context,
    edition: Annotated[str, typer.Argument(metavar="EDITION", help="An edition of mailer.toml.")],
    date: Annotated[
        str | None, typer.Option("--date", metavar="D", help="Its date, as 2026-11-21; otherwise today.")
    ] = None,
) -> None:
    """Makes a draft of an issue in issues/."""
    settings = settings_of(context)
    path = write_draft(settings, edition, _date(date, settings))
    name = path.relative_to(settings.root).as_posix()
    say(f"{name} is your draft. `mailer check {name}` tells what is wrong with it.")


def _date(text: str | None, settings: Settings) -> dt.date:
    if text is None:
        return dt.datetime.now(settings.publication.zone).date()
    try:
        return parse_date(text)
    except ValueError as error:
        raise InputError(f"--date: {error}") from None


def check(
    context: typer.Context,
    issue: Annotated[Path, typer.Argument(metavar="ISSUE", help="The issue's YAML file.")],
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as an error.")] = False,
    as_json: Annotated[bool, JsonOption] = False,
) -> None:
    """Tells all that is wrong with an issue, each as file:line:column: message."""
    settings = settings_of(context)
    name, problems = problems_with(issue, settings)
    errors = [problem for problem in problems if strict or problem.severity == "error"]
    if as_json:
        emit_json({"issue": name, "problems": [_document(problem) for problem in problems], "ok": not errors})
    else:
        for problem in problems:
            say(str(problem), err=True)
        if not errors:
            say(f"{name} is ready to send." if not problems else f"{name} can be sent as it is.")
    if errors:
        raise typer.Exit(InputError.exit_status)


def _document(problem: Problem) -> dict[str, object]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
    }


def problems_with(path: Path, settings: Settings) -> tuple[str, list[Problem]]:
    """The issue's path in the workspace, and all that any stage finds wrong with it."""
    from mailer.issue.load import examine_issue

    try:
        loaded, problems = examine_issue(path, settings)
    except InputError as error:
        return _shown(path, settings), list(error.problems)
    if loaded is None:
        return _shown(path, settings), problems
    problems += _only_problems(loaded)
    # What a later stage says of a place that was told is an echo.
    told = {(problem.path, problem.line) for problem in problems if problem.severity == "error"}
    later = _rendering_problems(loaded, settings)
    links = any(each.severity == "error" and "must begin with https://" in each.message for each in problems)
    problems += (
        each
        for each in later
        if ((each.path, each.line) not in told)
        and not (links and each.line is None and each.message.startswith("a link leads to "))
    )
    return loaded.path, sorted_problems(list(_once(problems)), loaded.path)


def _once(problems: list[Problem]) -> Iterator[Problem]:
    """Each sentence once for its line, in the form that knows the column."""
    seen: set[tuple[str | None, int | None, str]] = set()
    for problem in sorted(problems, key=lambda each: each.column is None):
        if (key := (problem.path, problem.line, problem.message)) not in seen:
            seen.add(key)
            yield problem


def _shown(path: Path, settings: Settings) -> str:
    """The path in the workspace, or as it was given where it is none."""
    try:
        return path.resolve().relative_to(settings.root.resolve()).as_posix()
    except (OSError, RuntimeError, ValueError):
        return path.as_posix()


def _only_problems(loaded: LoadedIssue) -> Iterator[Problem]:
    """What is wrong with each `only`, at its place."""
    for keys, only in only_places(loaded.issue):
        try:
            parse(only)
        except SegmentError as error:
            mark = loaded.mark_of(*keys)
            for problem in error.problems:
                yield Problem(f"only: {problem.message}", mark.path, mark.line, mark.column)


def _rendering_problems(loaded: LoadedIssue, settings: Settings) -> list[Problem]:
    """What shows only in the finished mail. Looked at: nobody's segments, everybody's, and each alone."""
    # premailer takes a third of a second to import, so it waits until there is something to render.
    from mailer.render.check import check_rendition
    from mailer.render.render import examine_variants

    number = len(only_expressions(loaded.issue))
    variants = {0, (1 << number) - 1, *(1 << bit for bit in range(number))}
    slug = slug_of(loaded.issue.edition, loaded.issue.date)
    problems: list[Problem] = []
    examined = examine_variants(loaded, settings, slug=slug, variants=variants, faults=problems)
    for rendition, media in examined:
        problems += check_rendition(loaded, rendition, settings, media)
    return problems

"""Implements `mailer new`, `mailer check` and `mailer schema`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.errors import InputError
from mailer.issue.schema import schema_text
from mailer.issue.values.fields import parse_date
from mailer.services.issues.check import check_issue
from mailer.services.issues.draft import create_draft

__all__ = ["check", "new", "schema"]


def schema() -> None:
    """Prints the JSON Schema of issue files, for text editors."""
    typer.echo(schema_text(), nl=False)


def new(
    context: typer.Context,
    edition: Annotated[
        str, typer.Argument(metavar="EDITION", help="An edition of mailer.toml, such as morning.")
    ],
    date: Annotated[
        str | None,
        typer.Option(
            "--date", metavar="D", help="The date of the issue, such as 2026-11-21; otherwise today."
        ),
    ] = None,
) -> None:
    """Creates a draft issue in issues/."""
    name = create_draft(settings_of(context), edition, _parse_date_option(date))
    say(f"{name} is your draft. `mailer check {name}` reports its problems.")


def _parse_date_option(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return parse_date(text)
    except ValueError as error:
        raise InputError(f"--date: {error}") from None


def check(
    context: typer.Context,
    issue: Annotated[
        Path,
        typer.Argument(
            metavar="ISSUE", help="The issue's YAML file, such as issues/2026-11-21-morning.yaml."
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Reports all problems of an issue, as file:line:column: message."""
    checked = check_issue(settings_of(context), issue, strict=strict)
    if as_json:
        emit_json(checked.to_json())
    else:
        for problem in checked.problems:
            say(str(problem), err=True)
        if checked.is_ready:
            name = checked.issue
            say(f"{name} is ready to send." if not checked.problems else f"{name} can be sent as it is.")
    if not checked.is_ready:
        raise typer.Exit(InputError.exit_status)

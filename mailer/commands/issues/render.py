"""Implements `mailer render`, which writes an issue's files and sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailer.commands.context import say, settings_of
from mailer.services.issues.render import render_issue

__all__ = ["render"]


def render(
    context: typer.Context,
    issue: Annotated[
        Path,
        typer.Argument(
            metavar="ISSUE", help="The issue's YAML file, such as issues/2026-11-21-morning.yaml."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for the files, such as look.")
    ],
) -> None:
    """Writes email.html, email.txt, web.html, message.eml and images/ into DIR.

    The files show the issue with all its parts. If some parts are only for some readers, DIR/variants/ has
    more folders: 0 for readers to whom no condition applies, and one for each condition alone.
    """
    done = render_issue(settings_of(context), issue, output)
    for problem in done.problems:
        say(str(problem), err=True)
    say(
        f"{output}: email.html ({done.html_bytes / 1000:.1f} KB), "
        f"email.txt ({done.text_bytes / 1000:.1f} KB), web.html, message.eml"
    )
    if done.conditions and done.is_public_page:
        say(f"{done.variant_folder(output, 0)}: what is for everybody; its web.html is the public page")
    for bit, condition in enumerate(done.conditions):
        say(f"{done.variant_folder(output, 1 << bit)}: what readers see for whom only `{condition}` is true")
    if done.has_errors:
        raise typer.Exit(1)

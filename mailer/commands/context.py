"""Gives commands the settings of their workspace, and functions that print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.commands.json_output import as_json_text, emit_json, emit_json_list
from mailer.display_text import without_control_characters

if TYPE_CHECKING:
    from mailer.config import Settings

__all__ = ["JsonFlag", "as_json_text", "emit_json", "emit_json_list", "say", "settings_of", "warn"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def settings_of(context: typer.Context) -> Settings:
    """Returns the settings of the workspace that `--workspace` names, or that holds the current folder."""
    from mailer.config import find_workspace, load_settings
    from mailer.transports import registry

    chosen: Path | None = context.find_root().params.get("workspace")
    return load_settings(find_workspace(chosen or Path.cwd()), transports=registry)


def say(line: str = "", *, err: bool = False, style: str = "") -> None:
    """Prints one line on standard output or, with `err`, on standard error. `style` precedes it unchanged.

    Lines quote files, servers and readers, so control characters are made visible. A line on standard error
    that cannot be written is dropped, so that the work goes on.
    """
    try:
        typer.echo(style + without_control_characters(line), file=sys.stderr if err else sys.stdout)
    except OSError:
        if not err:
            raise


def warn(sentence: str) -> None:
    """Prints a warning on standard error; the command goes on."""
    say(f"mailer: warning: {sentence}", err=True)

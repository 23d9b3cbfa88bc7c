"""What every command shares: the workspace it runs in, and how it prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mailer.commands.json_output import as_json_text, emit_json, emit_json_list
from mailer.display_text import visible

if TYPE_CHECKING:
    from mailer.config import Settings

__all__ = ["JsonOption", "as_json_text", "emit_json", "emit_json_list", "say", "settings_of", "warn"]

JsonOption = typer.Option("--json", help="Print one JSON document and nothing else.")


def settings_of(context: typer.Context) -> Settings:
    """The settings of the workspace that `--workspace` names, or that holds the current folder."""
    from mailer.config import find_workspace, load_settings
    from mailer.transports import registry

    chosen: Path | None = context.find_root().params.get("workspace")
    return load_settings(find_workspace(chosen or Path.cwd()), transports=registry)


def say(line: str = "", *, err: bool = False, style: str = "") -> None:
    """Prints one plain line on standard output or, with `err`, on standard error, after what is styled.

    Much of what is told was written by others: files, servers, readers. None of it commands the terminal.
    Work does not end because nobody takes what it tells on standard error.
    """
    try:
        typer.echo(style + visible(line), file=sys.stderr if err else sys.stdout)
    except OSError:
        if not err:
            raise


def warn(sentence: str) -> None:
    """Prints what an operator should know on standard error, before the command goes on."""
    say(f"mailer: warning: {sentence}", err=True)

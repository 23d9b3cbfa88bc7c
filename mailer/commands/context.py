"""Loads the settings for a command, and prints lines of text."""

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
    """Returns the settings of the workspace that `--workspace` names, or that holds the current folder.

    The folder after `--workspace` may also be a subfolder of a workspace.
    """
    from mailer.config import find_workspace, load_settings
    from mailer.transports import registry

    chosen: Path | None = context.find_root().params.get("workspace")
    return load_settings(find_workspace(chosen or Path.cwd()), transports=registry)


def say(line: str = "", *, err: bool = False, raw_prefix: str = "") -> None:
    """Prints `line` on standard output or, with `err`, on standard error.

    A line may quote files, servers and readers, so control characters in `line` are replaced by visible ones;
    `raw_prefix` is printed before the line, and is not changed. If standard error cannot be written, the line
    is dropped and the command goes on.
    """
    try:
        typer.echo(raw_prefix + without_control_characters(line), file=sys.stderr if err else sys.stdout)
    except OSError:
        if not err:
            raise


def warn(sentence: str) -> None:
    """Prints `sentence` as a warning on standard error."""
    say(f"mailer: warning: {sentence}", err=True)

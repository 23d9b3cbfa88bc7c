"""What every command shares: the workspace it runs in, and how it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from mailer.config import Settings, find_workspace, load_settings

__all__ = ["JsonOption", "emit_json", "say", "settings_of"]

JsonOption = typer.Option("--json", help="Print one JSON document and nothing else.")


def settings_of(context: typer.Context) -> Settings:
    """The settings of the workspace that `--workspace` names, or that holds the current folder."""
    chosen: Path | None = context.find_root().params.get("workspace")
    return load_settings(find_workspace(chosen or Path.cwd()))


def say(line: str = "") -> None:
    """Prints one plain line on standard output."""
    typer.echo(line)


def emit_json(document: Any) -> None:
    """Prints `document` as the only thing on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")

"""What every command shares: the workspace it runs in, and how it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from mailer.config import Settings, find_workspace, load_settings
from mailer.display_text import HIDDEN, visible
from mailer.transports import registry

__all__ = ["JsonOption", "as_json_text", "emit_json", "say", "settings_of", "warn"]

JsonOption = typer.Option("--json", help="Print one JSON document and nothing else.")


def settings_of(context: typer.Context) -> Settings:
    """The settings of the workspace that `--workspace` names, or that holds the current folder."""
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


def as_json_text(document: Any, indent: int | None = None) -> str:
    """`document` as JSON that a terminal only shows, with escapes where standard output lacks a letter."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    text = HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent)
    return text


def emit_json(document: Any) -> None:
    """Prints `document` as the only thing on standard output."""
    sys.stdout.write(as_json_text(document, indent=2) + "\n")
    sys.stdout.flush()

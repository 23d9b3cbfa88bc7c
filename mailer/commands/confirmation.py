"""Asks for confirmation before a step that cannot be undone. Commands wait for an answer only here."""

from __future__ import annotations

import sys

import typer

from mailer.commands.context import say
from mailer.commands.json_output import explain_exit
from mailer.display_text import without_control_characters
from mailer.errors import InputError

__all__ = ["YesOption", "confirm"]

YesOption = typer.Option("--yes", "-y", help="Do not ask for confirmation.")


def confirm(question: str, *, unattended: str | None, declined: str, quiet: bool) -> None:
    """Returns if the operator answers `question` with yes; any other answer ends the program with status 1.

    Where standard input is no terminal, nobody is asked: `unattended` is raised as an InputError (status 2),
    or, where it is None, the command goes on. `declined` tells that nothing was done. With `quiet`,
    as for --json, both go to standard error.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        if unattended is not None:
            raise InputError(unattended)
        return
    if not _is_yes(f"{without_control_characters(question)} [y/N]: ", quiet):
        say(declined, err=quiet)
        explain_exit(declined)
        raise typer.Exit(1)


def _is_yes(prompt: str, quiet: bool) -> bool:
    """Returns whether the answer is yes, and repeats `prompt` until it is yes or no.

    An empty line, or one that cannot be decoded, counts as no. Raises Abort (status 1) on Ctrl-C,
    and where the input ends.

    `typer.confirm` writes a part of its prompt to standard output, whatever it is told.
    """
    while True:
        try:
            typer.echo(prompt, nl=False, err=quiet)
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            return False
        except KeyboardInterrupt:
            line = ""
        if not line:
            typer.echo(err=quiet)
            raise typer.Abort
        answer = line.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False

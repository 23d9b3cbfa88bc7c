"""Asks the operator for confirmation before a step that cannot be undone."""

from __future__ import annotations

import sys

import typer

from mailer.commands.context import say
from mailer.commands.json_output import set_exit_explanation
from mailer.display_text import without_control_characters
from mailer.errors import InputError

__all__ = ["YesOption", "ask_for_confirmation"]

YesOption = typer.Option("--yes", "-y", help="Do not ask for confirmation.")


def ask_for_confirmation(
    question: str, *, unattended_error: str | None, declined_message: str, to_stderr: bool
) -> None:
    """Asks `question` and returns if the answer is yes. Any other answer ends the program with status 1.

    Before the program ends, `declined_message` is printed. If standard input is not a terminal, nobody is
    asked: `unattended_error` is raised as an InputError (status 2), or, if it is None, the command goes on.
    With `to_stderr`, as for --json, the question and the message are printed on standard error.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        if unattended_error is not None:
            raise InputError(unattended_error)
        return
    if not _is_answered_yes(f"{without_control_characters(question)} [y/N]: ", to_stderr):
        say(declined_message, err=to_stderr)
        set_exit_explanation(declined_message)
        raise typer.Exit(1)


def _is_answered_yes(prompt: str, to_stderr: bool) -> bool:
    """Asks `prompt` until the operator answers yes or no, and returns whether the answer is yes.

    An empty line, or a line that cannot be decoded, counts as no. Raises Abort (status 1) on Ctrl-C, and if
    the input ends. `typer.confirm` is not used, because it writes a part of the prompt to standard output.
    """
    while True:
        try:
            typer.echo(prompt, nl=False, err=to_stderr)
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            return False
        except KeyboardInterrupt:
            line = ""
        if not line:
            typer.echo(err=to_stderr)
            raise typer.Abort
        answer = line.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False

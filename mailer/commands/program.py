"""The whole program: its commands, and how it ends.

`main` turns every error into plain sentences on standard error and an exit status: 0 done, 1 tried
and failed or something is left, 2 wrong input and nothing changed. An error that nobody foresaw is told in a
sentence too, and where it was is kept in a log.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main

from mailer import __version__
from mailer.commands.arguments import command_name
from mailer.commands.context import say
from mailer.commands.crash_reports import told_in_threads, unforeseen
from mailer.commands.loading.lazy import LazyGroup
from mailer.commands.loading.table import all_commands
from mailer.commands.streams import close_quietly, prepare_streams
from mailer.errors import MailerError

__all__ = ["app", "main"]

app = typer.Typer(
    name="mailer",
    cls=LazyGroup,
    help="Newsletters as code: an issue in YAML becomes delivered, provable editions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    workspace: Annotated[
        Path | None,
        typer.Option(
            help="The folder with mailer.toml; otherwise the current one or a parent.", metavar="DIR"
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Newsletters as code."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program and exits. `arguments` are the command line's words (default: sys.argv)."""
    words = _workspace_first(list(sys.argv[1:] if arguments is None else arguments))
    prepare_streams()
    program = _program()
    folder, command = _workspace_of(words), command_name(program, words)
    try:
        with told_in_threads(folder, command):
            _run(program, words, lambda error: unforeseen(error, folder, command))
    finally:
        close_quietly()


def _program() -> Any:
    """Returns the click command with every command's name; each is loaded when it is called."""
    program: Any = typer.main.get_command(app)
    program.commands = all_commands()
    return program


def _run(program: Any, words: list[str], explained: Callable[[BaseException], str]) -> None:
    try:
        program.main(args=words, prog_name="mailer")
    except MailerError as error:
        _fail(
            [("" if problem.path else "mailer: ") + str(problem) for problem in error.problems],
            error.exit_status,
        )
    except sqlite3.Error as error:
        from mailer.store.database import explain

        _fail([f"mailer: {explain(error, 'subscribers.db')}"], 1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail([f"mailer: {place}{(error.strerror or str(error)).lower()}; mend that and run this again"], 1)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        _fail([f"mailer: {explained(error)}"], 1)


def _workspace_first(words: list[str]) -> list[str]:
    """`--workspace DIR` may stand anywhere on the line; click wants it before the command."""
    ahead: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word == "--workspace":
            ahead += [word, *[value for value in [next(remaining, None)] if value is not None]]
        elif word.startswith("--workspace="):
            ahead.append(word)
        else:
            rest.append(word)
    return ahead + rest


def _workspace_of(words: list[str]) -> Path | None:
    """The folder that `--workspace` names; `words` begin with it where there is one."""
    option, joined, value = words[0].partition("=") if words else ("", "", "")
    if option != "--workspace":
        return None
    return Path(value if joined else "".join(words[1:2]))


def _fail(sentences: list[str], status: int) -> None:
    for sentence in sentences:
        say(sentence, err=True)
    sys.exit(status)

"""Runs the program: finds the command, runs it, and turns every error into an exit status.

`main` turns every error into plain sentences on standard error and an exit status: 0 done, 1 tried
and failed or something is left, 2 wrong input and nothing changed. With `--json` the error is a JSON document
on standard output too. An unexpected error is one sentence too, and its traceback is kept in a log.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.main
from typer.exceptions import TyperException

from mailer import __version__
from mailer.commands.context import say
from mailer.commands.crash_reports import describe_crash, report_thread_errors
from mailer.commands.json_output import JsonOutput, json_output
from mailer.commands.loading.lazy import LazyGroup
from mailer.commands.loading.table import all_commands
from mailer.commands.parsing.arguments import command_name, wants_json
from mailer.commands.parsing.completion import is_completing
from mailer.commands.streams import close_quietly, prepare_streams
from mailer.errors import MailerError, Problem

__all__ = ["app", "main"]

app = typer.Typer(
    name="mailer",
    cls=LazyGroup,
    help="Renders and sends newsletters that are written in YAML, and archives what was sent.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
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
            help="The folder that holds mailer.toml, such as news; otherwise the current folder or a parent.",
            metavar="DIR",
            envvar="MAILER_WORKSPACE",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Takes the options of `mailer` itself."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program and exits. `arguments` are the command line's words (default: sys.argv)."""
    words = _workspace_first(list(sys.argv[1:] if arguments is None else arguments))
    prepare_streams()
    program = _program()
    if is_completing():
        _complete(program)
    folder, command = _workspace_of(words), command_name(program, words)
    try:
        with (
            report_thread_errors(folder, command),
            json_output(wanted=wants_json(program, words)) as output,
        ):
            sys.exit(_run(program, words, output, lambda error: describe_crash(error, folder, command)))
    finally:
        close_quietly()


def _program() -> Any:
    """Returns the click command with every command's name; each is loaded when it is called."""
    program: Any = typer.main.get_command(app)
    program.commands = all_commands()
    return program


def _complete(program: Any) -> NoReturn:
    """Prints the completions that a shell asks for, and exits; errors are not printed."""
    try:
        program.main(args=[], prog_name="mailer")
    except Exception:  # whatever it is, a shell would show it in the middle of a line
        sys.exit(1)
    sys.exit(0)


def _run(
    program: Any, words: list[str], output: JsonOutput, explained: Callable[[BaseException], str]
) -> int:
    """Runs a command, prints its error if there is one, and returns the exit status."""
    try:
        status = int(program.main(args=words, prog_name="mailer", standalone_mode=False) or 0)
        output.end(status)
    except MailerError as error:
        return _fail(output, error.problems, error.exit_status)
    except TyperException as error:
        return _wrong_usage(output, error)
    except typer.Abort:
        say("Aborted!", err=True)
        return _document(output, [Problem("Aborted!")], 1)
    except sqlite3.Error as error:
        from mailer.store.database import to_store_error

        return _fail(output, [Problem(str(to_store_error(error, "subscribers.db")))], 1)
    except BrokenPipeError:
        return _document(output, [Problem("the reader of the output closed it early")], 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sentence = f"{place}{(error.strerror or str(error)).lower()}; correct that and run this again"
        return _fail(output, [Problem(sentence)], 1)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        return _fail(output, [Problem(explained(error))], 1)
    return status


def _workspace_first(words: list[str]) -> list[str]:
    """Moves `--workspace DIR` to the front: it may stand anywhere, and click wants it before the command."""
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
    """Returns the folder that `--workspace` names, or else MAILER_WORKSPACE; None where neither is given.

    The option counts only at the beginning of `words`.
    """
    option, joined, value = words[0].partition("=") if words else ("", "", "")
    if option != "--workspace":
        named = os.environ.get("MAILER_WORKSPACE")
        return Path(named) if named else None
    return Path(value if joined else "".join(words[1:2]))


def _wrong_usage(output: JsonOutput, error: Any) -> int:
    """Prints the usage of the command and what is wrong, and returns the exit status."""
    with suppress(OSError):
        error.show()
    return _document(output, [Problem(error.format_message())], error.exit_code)


def _fail(output: JsonOutput, problems: Sequence[Problem], status: int) -> int:
    for problem in problems:
        say(("" if problem.path else "mailer: ") + str(problem), err=True)
    return _document(output, problems, status)


def _document(output: JsonOutput, problems: Sequence[Problem], status: int) -> int:
    """Prints the error as JSON where `--json` was given, and returns the exit status."""
    with suppress(OSError):
        output.fail(problems, status)
    return status

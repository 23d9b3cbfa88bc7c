"""Runs the program: finds the command, runs it, and turns every error into an exit status.

The status is 0 if everything was done, 1 if something failed or is left to do, and 2 if the input was wrong
and nothing was changed. Errors are printed as sentences on standard error, and with `--json` also as a JSON
document on standard output. The traceback of an unexpected error is written into a log.
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
from mailer.commands.json_output import JsonOutput, use_json_output
from mailer.commands.loading.lazy import LazyGroup
from mailer.commands.loading.table import all_commands
from mailer.commands.parsing.arguments import command_name, wants_json
from mailer.commands.parsing.completion import is_completing
from mailer.commands.streams import flush_output_streams, prepare_streams
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailer {__version__}")
        raise typer.Exit


@app.callback()
def declare_global_options(
    workspace: Annotated[
        Path | None,
        typer.Option(
            help="The folder that holds mailer.toml, such as news; otherwise the current folder or a parent.",
            metavar="DIR",
            envvar="MAILER_WORKSPACE",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Declares the options of `mailer` itself."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program and exits. `arguments` are the words after `mailer`; None means those of sys.argv."""
    words = _move_workspace_option_first(list(sys.argv[1:] if arguments is None else arguments))
    prepare_streams()
    program = _command_group()
    if is_completing():
        _print_completions(program)
    folder, command = _chosen_workspace(words), command_name(program, words)
    try:
        with (
            report_thread_errors(folder, command),
            use_json_output(wanted=wants_json(program, words)) as output,
        ):
            sys.exit(
                _run_command(program, words, output, lambda error: describe_crash(error, folder, command))
            )
    finally:
        flush_output_streams()


def _command_group() -> Any:
    """Returns the click group with all commands. The module of a command is imported when it is called."""
    program: Any = typer.main.get_command(app)
    program.commands = all_commands()
    return program


def _print_completions(program: Any) -> NoReturn:
    """Prints the completions that a shell asks for, and exits. Errors are not printed."""
    try:
        program.main(args=[], prog_name="mailer")
    except Exception:  # whatever it is, a shell would show it in the middle of a line
        sys.exit(1)
    sys.exit(0)


def _run_command(
    program: Any, words: list[str], output: JsonOutput, describe: Callable[[BaseException], str]
) -> int:
    """Runs the command that `words` call, prints the error if it fails, and returns the exit status.

    `describe` returns the sentence to print for an unexpected error.
    """
    try:
        status = int(program.main(args=words, prog_name="mailer", standalone_mode=False) or 0)
        output.print_document(status)
    except MailerError as error:
        return _print_problems(output, error.problems, error.exit_status)
    except TyperException as error:
        return _print_usage_error(output, error)
    except typer.Abort:
        say("Aborted!", err=True)
        return _print_json_error(output, [Problem("Aborted!")], 1)
    except sqlite3.Error as error:
        from mailer.store.database import to_store_error

        return _print_problems(output, [Problem(str(to_store_error(error, "subscribers.db")))], 1)
    except BrokenPipeError:
        return _print_json_error(output, [Problem("the output was closed before all of it was written")], 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        sentence = f"{place}{(error.strerror or str(error)).lower()}; correct that and run this again"
        return _print_problems(output, [Problem(sentence)], 1)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        return _print_problems(output, [Problem(describe(error))], 1)
    return status


def _move_workspace_option_first(words: list[str]) -> list[str]:
    """Returns `words` with `--workspace DIR` moved to the front.

    Operators may write the option anywhere, but click accepts it only before the name of the command.
    """
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


def _chosen_workspace(words: list[str]) -> Path | None:
    """Returns the folder that `--workspace` or else MAILER_WORKSPACE names, or None if neither is given.

    The option must be at the beginning of `words`.
    """
    option, joined, value = words[0].partition("=") if words else ("", "", "")
    if option != "--workspace":
        named = os.environ.get("MAILER_WORKSPACE")
        return Path(named) if named else None
    return Path(value if joined else "".join(words[1:2]))


def _print_usage_error(output: JsonOutput, error: Any) -> int:
    """Prints the usage of a command that was called in a wrong way, and returns the exit status."""
    with suppress(OSError):
        error.show()
    return _print_json_error(output, [Problem(error.format_message())], error.exit_code)


def _print_problems(output: JsonOutput, problems: Sequence[Problem], status: int) -> int:
    for problem in problems:
        say(("" if problem.path else "mailer: ") + str(problem), err=True)
    return _print_json_error(output, problems, status)


def _print_json_error(output: JsonOutput, problems: Sequence[Problem], status: int) -> int:
    """Prints the problems as JSON if `--json` was given, and returns `status`."""
    with suppress(OSError):
        output.print_error(problems, status)
    return status

"""Checks before a command runs that the arguments are UTF-8 text.

Paths are not checked, because a file name may contain any bytes. In the free text after `--reason`, invalid
bytes become U+FFFD, and the command is carried out. Any other argument that is not UTF-8 is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mailer.display_text import decoded_argument, without_control_characters
from mailer.errors import InputError

__all__ = ["command_name", "wants_json", "check_text_arguments"]

_FREE_TEXT_ARGUMENTS = ("reason",)


def check_text_arguments(program: Any) -> Any:
    """Changes each command of `program` so that the arguments are checked first, and returns `program`.

    A command then raises InputError, before it does anything, if an argument is not UTF-8 text.
    """
    for command in _commands_without_groups(program):
        command.callback = _with_checked_arguments(command.callback, _argument_labels(command))
    return program


def command_name(program: Any, words: Sequence[str]) -> str:
    """Returns the name of the command that `words` call, such as `campaigns show`, without the arguments."""
    labels: list[str] = []
    known = program.commands
    for word in words:
        if word in known:
            labels.append(word)
            known = getattr(known[word], "commands", {})
    return " ".join(labels)


def wants_json(program: Any, words: Sequence[str]) -> bool:
    """Returns whether `words`, the arguments of `program`, contain the option `--json`.

    The other arguments need not be valid. `--json` does not count after `--`, nor as the value of an option,
    as in `--reason --json`.
    """
    if "--json" not in words:
        return False
    command = program
    remaining = iter(words)
    for word in remaining:
        if word in ("--", "--json"):
            return word == "--json"
        if not word.startswith("-"):
            command = _load_if_lazy(getattr(command, "commands", {}).get(word, command))
        elif any(
            word in each.opts and not each.is_flag for each in command.params if hasattr(each, "is_flag")
        ):
            next(remaining, None)
    return False


def _load_if_lazy(command: Any) -> Any:
    """Returns `command`, or, for a lazy command, the loaded command with all options."""
    return command.load() if hasattr(command, "load") else command


def _commands_without_groups(command: Any) -> Iterator[Any]:
    below = getattr(command, "commands", None)
    if below is None:
        yield command
        return
    for subcommand in below.values():
        yield from _commands_without_groups(subcommand)


def _argument_labels(command: Any) -> dict[str, str]:
    """Returns, by name of the function's parameter, the name on the command line: `--segment`, `ADDRESS`."""
    labels = {}
    for parameter in command.params:
        option = max(parameter.opts, key=len)
        labels[parameter.name] = (
            option if option.startswith("-") else (parameter.metavar or option).strip("[]")
        )
    return labels


def _with_checked_arguments(callback: Callable[..., Any], labels: Mapping[str, str]) -> Callable[..., Any]:
    def call(**values: Any) -> Any:
        return callback(**{name: _checked_text(value, name, labels) for name, value in values.items()})

    return call


def _checked_text(value: Any, name: str, labels: Mapping[str, str]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_checked_text(one, name, labels) for one in value)
    if not isinstance(value, str):
        return value
    try:
        return decoded_argument(value)
    except ValueError:
        if name in _FREE_TEXT_ARGUMENTS:
            return without_control_characters(value)
        raise InputError(
            f'{labels.get(name, name)} "{without_control_characters(value[:80])}" holds bytes that are not '
            "UTF-8 text; write it again in UTF-8. Nothing was changed"
        ) from None
